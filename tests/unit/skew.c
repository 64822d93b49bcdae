/* Clocks of pCPUs that differ: two records of one vCPU may change places. */
#include "run_program.h"
#include "suites.h"

static void a_wake_that_follows_its_dispatch_is_skew(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0); /* its clock is 10 us ahead */
    mark(&c, 0);
    rec_runstate(&c, 10 * MS + 10 * US, 1, 0, BLOCKED, RUNNABLE);
    mark(&c, 30 * MS);
    on(&c, 1);
    mark(&c, 0);
    stops(&c, 5 * MS, 1, 0, BLOCKED);
    starts(&c, 10 * MS, 1, 0);
    stops(&c, 20 * MS, 1, 0, BLOCKED);
    mark(&c, 30 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    const struct measures *m = ROW(&r, .domain = 1);
    EQUAL(r.quality.skew_max_ns, 10 * US);
    EQUAL(r.quality.inconsistent, 0);
    STATES(m, 15 * MS, 0, 15 * MS, 0, 0);
    EQUAL(m->executions, 1);
    EQUAL(m->blocks, 2);
    result_free(&r);
    trace_bytes_free(&c);
}

/* The wake did happen, however its time stamp lies. */
static void a_wake_that_follows_its_dispatch_still_counts(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    rec_runstate(&c, 10 * MS + 10 * US, 1, 0, BLOCKED, RUNNABLE);
    on(&c, 1);
    mark(&c, 0);
    stops(&c, 5 * MS, 1, 0, BLOCKED);
    starts(&c, 10 * MS, 1, 0);
    mark(&c, 30 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(ROW(&r, .domain = 1)->wakes, 1);
    result_free(&r);
    trace_bytes_free(&c);
}

static void a_wake_that_precedes_its_block_is_skew(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0); /* its clock is behind */
    mark(&c, 0);
    rec_runstate(&c, 10 * MS - 3 * US, 1, 0, BLOCKED, RUNNABLE);
    mark(&c, 30 * MS);
    on(&c, 1);
    mark(&c, 0);
    starts(&c, 1 * MS, 1, 0);
    stops(&c, 10 * MS, 1, 0, BLOCKED);
    starts(&c, 10 * MS + 20 * US, 1, 0);
    mark(&c, 30 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    const struct measures *m = ROW(&r, .domain = 1);
    EQUAL(r.quality.skew_max_ns, 3 * US);
    EQUAL(r.quality.inconsistent, 0);
    CHECK(m->state_ns[RUNSTATE_RUNNING] >= (int64_t)(29 * MS - 30 * US));
    EQUAL(m->executions, 2);
    result_free(&r);
    trace_bytes_free(&c);
}

static void a_preemption_that_follows_the_dispatch_elsewhere_is_skew(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0); /* its clock is 7 us ahead */
    mark(&c, 0);
    starts(&c, 1 * MS, 1, 0);
    stops(&c, 10 * MS + 7 * US, 1, 0, RUNNABLE);
    mark(&c, 30 * MS);
    on(&c, 1);
    mark(&c, 0);
    starts(&c, 10 * MS, 1, 0);
    mark(&c, 30 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(r.quality.skew_max_ns, 7 * US);
    EQUAL(r.quality.inconsistent, 0);
    STATES(ROW(&r, .domain = 1), 29 * MS, 1 * MS, 0, 0, 0);
    EQUAL(ROW(&r, .domain = 1)->executions, 2);
    EQUAL(ROW(&r, .domain = 1)->migrations, 1);
    result_free(&r);
    r = run(&c, (struct setup){.by = BY_PCPU});
    EQUAL(ROW(&r, .pcpu = 0)->state_ns[RUNSTATE_RUNNING], 9 * MS);
    EQUAL(ROW(&r, .pcpu = 1)->state_ns[RUNSTATE_RUNNING], 20 * MS);
    result_free(&r);
    trace_bytes_free(&c);
}

/* It blocks on pCPU 0, whose clock is 10 us ahead, is woken there 2 us later and dispatched on pCPU 1 another 2 us later. */
static void a_block_and_a_wake_may_both_follow_the_dispatch(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    starts(&c, 1 * MS + 10 * US, 1, 0);
    stops(&c, 10 * MS + 10 * US, 1, 0, BLOCKED);
    rec_runstate(&c, 10 * MS + 12 * US, 1, 0, BLOCKED, RUNNABLE);
    mark(&c, 30 * MS);
    on(&c, 1);
    mark(&c, 0);
    starts(&c, 10 * MS + 4 * US, 1, 0);
    stops(&c, 20 * MS, 1, 0, BLOCKED);
    mark(&c, 30 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    const struct measures *m = ROW(&r, .domain = 1);
    EQUAL(r.quality.skew_max_ns, 8 * US);
    EQUAL(r.quality.inconsistent, 0);
    STATES(m, 19 * MS - 10 * US, 1 * MS + 10 * US, 10 * MS, 0, 0);
    EQUAL(m->executions, 2);
    EQUAL(m->blocks, 2);
    EQUAL(m->wakes, 1);
    EQUAL(m->migrations, 1);
    result_free(&r);
    trace_bytes_free(&c);
}

/* The same without the wake: nothing leads from the block to the dispatch. */
static void a_late_block_alone_explains_no_dispatch(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    starts(&c, 1 * MS + 10 * US, 1, 0);
    stops(&c, 10 * MS + 10 * US, 1, 0, BLOCKED);
    mark(&c, 30 * MS);
    on(&c, 1);
    mark(&c, 0);
    starts(&c, 10 * MS + 4 * US, 1, 0);
    stops(&c, 20 * MS, 1, 0, BLOCKED);
    mark(&c, 30 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(r.quality.inconsistent, 1);
    EQUAL(r.quality.skew_max_ns, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

static void a_real_contradiction_is_not_taken_for_skew(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    on(&c, 1);
    mark(&c, 0);
    stops(&c, 5 * MS, 1, 0, BLOCKED);
    starts(&c, 10 * MS, 1, 0); /* 1: nobody woke it */
    stops(&c, 20 * MS, 1, 0, BLOCKED);
    on(&c, 0);
    rec_runstate(&c, 25 * MS, 1, 0, BLOCKED, RUNNABLE); /* belongs to the next dispatch */
    on(&c, 1);
    starts(&c, 26 * MS, 1, 0);
    mark(&c, 30 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(r.quality.inconsistent, 1);
    EQUAL(r.quality.skew_max_ns, 0);
    STATES(ROW(&r, .domain = 1), 19 * MS, 1 * MS, 10 * MS, 0, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

/* The first record of all of a vCPU is a dispatch whose wake comes later: before, it was blocked, not runnable. */
static void a_wake_that_follows_the_first_dispatch_mends_the_time_before(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    rec_runstate(&c, 10 * MS + 10 * US, 1, 0, BLOCKED, RUNNABLE);
    mark(&c, 30 * MS);
    on(&c, 1);
    mark(&c, 0);
    starts(&c, 10 * MS, 1, 0);
    stops(&c, 20 * MS, 1, 0, BLOCKED);
    mark(&c, 30 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    const struct measures *m = ROW(&r, .domain = 1);
    EQUAL(r.quality.skew_max_ns, 10 * US);
    EQUAL(r.quality.inconsistent, 0);
    STATES(m, 10 * MS, 1, 20 * MS - 1, 0, 0);
    EQUAL(m->wakes, 1);
    result_free(&r);
    trace_bytes_free(&c);
}

/* Its run is over when the wake's record comes: that one would fit, but belongs before it. */
static void a_wake_that_follows_a_whole_run_is_skew(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    rec_runstate(&c, 10 * MS + 10 * US, 1, 0, BLOCKED, RUNNABLE);
    rec_runstate(&c, 20 * MS, 1, 0, BLOCKED, RUNNABLE);
    mark(&c, 30 * MS);
    on(&c, 1);
    mark(&c, 0);
    stops(&c, 5 * MS, 1, 0, BLOCKED);
    starts(&c, 10 * MS, 1, 0);
    stops(&c, 10 * MS + 5 * US, 1, 0, BLOCKED);
    starts(&c, 21 * MS, 1, 0);
    mark(&c, 30 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    const struct measures *m = ROW(&r, .domain = 1);
    EQUAL(r.quality.skew_max_ns, 10 * US);
    EQUAL(r.quality.inconsistent, 0);
    STATES(m, 14 * MS + 5 * US, 1 * MS, 15 * MS - 5 * US, 0, 0);
    EQUAL(m->wakes, 2);
    result_free(&r);
    trace_bytes_free(&c);
}

/* A wake is the first record of a vCPU, and the end of the run before it comes later: that run has no pCPU to be counted on. */
static void a_run_before_a_first_wake_is_no_time_without_a_pcpu(void)
{
    int64_t running[2] = {0};
    for (int by_pcpu = 0; by_pcpu < 2; by_pcpu++) {
        struct trace_bytes c;
        trace_bytes_init(&c);
        on(&c, 0);
        mark(&c, 0);
        rec_runstate(&c, 5 * MS, 1, 0, BLOCKED, RUNNABLE);
        mark(&c, 10 * MS);
        on(&c, 1);
        mark(&c, 0);
        rec_runstate(&c, 5 * MS + 14 * US, 1, 0, RUNNING, BLOCKED);
        mark(&c, 10 * MS);
        sweep(&c);
        struct result r = run(&c, (struct setup){.by = by_pcpu ? BY_PCPU : BY_VCPU});
        CHECK(r.quality.skew_max_ns == 14 * US);
        if (by_pcpu)
            running[1] = ROW(&r, .pcpu = 0)->state_ns[RUNSTATE_RUNNING] +
                         ROW(&r, .pcpu = 1)->state_ns[RUNSTATE_RUNNING];
        else
            running[0] = ROW(&r, .domain = 1)->state_ns[RUNSTATE_RUNNING];
        result_free(&r);
        trace_bytes_free(&c);
    }
    EQUAL(running[0], running[1]);
}

/* It seems to have waited for 10 ms: as it did not, whoever sleeps for 9 ms between two losses does not wait, either. */
static void a_wake_that_follows_its_dispatch_ends_no_wait(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    stops(&c, 1 * MS, 2, 0, BLOCKED);
    rec_runstate(&c, 10 * MS + 10 * US, 1, 0, BLOCKED, RUNNABLE);
    rec_runstate(&c, 30 * MS, 2, 0, BLOCKED, RUNNABLE);
    mark(&c, 40 * MS);
    on(&c, 1);
    mark(&c, 0);
    starts(&c, 10 * MS, 1, 0);
    stops(&c, 11 * MS, 1, 0, BLOCKED);
    rec_lost(&c, 16 * MS, 500, IDLE, 1, 15 * MS);
    rec_lost(&c, 26 * MS, 500, IDLE, 1, 25 * MS);
    mark(&c, 40 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(r.quality.skew_max_ns, 10 * US);
    EQUAL(ROW(&r, .domain = 2)->doubtful_ns, 2 * MS);
    result_free(&r);
    trace_bytes_free(&c);
}

/* It waited across lost records, ran, and slept for a moment: the wake is of that sleep, not of one before the run. */
static void a_wake_that_precedes_its_block_leaves_the_wait_before_as_it_is(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0); /* its clock is behind */
    mark(&c, 0);
    rec_runstate(&c, 10 * MS + 17 * US, 1, 0, BLOCKED, RUNNABLE);
    mark(&c, 30 * MS);
    on(&c, 1);
    mark(&c, 0);
    starts(&c, 1 * MS, 1, 0);
    stops(&c, 2 * MS, 1, 0, RUNNABLE);
    starts(&c, 10 * MS, 1, 0);
    stops(&c, 10 * MS + 20 * US, 1, 0, BLOCKED);
    starts(&c, 12 * MS, 1, 0);
    mark(&c, 30 * MS);
    on(&c, 2);
    mark(&c, 0);
    rec_lost(&c, 5 * MS, 500, IDLE, 2, 4 * MS);
    mark(&c, 30 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    const struct measures *m = ROW(&r, .domain = 1);
    EQUAL(r.quality.inconsistent, 0);
    STATES(m, 19 * MS + 20 * US, 1 * MS + 7 * MS + 1980 * US, 0, 0, 1 * MS);
    EQUAL(m->wakes, 1);
    result_free(&r);
    trace_bytes_free(&c);
}

CU_TestInfo skew_tests[] = {
    TEST(a_wake_that_follows_its_dispatch_is_skew),
    TEST(a_wake_that_follows_its_dispatch_still_counts),
    TEST(a_wake_that_follows_its_dispatch_ends_no_wait),
    TEST(a_wake_that_precedes_its_block_is_skew),
    TEST(a_wake_that_precedes_its_block_leaves_the_wait_before_as_it_is),
    TEST(a_preemption_that_follows_the_dispatch_elsewhere_is_skew),
    TEST(a_wake_that_follows_the_first_dispatch_mends_the_time_before),
    TEST(a_wake_that_follows_a_whole_run_is_skew),
    TEST(a_run_before_a_first_wake_is_no_time_without_a_pcpu),
    TEST(a_block_and_a_wake_may_both_follow_the_dispatch),
    TEST(a_late_block_alone_explains_no_dispatch),
    TEST(a_real_contradiction_is_not_taken_for_skew),
    CU_TEST_INFO_NULL,
};
