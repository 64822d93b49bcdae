/*
 * What the simulated host's truth counts of a vCPU, against schedules that were worked out by hand; sim_schedulers.c has the
 * same ones with the times at which they run.
 */
#include "sim_run.h"
#include "suites.h"

#define HOG    "'loads': [ { 'type': 'hog' } ]"
#define CREDIT ", 'scheduler': 'credit'"
#define MS     1000000

/* Give or take what records take. */
#define ABOUT_MS(value, ms) WITHIN(value, (int64_t)(ms)*MS - MS / 20, (int64_t)(ms)*MS + MS / 20)

static void a_vcpu_that_wakes_preempts_one_that_does_not_sleep(void)
{
    /* 1 runs at 0, 11, 22 and 33 ms for 1 ms each; the hog has the rest, and waits for 1 first. */
    struct sim_run r = sim_run(
        "40", CREDIT,
        "{ 'id': 1, 'loads': [ { 'type': 'on_off', 'on_ms': 1, 'off_ms': 10 } ] }, { 'id': 2, " HOG " }");
    EQUAL(sim_truth(&r, 1, "executions"), 4);
    EQUAL(sim_truth(&r, 1, "wakes"), 4);
    EQUAL(sim_truth(&r, 1, "blocks"), 4);
    EQUAL(sim_truth(&r, 1, "preemptions"), 0);
    EQUAL(sim_truth(&r, 2, "executions"), 4);
    EQUAL(sim_truth(&r, 2, "wakes"), 1);
    EQUAL(sim_truth(&r, 2, "blocks"), 0);
    EQUAL(sim_truth(&r, 2, "preemptions"), 3);
    EQUAL(sim_truth(&r, 2, "yields"), 0);
    ABOUT_MS(sim_truth(&r, 2, "wake_wait_ns"), 1);
    ABOUT_MS(sim_truth(&r, 2, "preempt_wait_ns"), 3);
    sim_run_end(&r);
}

static void who_yields_is_not_preempted(void)
{
    /* 1 runs from 0, 35 and 70 ms for 5 ms each; 2 loses the pCPU at the ends of its time slices, 35 and 70 ms. */
    struct sim_run r = sim_run(
        "76", CREDIT, "{ 'id': 1, 'loads': [ { 'type': 'hog', 'yield_ms': 5 } ] }, { 'id': 2, " HOG " }");
    EQUAL(sim_truth(&r, 1, "executions"), 3);
    EQUAL(sim_truth(&r, 1, "yields"), 3);
    EQUAL(sim_truth(&r, 1, "preemptions"), 0);
    EQUAL(sim_truth(&r, 2, "executions"), 3);
    EQUAL(sim_truth(&r, 2, "preemptions"), 2);
    ABOUT_MS(sim_truth(&r, 1, "preempt_wait_ns"), 60);
    ABOUT_MS(sim_truth(&r, 2, "wake_wait_ns"), 5);
    ABOUT_MS(sim_truth(&r, 2, "preempt_wait_ns"), 10);
    sim_run_end(&r);
}

static void a_yield_counts_if_nobody_takes_the_pcpu(void)
{
    /* 1 yields each 5 ms of running: at 5 ms for 2, then at 11, 16, 21 and 26 ms for nobody; at 28 ms 2 preempts it for 1 ms. */
    struct sim_run r = sim_run("30", CREDIT,
                               "{ 'id': 1, 'loads': [ { 'type': 'hog', 'yield_ms': 5 } ] }, "
                               "{ 'id': 2, 'loads': [ { 'type': 'on_off', 'on_ms': 1, 'off_ms': 22 } ] }");
    EQUAL(sim_truth(&r, 1, "yields"), 5);
    EQUAL(sim_truth(&r, 1, "executions"), 3);
    EQUAL(sim_truth(&r, 1, "preemptions"), 1);
    EQUAL(sim_truth(&r, 2, "executions"), 2);
    sim_run_end(&r);
}

static void the_first_pcpu_of_a_vcpu_is_no_migration(void)
{
    /* 3 has pCPU 0 until 1, which may run nowhere else and is due earlier, takes it at 13 ms; it goes on on pCPU 1. */
    struct sim_run r =
        sim_run("60", ", 'scheduler': 'rtds', 'pcpus': 2",
                "{ 'id': 3, 'budget_ms': 90, 'period_ms': 100, " HOG " },"
                "{ 'id': 1, 'pin': 0, 'created_ms': 10, 'budget_ms': 9, 'period_ms': 10, " HOG " }");
    EQUAL(sim_truth(&r, 3, "executions"), 2);
    EQUAL(sim_truth(&r, 3, "preemptions"), 1);
    EQUAL(sim_truth(&r, 3, "migrations"), 1);
    EQUAL(sim_truth(&r, 1, "migrations"), 0);
    EQUAL(sim_truth(&r, 1, "wakes"), 0); /* a new domain's vCPU was offline, not blocked */
    sim_run_end(&r);
}

CU_TestInfo sim_counts_tests[] = {
    TEST(a_vcpu_that_wakes_preempts_one_that_does_not_sleep),
    TEST(who_yields_is_not_preempted),
    TEST(a_yield_counts_if_nobody_takes_the_pcpu),
    TEST(the_first_pcpu_of_a_vcpu_is_no_migration),
    CU_TEST_INFO_NULL,
};
