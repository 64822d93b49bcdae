/* Where the time of a pCPU goes: vCPUs, idle, not known. */
#include "run_program.h"
#include "suites.h"

static void the_idle_domain_is_the_idle_time_of_its_pcpu(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 2);
    mark(&c, 0);
    starts(&c, 10 * MS, 1, 0);
    stops(&c, 25 * MS, 1, 0, BLOCKED);
    mark(&c, 40 * MS);
    struct result r = run(&c, (struct setup){.by = BY_PCPU, .granularities_ns = {20 * MS}});
    EQUAL(ROW(&r, .pcpu = 2)->state_ns[RUNSTATE_RUNNING], 15 * MS);
    EQUAL(ROW(&r, .pcpu = 2)->idle_ns, 25 * MS);
    EQUAL(ROW(&r, .pcpu = 2)->pcpu_unknown_ns, 0);
    EQUAL(ROW(&r, .every = 20 * MS, .at = 0, .pcpu = 2)->idle_ns, 10 * MS);
    EQUAL(ROW(&r, .every = 20 * MS, .at = 20 * MS, .pcpu = 2)->idle_ns, 15 * MS);
    EQUAL(r.rows_n, 3);
    result_free(&r);
    r = run(&c, (struct setup){.by = BY_VCPU});
    CHECK(!HAS_ROW(&r, .domain = IDLE, .vcpu = 2));
    EQUAL(r.domains, 1);
    EQUAL(r.vcpus, 1);
    result_free(&r);
    trace_bytes_free(&c);
}

static void a_pcpu_without_scheduler_records_is_unknown_not_idle(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    starts(&c, 10 * MS, 1, 0);
    on(&c, 1);
    for (uint64_t t = 0; t <= 40 * MS; t += 5 * MS)
        mark(&c, t);
    struct result r = run(&c, (struct setup){.by = BY_PCPU});
    EQUAL(ROW(&r, .pcpu = 1)->pcpu_unknown_ns, 40 * MS);
    EQUAL(ROW(&r, .pcpu = 1)->idle_ns, 0);
    EQUAL(ROW(&r, .pcpu = 1)->state_ns[RUNSTATE_RUNNING], 0);
    result_free(&r);
    trace_bytes_free(&c);
}

/* Xen switches at one instant: the few cycles between its two records belong to the vCPU that comes. */
static void no_time_falls_between_the_two_records_of_a_switch(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    rec_runstate(&c, 10 * MS, 1, 0, RUNNING, BLOCKED);
    rec_runstate(&c, 10 * MS + 400, 2, 0, RUNNABLE, RUNNING);
    mark(&c, 20 * MS);
    struct result r = run(&c, (struct setup){.by = BY_PCPU});
    EQUAL(ROW(&r, .pcpu = 0)->state_ns[RUNSTATE_RUNNING], 20 * MS);
    EQUAL(ROW(&r, .pcpu = 0)->pcpu_unknown_ns, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

/* The buffer was read between the two. */
static void no_time_falls_between_the_records_of_a_switch_in_two_windows(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    rec_runstate(&c, 10 * MS, 1, 0, RUNNING, BLOCKED);
    sweep(&c);
    rec_runstate(&c, 10 * MS + 400, 2, 0, RUNNABLE, RUNNING);
    mark(&c, 20 * MS);
    sweep(&c);
    mark(&c, 30 * MS);
    struct result r = run(&c, (struct setup){.by = BY_PCPU});
    EQUAL(ROW(&r, .pcpu = 0)->state_ns[RUNSTATE_RUNNING], 30 * MS);
    EQUAL(ROW(&r, .pcpu = 0)->pcpu_unknown_ns, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

static void two_vcpus_never_run_on_one_pcpu(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    starts(&c, 10 * MS, 1, 0);
    mark(&c, 20 * MS);
    rec_runstate(&c, 30 * MS, 2, 0, RUNNABLE, RUNNING); /* but 1 never stopped */
    mark(&c, 40 * MS);
    struct result r = run(&c, (struct setup){.by = BY_PCPU});
    EQUAL(ROW(&r, .pcpu = 0)->state_ns[RUNSTATE_RUNNING], 30 * MS);
    EQUAL(r.quality.inconsistent, 1);
    EQUAL(r.quality.inconsistent_at_ns, 30 * MS);
    result_free(&r);
    r = run(&c, (struct setup){.by = BY_VCPU});
    STATES(ROW(&r, .domain = 1), 20 * MS, 10 * MS, 0, 0, 10 * MS);
    STATES(ROW(&r, .domain = 2), 10 * MS, 30 * MS, 0, 0, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

/* With sched-gran=core a vCPU may go to running from any state, and from one pCPU to its sibling. */
static void unusual_transitions_are_accepted(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    rec_runstate(&c, 5 * MS, 1, 0, RUNNABLE, BLOCKED);
    rec_runstate(&c, 10 * MS, IDLE, 0, RUNNING, RUNNABLE);
    rec_runstate(&c, 10 * MS, 1, 0, BLOCKED, RUNNING);
    stops(&c, 15 * MS, 1, 0, RUNNABLE);
    rec_runstate(&c, 17 * MS, 1, 0, RUNNABLE, OFFLINE);
    rec_runstate(&c, 18 * MS, 1, 0, OFFLINE, BLOCKED);
    rec_runstate(&c, 19 * MS, 1, 0, BLOCKED, OFFLINE);
    mark(&c, 20 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    STATES(ROW(&r, .domain = 1), 5 * MS, 7 * MS, 6 * MS, 2 * MS, 0);
    EQUAL(ROW(&r, .domain = 1)->executions, 1);
    EQUAL(ROW(&r, .domain = 1)->wakes, 1);
    EQUAL(r.quality.inconsistent, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

CU_TestInfo pcpus_tests[] = {
    TEST(the_idle_domain_is_the_idle_time_of_its_pcpu),
    TEST(a_pcpu_without_scheduler_records_is_unknown_not_idle),
    TEST(no_time_falls_between_the_two_records_of_a_switch),
    TEST(no_time_falls_between_the_records_of_a_switch_in_two_windows),
    TEST(two_vcpus_never_run_on_one_pcpu),
    TEST(unusual_transitions_are_accepted),
    CU_TEST_INFO_NULL,
};
