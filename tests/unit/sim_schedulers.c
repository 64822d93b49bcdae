/*
 * The simulated host's schedulers against schedules that were worked out by hand from the rules of Xen's schedulers. Times are
 * in us; a switch is recorded within a microsecond of the instant at which it was decided.
 */
#include "sim_run.h"
#include "suites.h"

#define HOG  "'loads': [ { 'type': 'hog' } ]"
#define MS   1000000
#define SEDF ", 'scheduler': 'sedf'"
#define KEEP ", 'scheduler': 'sedf', 'short_block': 'keep_slice'"

/* ---- SEDF ---- */

static void sedf_runs_the_earliest_deadline_first_and_idles_when_slices_are_used(void)
{
    /* Deadlines at 0: 1 has 50 ms, 2 has 100 ms. At 100 ms: 1 has 150, 2 has 200. */
    struct sim_run r = sim_run("190", SEDF,
                               "{ 'id': 1, 'slice_ms': 10, 'period_ms': 50, " HOG " },"
                               "{ 'id': 2, 'slice_ms': 20, 'period_ms': 100, " HOG " }");
    RAN(&r, 1, 0, 10000, 50000, 60000, 100000, 110000, 150000, 160000);
    RAN(&r, 2, 10000, 30000, 110000, 130000);
    sim_run_end(&r);
}

static void sedf_preempts_for_an_earlier_deadline_and_keeps_the_rest_of_the_slice(void)
{
    /* 2 returns at 40 ms with the deadline 80, before that of 1, which has 30 of its 60 ms left. */
    struct sim_run r = sim_run("95", SEDF,
                               "{ 'id': 1, 'slice_ms': 60, 'period_ms': 100, " HOG " },"
                               "{ 'id': 2, 'slice_ms': 10, 'period_ms': 40, " HOG " }");
    RAN(&r, 2, 0, 10000, 40000, 50000, 80000, 90000);
    RAN(&r, 1, 10000, 40000, 50000, 80000);
    sim_run_end(&r);
}

static void sedf_gives_extra_time_to_those_that_take_it(void)
{
    struct sim_run r = sim_run("1000", SEDF,
                               "{ 'id': 1, 'slice_ms': 20, 'period_ms': 100, " HOG " },"
                               "{ 'id': 2, 'extratime': true, " HOG " }");
    WITHIN(sim_truth(&r, 1, "running_ns"), 199 * MS, 201 * MS);
    WITHIN(sim_truth(&r, 2, "running_ns"), 795 * MS, 801 * MS);
    sim_run_end(&r);
}

static void sedf_shares_extra_time_evenly(void)
{
    struct sim_run r = sim_run(
        "1000", SEDF, "{ 'id': 1, 'extratime': true, " HOG " }, { 'id': 2, 'extratime': true, " HOG " }");
    RAN(&r, 1, 0, 500, 1000, 1500, 2000, 2500);
    RAN(&r, 2, 500, 1000, 1500, 2000);
    sim_run_end(&r);
}

#define BLOCKER                                                                                              \
    "{ 'id': 1, 'slice_ms': 21, 'period_ms': 100, 'loads': [ { 'type': 'on_off', 'on_ms': 5, 'off_ms': 5 } " \
    "] }"

static void sedf_a_short_block_loses_the_slice(void)
{
    struct sim_run r = sim_run("250", SEDF, BLOCKER);
    RAN(&r, 1, 0, 5000, 100000, 105000, 200000, 205000);
    sim_run_end(&r);
}

static void sedf_a_short_block_keeps_the_slice_if_asked_for(void)
{
    struct sim_run r = sim_run("120", KEEP, BLOCKER);
    RAN(&r, 1, 0, 5000, 10000, 15000, 20000, 25000, 30000, 35000, 40000, 41000, 100000, 104000);
    sim_run_end(&r);
}

static void sedf_a_long_block_begins_a_period(void)
{
    /* It wakes at 135 ms, after its deadline of 100 ms: the next period begins then, and its deadline is 235 ms. */
    struct sim_run r =
        sim_run("260", SEDF,
                "{ 'id': 1, 'slice_ms': 9, 'period_ms': 100, 'loads': [ { 'type': 'on_off', 'on_ms': 8, "
                "'off_ms': 127 } ] }");
    RAN(&r, 1, 0, 8000, 135000, 143000);
    sim_run_end(&r);
}

/* ---- Credit ---- */

static void credit_gives_each_30_ms_in_turn(void)
{
    struct sim_run r =
        sim_run("150", ", 'scheduler': 'credit'", "{ 'id': 1, " HOG " }, { 'id': 2, " HOG " }");
    RAN(&r, 1, 0, 30000, 60000, 90000);
    RAN(&r, 2, 30000, 60000, 90000, 120000);
    sim_run_end(&r);
}

static void credit_boosts_a_vcpu_that_wakes_with_credits(void)
{
    /* The hog lost its own boost at the tick at 10 ms, so it is preempted at once at 11, 22 and 33 ms. */
    struct sim_run r = sim_run(
        "60", ", 'scheduler': 'credit'",
        "{ 'id': 1, 'loads': [ { 'type': 'on_off', 'on_ms': 1, 'off_ms': 10 } ] }, { 'id': 2, " HOG " }");
    RAN(&r, 1, 0, 1000, 11000, 12000, 22000, 23000, 33000, 34000);
    RAN(&r, 2, 1000, 11000, 12000, 22000, 23000, 33000);
    sim_run_end(&r);
}

static void credit_boosts_no_wake_if_told_so(void)
{
    /* The hog's time slices last to their ends, at 31 and 62 ms; 1 is next then. */
    struct sim_run r = sim_run("70", ", 'scheduler': 'credit'",
                               "{ 'id': 1, 'boost': 'never', 'loads': [ { 'type': 'on_off', 'on_ms': 1, "
                               "'off_ms': 10 } ] }, { 'id': 2, 'boost': 'never', " HOG " }");
    RAN(&r, 1, 0, 1000, 31000, 32000, 62000, 63000);
    sim_run_end(&r);
}

#define OVERDRAWN                                                                                            \
    "'id': 1, 'weight': 1, 'loads': [ { 'type': 'on_off', 'on_ms': 24, 'off_ms': 10 } ] }, { 'id': 2, " HOG  \
    " }"

static void credit_boosts_a_wake_without_credits_only_if_told_so(void)
{
    /* At 30 ms domain 1 has used 240 credits, and has earned 300 / 257. It wakes at 34 ms. */
    struct sim_run r = sim_run("80", ", 'scheduler': 'credit'", "{ " OVERDRAWN);
    RAN(&r, 1, 0, 24000);
    WITHIN(sim_truth(&r, 1, "running_ns"), 23990000, 24010000);
    sim_run_end(&r);
    r = sim_run("80", ", 'scheduler': 'credit'", "{ 'boost': 'always', " OVERDRAWN);
    RAN(&r, 1, 0, 24000, 34000, 58000);
    sim_run_end(&r);
}

static void credit_does_not_preempt_within_the_ratelimit(void)
{
    /* The wake at 11 ms finds a hog that has run for 10 of the 15 ms that it is granted. */
    struct sim_run r = sim_run(
        "40", ", 'scheduler': 'credit', 'ratelimit_ms': 15",
        "{ 'id': 1, 'loads': [ { 'type': 'on_off', 'on_ms': 1, 'off_ms': 10 } ] }, { 'id': 2, " HOG " }");
    RAN(&r, 1, 0, 1000, 16000, 17000);
    sim_run_end(&r);
}

static void a_yield_ends_an_execution(void)
{
    struct sim_run r =
        sim_run("80", ", 'scheduler': 'credit'",
                "{ 'id': 1, 'loads': [ { 'type': 'hog', 'yield_ms': 5 } ] }, { 'id': 2, " HOG " }");
    RAN(&r, 1, 0, 5000, 35000, 40000, 70000, 75000);
    RAN(&r, 2, 5000, 35000, 40000, 70000);
    sim_run_end(&r);
}

static void a_yield_alone_does_not(void)
{
    struct sim_run r =
        sim_run("30", ", 'scheduler': 'credit'",
                "{ 'id': 1, 'loads': [ { 'type': 'hog', 'yield_ms': 5, 'system_call_ms': 2 } ] }, "
                "{ 'id': 2, 'loads': [ { 'type': 'on_off', 'on_ms': 1, 'off_ms': 22 } ] }");
    RAN(&r, 1, 0, 5000, 6000, 28000);
    sim_run_end(&r);
}

static void credit_shares_by_weight(void)
{
    struct sim_run r = sim_run("9000", ", 'scheduler': 'credit'",
                               "{ 'id': 1, 'weight': 512, " HOG " }, { 'id': 2, 'weight': 256, " HOG " }");
    WITHIN(sim_truth(&r, 1, "running_ns"), (int64_t)5850 * MS, (int64_t)6150 * MS);
    sim_run_end(&r);
}

static void credit_pauses_a_capped_domain_though_the_pcpu_idles(void)
{
    struct sim_run r = sim_run("6000", ", 'scheduler': 'credit'", "{ 'id': 1, 'cap_pct': 20, " HOG " }");
    WITHIN(sim_truth(&r, 1, "running_ns"), (int64_t)1170 * MS, (int64_t)1230 * MS);
    WITHIN(sim_truth(&r, 1, "offline_ns"), (int64_t)4600 * MS, (int64_t)4830 * MS);
    sim_run_end(&r);
}

static void credit_a_domain_that_continues_precedes_one_without_credits(void)
{
    /*
     * A cap of 40 % is 120 credits in 30 ms. At 30 ms domain 1 has -300 + 120 and is paused, at 60 ms it has -60, at 90 ms 60: it
     * continues. Domain 2 ran since 30 ms. At 60 ms it had half of 300 + 180 credits, less the 300 that it had used: it is over
     * them and gives way at once, though its yields at 55 and 80 ms began new time slices.
     */
    struct sim_run r = sim_run("125", ", 'scheduler': 'credit'",
                               "{ 'id': 1, 'cap_pct': 40, " HOG " },"
                               "{ 'id': 2, 'loads': [ { 'type': 'hog', 'yield_ms': 25 } ] }");
    RAN(&r, 1, 0, 30000, 90000, 120000);
    RAN(&r, 2, 30000, 90000);
    sim_run_end(&r);
}

static void credit_what_a_capped_domain_may_not_use_others_get_by_weight(void)
{
    /* 10 % of 9 s, and what is left in halves, wherever the capped domain stands between the others. */
    struct sim_run r =
        sim_run("9000", ", 'scheduler': 'credit'",
                "{ 'id': 1, " HOG " }, { 'id': 2, 'cap_pct': 10, " HOG " }, { 'id': 3, " HOG " }");
    WITHIN(sim_truth(&r, 2, "running_ns"), (int64_t)840 * MS, (int64_t)960 * MS);
    WITHIN(sim_truth(&r, 1, "running_ns"), (int64_t)3960 * MS, (int64_t)4140 * MS);
    WITHIN(sim_truth(&r, 3, "running_ns"), (int64_t)3960 * MS, (int64_t)4140 * MS);
    sim_run_end(&r);
}

/* A cap of less than one credit in a time slice is one credit, 0.1 ms in 30 ms, and never no cap. */
static void credit_the_smallest_cap_is_a_cap(void)
{
    struct sim_run r = sim_run("6000", ", 'scheduler': 'credit'", "{ 'id': 1, 'cap_pct': 0.001, " HOG " }");
    WITHIN(sim_truth(&r, 1, "running_ns"), 0, (int64_t)60 * MS);
    sim_run_end(&r);
}

static void credit_without_a_cap_is_work_conserving(void)
{
    struct sim_run r = sim_run("3000", ", 'scheduler': 'credit'",
                               "{ 'id': 1, 'weight': 1, " HOG " }, { 'id': 2, 'weight': 65535 }");
    WITHIN(sim_truth(&r, 1, "running_ns"), (int64_t)2960 * MS, (int64_t)3000 * MS);
    sim_run_end(&r);
}

static void credit_steals_from_a_busy_pcpu(void)
{
    /* Two vCPUs begin on pCPU 0, which both may leave; a third is pinned there. */
    struct sim_run r = sim_run("3000", ", 'scheduler': 'credit', 'pcpus': 2",
                               "{ 'id': 1, 'pin': 0, " HOG " }, { 'id': 2 }, { 'id': 3, " HOG " }");
    WITHIN(sim_truth(&r, 1, "running_ns"), (int64_t)2930 * MS, (int64_t)3000 * MS);
    WITHIN(sim_truth(&r, 3, "running_ns"), (int64_t)2930 * MS, (int64_t)3000 * MS);
    sim_run_end(&r);
}

/* ---- Credit2 ---- */

static void credit2_runs_who_has_more_credit(void)
{
    /*
     * Both have 10 ms, so the first one is granted the ratelimit. Then 2 has more, and nobody waits yet when its time is computed
     * (the other one is queued when the switch is complete): it runs until its credit is used up. So does 1 with its 9 ms. At
     * 20 ms both have none and get 10 ms; 1 is granted the least time there is, 0.5 ms.
     */
    struct sim_run r = sim_run("34", "", "{ 'id': 1, " HOG " }, { 'id': 2, " HOG " }");
    RAN(&r, 1, 0, 1000, 11000, 20500);
    RAN(&r, 2, 1000, 11000, 20500, 30500);
    sim_run_end(&r);
}

static void credit2_burns_by_weight(void)
{
    struct sim_run r =
        sim_run("9000", "", "{ 'id': 1, 'weight': 512, " HOG " }, { 'id': 2, 'weight': 256, " HOG " }");
    WITHIN(sim_truth(&r, 1, "running_ns"), (int64_t)5940 * MS, (int64_t)6060 * MS);
    sim_run_end(&r);
}

static void credit2_a_cap_is_a_budget_per_10_ms(void)
{
    struct sim_run r = sim_run("35", "", "{ 'id': 1, 'cap_pct': 25, " HOG " }");
    RAN(&r, 1, 0, 2500, 10000, 12500, 20000, 22500, 30000, 32500);
    sim_run_end(&r);
}

static void credit2_a_vcpu_without_budget_is_offline(void)
{
    /* It is parked without a record, from 2.5 to 10 ms and so on; the last record is that of 32.5 ms. */
    struct sim_run r = sim_run("35", "", "{ 'id': 1, 'cap_pct': 25, " HOG " }");
    WITHIN(sim_truth(&r, 1, "offline_ns"), 22490000, 22510000);
    WITHIN(sim_truth(&r, 1, "runnable_ns"), 0, 10000);
    sim_run_end(&r);
}

static void credit2_budget_that_a_vcpu_leaves_others_of_the_domain_use(void)
{
    /*
     * Of 6 ms each vCPU takes 3. vCPU 1 sleeps at 1 ms and gives 2 back, which vCPU 0 takes at 3 ms. In the periods that follow
     * vCPU 0 takes 3 ms twice.
     */
    struct sim_run r = sim_run("30", ", 'pcpus': 2",
                               "{ 'id': 1, 'vcpus': 2, 'cap_pct': 60, 'loads': ["
                               " { 'type': 'on_off', 'vcpu': 0, 'on_ms': 900, 'off_ms': 1 },"
                               " { 'type': 'on_off', 'vcpu': 1, 'on_ms': 1, 'off_ms': 900 } ] }");
    RAN(&r, 1, 0, 5000, 10000, 16000, 20000, 26000);
    sim_run_end(&r);
}

static void credit2_a_wake_within_the_ratelimit_waits_for_the_next_decision(void)
{
    /*
     * 1 has the double weight, so 2 burns 2 ms of credit in 1 ms. At 1.7 ms 1 has 9.1 ms and 2 8.4, but 2 has run for less than
     * 0.95 ms: its pCPU is not even asked, and 2 goes on until its credit of 10 ms is used up, which takes 5 ms.
     */
    struct sim_run r =
        sim_run("9", "",
                "{ 'id': 1, 'weight': 512, 'loads': [ { 'type': 'on_off', 'on_us': 900, 'off_us': 800 } ] },"
                "{ 'id': 2, 'weight': 256, " HOG " }");
    RAN(&r, 1, 0, 900, 5900, 6800);
    sim_run_end(&r);
    /* At 2.1 ms it has run for 1.2 ms. */
    r = sim_run("9", "",
                "{ 'id': 1, 'weight': 512, 'loads': [ { 'type': 'on_off', 'on_us': 900, 'off_us': 1200 } ] },"
                "{ 'id': 2, 'weight': 256, " HOG " }");
    RAN(&r, 1, 0, 900, 2100, 3000);
    sim_run_end(&r);
}

static void credit2_a_reset_gives_everybody_the_same(void)
{
    /*
     * 2 runs for the ratelimit, 1 for its 10 ms, 2 for the rest of its burst. It sleeps from 14 to 26 ms. Meanwhile 1 gets
     * 10 ms twice, at 14 and at 24 ms, and so does 2, which may keep no more than 10.5 ms. So 2 has more than the 8 ms that 1 has
     * at 26 ms, and runs at once.
     */
    struct sim_run r = sim_run(
        "40", "",
        "{ 'id': 2, 'loads': [ { 'type': 'on_off', 'on_ms': 4, 'off_ms': 12 } ] }, { 'id': 1, " HOG " }");
    RAN(&r, 2, 0, 1000, 11000, 14000, 26000, 30000);
    RAN(&r, 1, 1000, 11000, 14000, 26000);
    sim_run_end(&r);
}

/* ---- RTDS ---- */

#define RTDS ", 'scheduler': 'rtds'"

static void rtds_runs_the_earliest_deadline_and_leaves_the_rest_idle(void)
{
    /* At 0 the deadlines are 10 and 20 ms, at 20 ms 30 and 40. 2 gives way at 10 ms with 4 of its 10 ms left. */
    struct sim_run r = sim_run("39", RTDS,
                               "{ 'id': 1, 'budget_ms': 4, 'period_ms': 10, " HOG " },"
                               "{ 'id': 2, 'budget_ms': 10, 'period_ms': 20, " HOG " }");
    RAN(&r, 1, 0, 4000, 10000, 14000, 20000, 24000, 30000, 34000);
    RAN(&r, 2, 4000, 10000, 14000, 18000, 24000, 30000);
    EQUAL(sim_truth(&r, 1, "offline_ns"), 0);
    sim_run_end(&r);
}

static void rtds_replenishes_the_budget_each_period(void)
{
    struct sim_run r = sim_run("35", RTDS, "{ 'id': 1, 'budget_ms': 3, 'period_ms': 10, " HOG " }");
    RAN(&r, 1, 0, 3000, 10000, 13000, 20000, 23000, 30000, 33000);
    sim_run_end(&r);
}

static void rtds_keeps_what_a_sleeper_has_left_until_its_period_ends(void)
{
    /* 2 of 3 ms are used when it sleeps at 2 ms; it wakes at 6 ms and has 1 ms; the rest of its burst comes in the next period. */
    struct sim_run r = sim_run("30", RTDS,
                               "{ 'id': 1, 'budget_ms': 3, 'period_ms': 10, 'loads': [ { 'type': 'on_off', "
                               "'on_ms': 2, 'off_ms': 4 } ] }");
    RAN(&r, 1, 0, 2000, 6000, 7000, 10000, 11000, 15000, 17000);
    sim_run_end(&r);
}

static void rtds_a_period_that_passed_in_sleep_is_replaced_in_step(void)
{
    /* It sleeps from 12 to 26 ms; the period of then began at 20 ms, and the next one begins at 30 ms. */
    struct sim_run r = sim_run("35", RTDS,
                               "{ 'id': 1, 'budget_ms': 3, 'period_ms': 10, 'loads': [ { 'type': 'on_off', "
                               "'on_ms': 5, 'off_ms': 14 } ] }");
    RAN(&r, 1, 0, 3000, 10000, 12000, 26000, 29000, 30000, 32000);
    sim_run_end(&r);
}

static void rtds_extra_time_does_not_delay_those_with_a_budget(void)
{
    struct sim_run r = sim_run("39", RTDS,
                               "{ 'id': 1, 'budget_ms': 4, 'period_ms': 10, " HOG " },"
                               "{ 'id': 2, 'budget_ms': 1, 'period_ms': 10, 'extratime': true, " HOG " }");
    RAN(&r, 1, 0, 4000, 10000, 14000, 20000, 24000);
    RAN(&r, 2, 4000, 10000, 14000, 20000, 24000, 30000);
    sim_run_end(&r);
}

static void rtds_a_yield_is_of_no_interest(void)
{
    struct sim_run r = sim_run("19", RTDS,
                               "{ 'id': 1, 'budget_ms': 4, 'period_ms': 10, 'loads': [ { 'type': 'hog', "
                               "'yield_ms': 1 } ] }, { 'id': 2, 'budget_ms': 4, 'period_ms': 10, " HOG " }");
    RAN(&r, 1, 0, 4000, 10000, 14000);
    RAN(&r, 2, 4000, 8000, 14000, 18000);
    sim_run_end(&r);
}

static void rtds_uses_all_pcpus_for_the_earliest_deadlines(void)
{
    struct sim_run r = sim_run("9", RTDS ", 'pcpus': 2",
                               "{ 'id': 1, 'budget_ms': 5, 'period_ms': 10, " HOG " },"
                               "{ 'id': 2, 'budget_ms': 6, 'period_ms': 11, " HOG " },"
                               "{ 'id': 3, 'budget_ms': 2, 'period_ms': 12, " HOG " }");
    RAN(&r, 1, 0, 5000);
    RAN(&r, 2, 0, 6000);
    RAN(&r, 3, 5000, 7000);
    sim_run_end(&r);
}

/* ---- Null ---- */

static void null_gives_each_vcpu_a_pcpu_and_lets_others_wait(void)
{
    struct sim_run r =
        sim_run("1000", ", 'scheduler': 'null', 'pcpus': 2",
                "{ 'id': 1, 'pin': 1, " HOG " }, { 'id': 2, 'loads': [ { 'type': 'on_off', 'on_ms': 2, "
                "'off_ms': 3 } ] }, { 'id': 3, " HOG " }");
    RAN(&r, 2, 0, 2000, 5000, 7000, 10000, 12000);
    WITHIN(sim_truth(&r, 1, "running_ns"), 990 * MS, 1000 * MS);
    EQUAL(sim_truth(&r, 3, "running_ns"), 0);
    WITHIN(sim_truth(&r, 3, "runnable_ns"), 990 * MS, 1000 * MS);
    sim_run_end(&r);
}

CU_TestInfo sim_schedulers_tests[] = {
    TEST(sedf_runs_the_earliest_deadline_first_and_idles_when_slices_are_used),
    TEST(sedf_preempts_for_an_earlier_deadline_and_keeps_the_rest_of_the_slice),
    TEST(sedf_gives_extra_time_to_those_that_take_it),
    TEST(sedf_shares_extra_time_evenly),
    TEST(sedf_a_short_block_loses_the_slice),
    TEST(sedf_a_short_block_keeps_the_slice_if_asked_for),
    TEST(sedf_a_long_block_begins_a_period),
    TEST(credit_gives_each_30_ms_in_turn),
    TEST(credit_boosts_a_vcpu_that_wakes_with_credits),
    TEST(credit_boosts_no_wake_if_told_so),
    TEST(credit_boosts_a_wake_without_credits_only_if_told_so),
    TEST(credit_does_not_preempt_within_the_ratelimit),
    TEST(a_yield_ends_an_execution),
    TEST(a_yield_alone_does_not),
    TEST(credit_shares_by_weight),
    TEST(credit_pauses_a_capped_domain_though_the_pcpu_idles),
    TEST(credit_a_domain_that_continues_precedes_one_without_credits),
    TEST(credit_what_a_capped_domain_may_not_use_others_get_by_weight),
    TEST(credit_the_smallest_cap_is_a_cap),
    TEST(credit_without_a_cap_is_work_conserving),
    TEST(credit_steals_from_a_busy_pcpu),
    TEST(credit2_runs_who_has_more_credit),
    TEST(credit2_burns_by_weight),
    TEST(credit2_a_cap_is_a_budget_per_10_ms),
    TEST(credit2_a_vcpu_without_budget_is_offline),
    TEST(credit2_budget_that_a_vcpu_leaves_others_of_the_domain_use),
    TEST(credit2_a_wake_within_the_ratelimit_waits_for_the_next_decision),
    TEST(credit2_a_reset_gives_everybody_the_same),
    TEST(rtds_runs_the_earliest_deadline_and_leaves_the_rest_idle),
    TEST(rtds_replenishes_the_budget_each_period),
    TEST(rtds_keeps_what_a_sleeper_has_left_until_its_period_ends),
    TEST(rtds_a_period_that_passed_in_sleep_is_replaced_in_step),
    TEST(rtds_extra_time_does_not_delay_those_with_a_budget),
    TEST(rtds_a_yield_is_of_no_interest),
    TEST(rtds_uses_all_pcpus_for_the_earliest_deadlines),
    TEST(null_gives_each_vcpu_a_pcpu_and_lets_others_wait),
    CU_TEST_INFO_NULL,
};
