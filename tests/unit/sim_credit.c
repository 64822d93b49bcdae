/* The simulated Credit scheduler against schedules that were worked out by hand from its rules; see sim_schedulers.c. */
#include "sim_run.h"
#include "suites.h"

#define HOG "'loads': [ { 'type': 'hog' } ]"
#define MS  1000000

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

#define ACCOUNT_START 0x00022002 /* Xen's TRC_CSCHED_ACCOUNT_START and ACCOUNT_STOP */
#define ACCOUNT_STOP  0x00022003

static void credit_above_the_maximum_a_vcpu_stops_earning_and_loses_half(void)
{
    /*
     * Alone, with 22 of every 30 ms, it earns 300 credits in 30 ms and burns 220. After 30, 60, 90 and 120 ms it has 80, 160, 240 and
     * 320: more than the 300 of a time slice. It stops and keeps 160. The next tick finds it running, and it earns again: 240 at
     * 150 ms, 320 at 180 ms. Had it kept them all, it would stop every 30 ms from then on; had it lost them all, at 240 ms.
     */
    struct sim_run r = sim_run("250", ", 'scheduler': 'credit'",
                               "{ 'id': 1, 'loads': [ { 'type': 'on_off', 'on_ms': 22, 'off_ms': 8 } ] }");
    RECORDED(&r, ACCOUNT_STOP, 120000, 180000, 240000);
    RECORDED(&r, ACCOUNT_START, 10000, 130000, 190000);
    sim_run_end(&r);
}

static void credit_a_vcpu_that_no_tick_finds_running_earns_nothing(void)
{
    /*
     * 1 gets the pCPU at 30 ms and wakes each 10 ms from then on, after the tick, so that no tick finds it: it never begins to earn.
     * 2 gets all 300 credits of each 30 ms, and burns 300 up to 30 ms, and 255 in every 30 ms from then on, in which 1 runs three times
     * for 1.5 ms. So 2 has 45 more each time: 270 at 210 ms, 315 at 240 ms, when it stops until the next tick. Were they two that earn,
     * it would have 150 each time, and never so many.
     */
    struct sim_run r =
        sim_run("259", ", 'scheduler': 'credit'",
                "{ 'id': 2, " HOG " }, { 'id': 1, 'loads': [ { 'type': 'on_off', 'on_us': 1500, "
                "'off_us': 8500 } ] }");
    RECORDED(&r, ACCOUNT_START, 10000, 250000);
    RECORDED(&r, ACCOUNT_STOP, 240000);
    sim_run_end(&r);
}

CU_TestInfo sim_credit_tests[] = {
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
    TEST(credit_above_the_maximum_a_vcpu_stops_earning_and_loses_half),
    TEST(credit_a_vcpu_that_no_tick_finds_running_earns_nothing),
    CU_TEST_INFO_NULL,
};
