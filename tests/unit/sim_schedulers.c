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

static void credit2_a_wake_resists_migration(void)
{
    /*
     * 1 runs on pCPU 0 for a while, then 2 has it (pinned); 3 has pCPU 1 (pinned) all the time, and has less credit than 2 by as
     * much. At 3 ms 1 wakes. After 0.3 ms it has 9.7 ms, 2 has 7.3 and 3 has 7.0: 3 is the one to preempt, but 1 ran on pCPU 0, and
     * for less than 0.5 ms more it does not move. After 0.7 ms 2 has 7.7, and 1 moves.
     */
#define RESISTS(ON, OFF)                                                                                     \
    "{ 'id': 1, 'loads': [ { 'type': 'on_off', 'on_us': " ON ", 'off_us': " OFF " } ] },"                    \
    "{ 'id': 2, 'pin': 0, " HOG " }, { 'id': 3, 'pin': 1, " HOG " }"
    struct sim_run r = sim_run("3.2", ", 'pcpus': 2", RESISTS("300", "2700"));
    RAN(&r, 1, 0, 300);
    RAN(&r, 2, 300, 3000);
    sim_run_end(&r);
    r = sim_run("3.2", ", 'pcpus': 2", RESISTS("700", "2300"));
    RAN(&r, 1, 0, 700);
    RAN(&r, 3, 0, 3000);
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
    TEST(credit2_runs_who_has_more_credit),
    TEST(credit2_burns_by_weight),
    TEST(credit2_a_cap_is_a_budget_per_10_ms),
    TEST(credit2_a_vcpu_without_budget_is_offline),
    TEST(credit2_budget_that_a_vcpu_leaves_others_of_the_domain_use),
    TEST(credit2_a_wake_within_the_ratelimit_waits_for_the_next_decision),
    TEST(credit2_a_reset_gives_everybody_the_same),
    TEST(credit2_a_wake_resists_migration),
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
