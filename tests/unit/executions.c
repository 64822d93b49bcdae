/* Executions: counts, slices, and the row that each one makes. */
#include "run_program.h"
#include "suites.h"

static void executions_wakes_blocks_and_preemptions_are_counted(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    rec_runstate(&c, 1 * MS, 1, 0, BLOCKED, RUNNABLE); /* wake 1 */
    starts(&c, 2 * MS, 1, 0);                          /* execution 1 */
    stops(&c, 3 * MS, 1, 0, BLOCKED);                  /* block 1 */
    rec_runstate(&c, 4 * MS, 1, 0, BLOCKED, RUNNABLE); /* wake 2 */
    starts(&c, 5 * MS, 1, 0);                          /* execution 2 */
    replaces(&c, 6 * MS, 1, 0, RUNNABLE, 2, 0);        /* preemption 1 */
    replaces(&c, 7 * MS, 2, 0, RUNNABLE, 1, 0);        /* execution 3 */
    stops(&c, 9 * MS, 1, 0, OFFLINE);                  /* neither block nor preemption */
    mark(&c, 10 * MS);
    struct result r = run(&c, (struct setup){.by = BY_DOMAIN});
    const struct measures *m = ROW(&r, .domain = 1);
    EQUAL(m->executions, 3);
    EQUAL(m->wakes, 2);
    EQUAL(m->blocks, 1);
    EQUAL(m->preemptions, 1);
    EQUAL(m->yields, 0);
    EQUAL(m->migrations, 0);
    EQUAL(m->run.count, 3);
    EQUAL(m->run.sum, 4 * MS); /* 1 + 1 + 2 */
    EQUAL(m->block.count, 1);  /* the first blocking has no known beginning */
    EQUAL(m->block.sum, 1 * MS);
    EQUAL(ROW(&r, .domain = 2)->executions, 1);
    EQUAL(ROW(&r, .domain = 2)->preemptions, 1);
    result_free(&r);
    trace_bytes_free(&c);
}

static void a_yield_is_not_a_preemption(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    starts(&c, 1 * MS, 1, 0);
    rec_yield(&c, 5 * MS, 1, 0);
    replaces(&c, 5 * MS + 2 * US, 1, 0, RUNNABLE, 2, 0);
    replaces(&c, 6 * MS, 2, 0, RUNNABLE, 1, 0);
    mark(&c, 7 * MS);
    struct result r = run(&c, (struct setup){.by = BY_DOMAIN, .executions = true});
    EQUAL(ROW(&r, .domain = 1)->yields, 1);
    EQUAL(ROW(&r, .domain = 1)->preemptions, 0);
    EQUAL(ROW(&r, .domain = 2)->preemptions, 1);
    CHECK(r.executions_n == 3 && r.executions[0].end == EXECUTION_YIELDED);
    result_free(&r);
    trace_bytes_free(&c);
}

/* It ran since the trace began: only the vCPU that runs can yield. */
static void a_yield_is_no_preemption_either_if_it_is_the_first_record_of_its_vcpu(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    rec_yield(&c, 5 * MS, 1, 0);
    replaces(&c, 5 * MS + 2 * US, 1, 0, RUNNABLE, 2, 0);
    mark(&c, 7 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(ROW(&r, .domain = 1)->yields, 1);
    EQUAL(ROW(&r, .domain = 1)->preemptions, 0);
    STATES(ROW(&r, .domain = 1), 5 * MS + 2 * US, 2 * MS - 2 * US, 0, 0, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

/* Nobody else wanted the pCPU: Xen says so with CONTINUE_RUNNING, and the yield is over. */
static void a_yield_without_a_switch_does_not_excuse_a_later_preemption(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    starts(&c, 1 * MS, 1, 0);
    rec_yield(&c, 5 * MS, 1, 0);
    rec_continue(&c, 5 * MS + 2 * US, 1, 0);
    replaces(&c, 30 * MS, 1, 0, RUNNABLE, 2, 0);
    mark(&c, 40 * MS);
    struct result r = run(&c, (struct setup){.by = BY_DOMAIN});
    EQUAL(ROW(&r, .domain = 1)->yields, 1);
    EQUAL(ROW(&r, .domain = 1)->preemptions, 1);
    result_free(&r);
    trace_bytes_free(&c);
}

static void a_dispatch_on_another_pcpu_is_a_migration(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    for (unsigned p = 0; p < 3; p++) {
        on(&c, p);
        mark(&c, 0);
    }
    on(&c, 0);
    starts(&c, 1 * MS, 1, 0); /* the first: from where nobody knows */
    stops(&c, 2 * MS, 1, 0, RUNNABLE);
    starts(&c, 3 * MS, 1, 0); /* stays */
    stops(&c, 4 * MS, 1, 0, RUNNABLE);
    on(&c, 1);
    starts(&c, 5 * MS, 1, 0); /* 1 */
    stops(&c, 6 * MS, 1, 0, BLOCKED);
    on(&c, 2);
    rec_runstate(&c, 7 * MS, 1, 0, BLOCKED, RUNNABLE); /* woken from elsewhere: it does not move yet */
    on(&c, 1);
    starts(&c, 8 * MS, 1, 0);
    stops(&c, 9 * MS, 1, 0, RUNNABLE);
    on(&c, 0);
    starts(&c, 10 * MS, 1, 0); /* 2 */
    mark(&c, 11 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(ROW(&r, .domain = 1)->migrations, 2);
    EQUAL(ROW(&r, .domain = 1)->executions, 5);
    result_free(&r);
    trace_bytes_free(&c);
}

static void granted_slices_are_counted_and_unlimited_ones_are_no_sample(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    static const uint32_t slices[] = {30000000, 0xffffffff, 1000000, 5000000};
    for (unsigned i = 0; i < 4; i++) {
        uint64_t t = (i + 1) * 10 * MS;
        rec_infnext(&c, t, 1, 0, 0, slices[i]);
        starts(&c, t + 1 * US, 1, 0);
        rec_infcont(&c, t + 1 * MS, 1, 0, 1000000, 7000000); /* goes on: no new execution */
        rec_infnext(&c, t + 2 * MS, IDLE, 0, 0, 0xffffffff);
        stops(&c, t + 2 * MS + 1 * US, 1, 0, BLOCKED);
        rec_runstate(&c, t + 3 * MS, 1, 0, BLOCKED, RUNNABLE);
    }
    starts(&c, 50 * MS, 1, 0); /* no INFNEXT: no sample */
    mark(&c, 60 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU, .executions = true});
    const struct measures *m = ROW(&r, .domain = 1);
    EQUAL(m->executions, 5);
    EQUAL(m->allocated_slices, 3);
    EQUAL(m->allocated_ns, 36 * MS);
    EQUAL(m->allocated_min_ns, 1 * MS);
    EQUAL(m->allocated_max_ns, 30 * MS);
    EQUAL(r.executions_n, 5);
    for (size_t i = 0; i < r.executions_n && i < 4; i++)
        EQUAL(r.executions[i].allocated_ns, slices[i] == 0xffffffff ? NS_UNKNOWN : slices[i]);
    EQUAL(r.executions_n == 5 ? r.executions[4].allocated_ns : 0, NS_UNKNOWN);
    result_free(&r);
    trace_bytes_free(&c);
}

/* One execution that ends in the given way at 20 ms, after a dispatch at 10. */
static struct execution ended(void (*ends)(struct trace_bytes *), size_t expected)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    starts(&c, 10 * MS, 1, 0);
    ends(&c);
    mark(&c, 40 * MS);
    struct result r = run(&c, (struct setup){.executions = true});
    EQUAL(r.executions_n, expected);
    struct execution first = r.executions_n ? r.executions[0] : (struct execution){0};
    EQUAL(first.domain, 1);
    EQUAL(first.start_ns, 10 * MS);
    EQUAL(first.ran_ns, first.end_ns - first.start_ns);
    result_free(&r);
    trace_bytes_free(&c);
    return first;
}

static void by_blocking(struct trace_bytes *c)
{
    stops(c, 20 * MS, 1, 0, BLOCKED);
}

static void by_preemption(struct trace_bytes *c)
{
    stops(c, 20 * MS, 1, 0, RUNNABLE);
}

static void by_yielding(struct trace_bytes *c)
{
    rec_yield(c, 20 * MS, 1, 0);
    stops(c, 20 * MS, 1, 0, RUNNABLE);
}

static void by_sleeping(struct trace_bytes *c)
{
    rec_sleep(c, 20 * MS, 1, 0);
    stops(c, 20 * MS, 1, 0, OFFLINE);
}

static void by_going_offline(struct trace_bytes *c)
{
    stops(c, 20 * MS, 1, 0, OFFLINE);
}

static void by_losing_records(struct trace_bytes *c)
{
    rec_lost(c, 30 * MS, 100, IDLE, 0, 20 * MS);
}

static void by_destruction(struct trace_bytes *c)
{
    rec_dom_rem(c, 20 * MS, 1);
}

static void by_nothing(struct trace_bytes *c)
{
    (void)c;
}

static void an_execution_tells_how_it_ended(void)
{
    EQUAL(ended(by_blocking, 1).end, EXECUTION_BLOCKED);
    EQUAL(ended(by_preemption, 1).end, EXECUTION_PREEMPTED);
    EQUAL(ended(by_yielding, 1).end, EXECUTION_YIELDED);
    EQUAL(ended(by_sleeping, 1).end, EXECUTION_SLEPT);
    EQUAL(ended(by_going_offline, 1).end, EXECUTION_OFFLINE);
    EQUAL(ended(by_losing_records, 1).end, EXECUTION_LOST);
    EQUAL(ended(by_losing_records, 1).end_ns, 20 * MS);
    EQUAL(ended(by_destruction, 1).end, EXECUTION_OFFLINE);
    EQUAL(ended(by_nothing, 1).end, EXECUTION_TRACE_END);
    EQUAL(ended(by_nothing, 1).end_ns, 40 * MS);
}

static void an_execution_tells_what_came_before_it(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 2);
    mark(&c, 0);
    rec_runstate(&c, 10 * MS, 1, 0, BLOCKED, RUNNABLE);
    starts(&c, 12 * MS, 1, 0);
    stops(&c, 20 * MS, 1, 0, BLOCKED);
    rec_runstate(&c, 30 * MS, 1, 0, BLOCKED, RUNNABLE);
    starts(&c, 33 * MS, 1, 0);
    stops(&c, 40 * MS, 1, 0, RUNNABLE);
    starts(&c, 45 * MS, 1, 0);
    stops(&c, 46 * MS, 1, 0, BLOCKED);
    mark(&c, 50 * MS);
    struct result r = run(&c, (struct setup){.executions = true});
    EQUAL(r.executions_n, 3);
    if (r.executions_n == 3) {
        const struct execution *e = r.executions;
        EQUAL(e[0].blocked_before_ns, NS_UNKNOWN); /* since before the trace */
        EQUAL(e[0].waited_ns, 2 * MS);
        EQUAL(e[0].wait_kind, WAIT_WAKE);
        EQUAL(e[0].ran_ns, 8 * MS);
        EQUAL(e[0].pcpu, 2);
        EQUAL(e[0].life, 1);
        EQUAL(e[1].blocked_before_ns, 10 * MS);
        EQUAL(e[1].waited_ns, 3 * MS);
        EQUAL(e[1].ran_ns, 7 * MS);
        EQUAL(e[2].blocked_before_ns, 0);
        EQUAL(e[2].waited_ns, 5 * MS);
        EQUAL(e[2].wait_kind, WAIT_PREEMPT);
        EQUAL(e[2].ran_ns, 1 * MS);
    }
    result_free(&r);
    trace_bytes_free(&c);
}

static void the_idle_domain_makes_no_execution_rows(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    rec_runstate(&c, 1 * MS, IDLE, 0, RUNNING, RUNNABLE);
    rec_runstate(&c, 2 * MS, IDLE, 0, RUNNABLE, RUNNING);
    mark(&c, 3 * MS);
    struct result r = run(&c, (struct setup){.executions = true});
    EQUAL(r.executions_n, 0);
    EQUAL(r.rows_n, 0);
    EQUAL(r.domains, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

CU_TestInfo executions_tests[] = {
    TEST(executions_wakes_blocks_and_preemptions_are_counted),
    TEST(a_yield_is_not_a_preemption),
    TEST(a_yield_is_no_preemption_either_if_it_is_the_first_record_of_its_vcpu),
    TEST(a_yield_without_a_switch_does_not_excuse_a_later_preemption),
    TEST(a_dispatch_on_another_pcpu_is_a_migration),
    TEST(granted_slices_are_counted_and_unlimited_ones_are_no_sample),
    TEST(an_execution_tells_how_it_ended),
    TEST(an_execution_tells_what_came_before_it),
    TEST(the_idle_domain_makes_no_execution_rows),
    CU_TEST_INFO_NULL,
};
