/* Where the time of a vCPU goes. */
#include "run_program.h"
#include "suites.h"

/* 0 (runnable before) -10- running -25- blocked -40- runnable -45- running -60- offline -70- runnable .. 80 */
static void all_states_of_one_vcpu(struct trace_bytes *c)
{
    on(c, 0);
    mark(c, 0);
    starts(c, 10 * MS, 1, 0);
    stops(c, 25 * MS, 1, 0, BLOCKED);
    rec_runstate(c, 40 * MS, 1, 0, BLOCKED, RUNNABLE);
    starts(c, 45 * MS, 1, 0);
    stops(c, 60 * MS, 1, 0, OFFLINE);
    rec_runstate(c, 70 * MS, 1, 0, OFFLINE, RUNNABLE);
    mark(c, 80 * MS);
}

static void each_runstate_gets_its_time(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    all_states_of_one_vcpu(&c);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    /* running 15 + 15, runnable 10 + 5 + 10, blocked 15, offline 10: 80 */
    STATES(ROW(&r, .domain = 1), 30 * MS, 25 * MS, 15 * MS, 10 * MS, 0);
    EQUAL(r.end_ns, 80 * MS);
    EQUAL(r.quality.inconsistent, 0);
    EQUAL(r.quality.unknown_ns, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

static void a_state_is_split_at_every_boundary_it_crosses(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    all_states_of_one_vcpu(&c);
    struct result r = run(&c, (struct setup){.by = BY_VCPU, .granularities_ns = {20 * MS}});
    STATES(ROW(&r, .every = 20 * MS, .at = 0, .domain = 1), 10 * MS, 10 * MS, 0, 0, 0);
    STATES(ROW(&r, .every = 20 * MS, .at = 20 * MS, .domain = 1), 5 * MS, 0, 15 * MS, 0, 0);
    STATES(ROW(&r, .every = 20 * MS, .at = 40 * MS, .domain = 1), 15 * MS, 5 * MS, 0, 0, 0);
    STATES(ROW(&r, .every = 20 * MS, .at = 60 * MS, .domain = 1), 0, 10 * MS, 0, 10 * MS, 0);
    EQUAL(r.intervals, 4 + 1);
    result_free(&r);
    trace_bytes_free(&c);
}

static void a_change_exactly_on_a_boundary_belongs_to_the_later_interval(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    starts(&c, 10 * MS, 1, 0);
    stops(&c, 20 * MS, 1, 0, BLOCKED);
    mark(&c, 30 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU, .granularities_ns = {10 * MS}});
    STATES(ROW(&r, .every = 10 * MS, .at = 0, .domain = 1), 0, 10 * MS, 0, 0, 0);
    STATES(ROW(&r, .every = 10 * MS, .at = 10 * MS, .domain = 1), 10 * MS, 0, 0, 0, 0);
    STATES(ROW(&r, .every = 10 * MS, .at = 20 * MS, .domain = 1), 0, 0, 10 * MS, 0, 0);
    EQUAL(ROW(&r, .every = 10 * MS, .at = 0, .domain = 1)->executions, 0);
    EQUAL(ROW(&r, .every = 10 * MS, .at = 10 * MS, .domain = 1)->executions, 1);
    EQUAL(ROW(&r, .every = 10 * MS, .at = 10 * MS, .domain = 1)->blocks, 0);
    EQUAL(ROW(&r, .every = 10 * MS, .at = 20 * MS, .domain = 1)->blocks, 1);
    EQUAL(r.intervals, 3 + 1); /* none of no length at the end */
    result_free(&r);
    trace_bytes_free(&c);
}

static void the_first_record_tells_the_state_back_to_the_start(void)
{
    static const struct {
        int old, new;
    } first[] = {{RUNNING, BLOCKED}, {RUNNABLE, RUNNING}, {BLOCKED, RUNNABLE}, {OFFLINE, RUNNABLE}};
    for (unsigned i = 0; i < 4; i++) {
        struct trace_bytes c;
        trace_bytes_init(&c);
        on(&c, 0);
        mark(&c, 0);
        rec_runstate(&c, 7 * MS, 1, 0, first[i].old, first[i].new);
        mark(&c, 10 * MS);
        struct result r = run(&c, (struct setup){.by = BY_VCPU});
        const struct measures *m = ROW(&r, .domain = 1);
        EQUAL(m->state_ns[first[i].old], 7 * MS);
        EQUAL(m->state_ns[first[i].new], 3 * MS);
        result_free(&r);
        trace_bytes_free(&c);
    }
}

static void the_last_record_tells_the_state_to_the_end(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    starts(&c, 1 * MS, 1, 0);
    stops(&c, 2 * MS, 1, 0, BLOCKED);
    on(&c, 1);
    mark(&c, 0);
    mark(&c, 50 * MS); /* another pCPU: the trace goes on */
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    STATES(ROW(&r, .domain = 1), 1 * MS, 1 * MS, 48 * MS, 0, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

static void a_vcpu_that_runs_at_the_start_is_no_execution_until_dispatched(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 3);
    mark(&c, 0);
    stops(&c, 6 * MS, 1, 2, RUNNABLE);
    starts(&c, 8 * MS, 1, 2);
    mark(&c, 9 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    const struct measures *m = ROW(&r, .domain = 1, .vcpu = 2);
    STATES(m, 7 * MS, 2 * MS, 0, 0, 0);
    EQUAL(m->executions, 1);
    EQUAL(m->preemptions, 1);
    EQUAL(m->run.count, 0); /* the first has no known beginning, the second no end */
    EQUAL(m->wait.count, 1);
    EQUAL(m->wait.max, 2 * MS);
    EQUAL(m->migrations, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

static void wake_wait_and_preempt_wait_are_told_apart(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    rec_runstate(&c, 10 * MS, 1, 0, BLOCKED, RUNNABLE);
    starts(&c, 13 * MS, 1, 0); /* wake wait 3 */
    stops(&c, 20 * MS, 1, 0, RUNNABLE);
    starts(&c, 27 * MS, 1, 0); /* preempt wait 7 */
    stops(&c, 30 * MS, 1, 0, OFFLINE);
    rec_runstate(&c, 35 * MS, 1, 0, OFFLINE, RUNNABLE);
    starts(&c, 36 * MS, 1, 0);                          /* after offline: wake wait 1 */
    rec_runstate(&c, 37 * MS, 1, 1, RUNNABLE, OFFLINE); /* since when, and why: nobody knows */
    mark(&c, 40 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    const struct measures *m = ROW(&r, .domain = 1);
    EQUAL(m->wake_wait_ns, 4 * MS);
    EQUAL(m->preempt_wait_ns, 7 * MS);
    EQUAL(m->state_ns[RUNSTATE_RUNNABLE], 11 * MS);
    EQUAL(m->wait.count, 3);
    EQUAL(m->wait.max, 7 * MS);
    EQUAL(m->wait.max_at, 27 * MS);
    m = ROW(&r, .domain = 1, .vcpu = 1);
    EQUAL(m->state_ns[RUNSTATE_RUNNABLE], 37 * MS);
    EQUAL(m->wake_wait_ns + m->preempt_wait_ns, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

static void a_wait_keeps_its_kind_across_a_boundary(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    rec_runstate(&c, 8 * MS, 1, 0, BLOCKED, RUNNABLE);
    starts(&c, 13 * MS, 1, 0);
    mark(&c, 20 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU, .granularities_ns = {10 * MS}});
    EQUAL(ROW(&r, .every = 10 * MS, .at = 0, .domain = 1)->wake_wait_ns, 2 * MS);
    EQUAL(ROW(&r, .every = 10 * MS, .at = 10 * MS, .domain = 1)->wake_wait_ns, 3 * MS);
    EQUAL(ROW(&r, .every = 10 * MS, .at = 0, .domain = 1)->wait.count, 0);
    EQUAL(ROW(&r, .every = 10 * MS, .at = 10 * MS, .domain = 1)->wait.max, 5 * MS);
    result_free(&r);
    trace_bytes_free(&c);
}

static void continue_running_alone_proves_that_a_vcpu_ran(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 1);
    mark(&c, 0);
    rec_continue(&c, 30 * MS, 4, 1);
    rec_continue(&c, 60 * MS, 4, 1);
    mark(&c, 90 * MS);
    on(&c, 0); /* somebody else, so that the trace has runstate changes */
    mark(&c, 0);
    starts(&c, 5 * MS, 1, 0);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    STATES(ROW(&r, .domain = 4, .vcpu = 1), 90 * MS, 0, 0, 0, 0);
    EQUAL(ROW(&r, .domain = 4, .vcpu = 1)->executions, 0);
    EQUAL(r.quality.inconsistent, 0);
    result_free(&r);
    r = run(&c, (struct setup){.by = BY_PCPU});
    STATES(ROW(&r, .pcpu = 1), 90 * MS, 0, 0, 0, 0);
    EQUAL(ROW(&r, .pcpu = 1)->pcpu_unknown_ns, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

static void records_without_a_tsc_take_the_time_of_the_record_before(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    starts(&c, 10 * MS, 1, 0);
    mark(&c, 16 * MS);
    record_untimed(&c, 0x00021001 | BLOCKED << 4, 1, (const uint32_t[]){1 << 16}); /* running to blocked */
    rec_wrap(&c, 6);
    mark(&c, 20 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    STATES(ROW(&r, .domain = 1), 6 * MS, 10 * MS, 4 * MS, 0, 0);
    EQUAL(r.quality.skipped_bytes, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

static void impossible_vcpus_are_counted_and_ignored(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    rec_runstate(&c, 1 * MS, 0x7ff0, 0, BLOCKED, RUNNABLE); /* DOMID_SELF: no domain of its own */
    rec_runstate(&c, 1 * MS, 1, 8192, BLOCKED, RUNNABLE);   /* more vCPUs than Xen has */
    rec_runstate(&c, 2 * MS, 0x7fef, 8191, BLOCKED, RUNNABLE);
    mark(&c, 3 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(r.quality.ignored_records, 2);
    EQUAL(r.rows_n, 1);
    STATES(ROW(&r, .domain = 0x7fef, .vcpu = 8191), 0, 1 * MS, 2 * MS, 0, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

CU_TestInfo states_tests[] = {
    TEST(each_runstate_gets_its_time),
    TEST(a_state_is_split_at_every_boundary_it_crosses),
    TEST(a_change_exactly_on_a_boundary_belongs_to_the_later_interval),
    TEST(the_first_record_tells_the_state_back_to_the_start),
    TEST(the_last_record_tells_the_state_to_the_end),
    TEST(a_vcpu_that_runs_at_the_start_is_no_execution_until_dispatched),
    TEST(wake_wait_and_preempt_wait_are_told_apart),
    TEST(a_wait_keeps_its_kind_across_a_boundary),
    TEST(continue_running_alone_proves_that_a_vcpu_ran),
    TEST(records_without_a_tsc_take_the_time_of_the_record_before),
    TEST(impossible_vcpus_are_counted_and_ignored),
    CU_TEST_INFO_NULL,
};
