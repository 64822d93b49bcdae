/* Traces whose mask left the runstate changes out: states from switches, wakes, blocks and sleeps. */
#include "run_program.h"
#include "suites.h"

static void switch_records_alone_tell_running_from_not_running(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    rec_switch(&c, 10 * MS, IDLE, 0, 1, 0);
    rec_switch(&c, 20 * MS, 1, 0, 2, 1);
    rec_switch(&c, 35 * MS, 2, 1, IDLE, 0);
    mark(&c, 40 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    CHECK(!r.summary.has_runstates);
    STATES(ROW(&r, .domain = 1), 10 * MS, 30 * MS, 0, 0, 0);
    STATES(ROW(&r, .domain = 2, .vcpu = 1), 15 * MS, 25 * MS, 0, 0, 0);
    EQUAL(ROW(&r, .domain = 1)->executions, 1);
    EQUAL(r.quality.inconsistent, 0);
    result_free(&r);
    r = run(&c, (struct setup){.by = BY_PCPU});
    EQUAL(ROW(&r, .pcpu = 0)->state_ns[RUNSTATE_RUNNING], 25 * MS);
    EQUAL(ROW(&r, .pcpu = 0)->idle_ns, 15 * MS);
    EQUAL(ROW(&r, .pcpu = 0)->pcpu_unknown_ns, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

/* What Xen writes at a context switch: up to three records, a little apart. */
static void context_switch(struct trace_bytes *c, uint64_t t, bool with_switch, uint32_t dom, uint32_t next,
                           uint32_t slice)
{
    rec_infprev(c, t, dom, 0, 1000);
    rec_infnext(c, t + 300, next, 0, 0, slice);
    if (with_switch)
        rec_switch(c, t + 500, dom, 0, next, 0);
}

static void infprev_and_infnext_are_one_instant(void)
{
    for (int with_switch = 0; with_switch < 2; with_switch++) {
        struct trace_bytes c;
        trace_bytes_init(&c);
        on(&c, 0);
        mark(&c, 0);
        context_switch(&c, 10 * MS, with_switch, IDLE, 1, 30000000);
        context_switch(&c, 20 * MS, with_switch, 1, 2, 0xffffffff);
        context_switch(&c, 35 * MS, with_switch, 2, IDLE, 0xffffffff);
        mark(&c, 40 * MS);
        struct result r = run(&c, (struct setup){.by = BY_VCPU});
        STATES(ROW(&r, .domain = 1), 10 * MS, 30 * MS, 0, 0, 0);
        STATES(ROW(&r, .domain = 2), 15 * MS, 25 * MS, 0, 0, 0);
        EQUAL(ROW(&r, .domain = 1)->executions, 1);
        EQUAL(ROW(&r, .domain = 1)->preemptions, 1);
        EQUAL(ROW(&r, .domain = 1)->allocated_slices, 1);
        EQUAL(ROW(&r, .domain = 1)->allocated_ns, 30 * MS);
        EQUAL(ROW(&r, .domain = 2)->allocated_slices, 0);
        EQUAL(r.quality.inconsistent, 0);
        result_free(&r);
        r = run(&c, (struct setup){.by = BY_PCPU});
        EQUAL(ROW(&r, .pcpu = 0)->pcpu_unknown_ns, 0);
        EQUAL(ROW(&r, .pcpu = 0)->idle_ns, 15 * MS);
        result_free(&r);
        trace_bytes_free(&c);
    }
}

/* The first record of a vCPU is a wake at 5 ms; at 10 ms it is switched in, having waited for so long. */
static struct result woken_first(struct trace_bytes *c, uint32_t waited_ns)
{
    trace_bytes_init(c);
    on(c, 0);
    mark(c, 0);
    rec_wake(c, 5 * MS, 1, 0);
    rec_infprev(c, 10 * MS, IDLE, 0, 1000);
    rec_infnext(c, 10 * MS, 1, 0, waited_ns, UINT32_MAX);
    mark(c, 40 * MS);
    return run(c, (struct setup){.by = BY_VCPU});
}

static void a_wake_of_a_vcpu_that_waits_already_says_nothing(void)
{
    struct trace_bytes c;
    struct result r = woken_first(&c, 22 * MS);
    STATES(ROW(&r, .domain = 1), 30 * MS, 10 * MS, 0, 0, 0);
    EQUAL(ROW(&r, .domain = 1)->wakes, 0);
    result_free(&r);
    trace_bytes_free(&c);
    r = woken_first(&c, 5 * MS);
    STATES(ROW(&r, .domain = 1), 30 * MS, 5 * MS, 5 * MS, 0, 0);
    EQUAL(ROW(&r, .domain = 1)->wakes, 1);
    result_free(&r);
    trace_bytes_free(&c);
}

/* SWITCH_INFPREV is filtered out, or was lost: SWITCH says who ran before SWITCH_INFNEXT. */
static void infnext_without_infprev_is_the_instant_of_its_switch(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    rec_infnext(&c, 10 * MS, 1, 0, 0, 30000000);
    rec_switch(&c, 10 * MS + 500, IDLE, 0, 1, 0);
    rec_infnext(&c, 20 * MS, 2, 0, 0, 0xffffffff);
    rec_switch(&c, 20 * MS + 500, 1, 0, 2, 0);
    rec_block(&c, 34 * MS, 2, 0);
    rec_infnext(&c, 35 * MS, IDLE, 0, 0, 0xffffffff);
    rec_switch(&c, 35 * MS + 500, 2, 0, IDLE, 0);
    mark(&c, 40 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    STATES(ROW(&r, .domain = 1), 10 * MS, 30 * MS, 0, 0, 0);
    STATES(ROW(&r, .domain = 2), 15 * MS, 20 * MS, 5 * MS, 0, 0);
    EQUAL(ROW(&r, .domain = 1)->allocated_ns, 30 * MS);
    EQUAL(r.quality.inconsistent, 0);
    result_free(&r);
    r = run(&c, (struct setup){.by = BY_PCPU});
    EQUAL(ROW(&r, .pcpu = 0)->idle_ns, 15 * MS);
    EQUAL(ROW(&r, .pcpu = 0)->pcpu_unknown_ns, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

/* The rest of the first switch is lost, and so is the beginning of the second one. */
static void a_switch_is_not_continued_across_lost_records(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    rec_switch(&c, 10 * MS, IDLE, 0, 1, 0);
    rec_infprev(&c, 20 * MS, 1, 0, 10000000);
    rec_lost(&c, 24 * MS, 5, 2, 0, 20 * MS + 300);
    rec_switch(&c, 26 * MS, 2, 0, 3, 0);
    rec_switch(&c, 30 * MS, 3, 0, IDLE, 0);
    mark(&c, 40 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(ROW(&r, .domain = 2)->state_ns[RUNSTATE_RUNNING], 2 * MS);
    EQUAL(ROW(&r, .domain = 3)->state_ns[RUNSTATE_RUNNING], 4 * MS);
    EQUAL(r.quality.inconsistent, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

/* Domain 1 is switched in at 10 ms; records of its pCPU are lost from 20 to 24 ms, after which `dom_after` has it. */
static void loses_records(struct trace_bytes *c, uint32_t dom_after)
{
    trace_bytes_init(c);
    on(c, 0);
    mark(c, 0);
    rec_switch(c, 10 * MS, IDLE, 0, 1, 0);
    rec_lost(c, 24 * MS, 5, dom_after, 0, 20 * MS);
}

/* The wake after lost records may be the one that ended a block, or one of many of a runnable vCPU. */
static void a_wake_after_lost_records_does_not_say_what_was_before_it(void)
{
    struct trace_bytes c;
    loses_records(&c, 2);
    rec_wake(&c, 26 * MS, 1, 0);
    rec_switch(&c, 30 * MS, 2, 0, 1, 0);
    mark(&c, 40 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    STATES(ROW(&r, .domain = 1), 20 * MS, 14 * MS, 0, 0, 6 * MS);
    EQUAL(ROW(&r, .domain = 1)->wakes, 0);
    EQUAL(r.quality.inconsistent, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

/* Both wakes in the loss say nothing of what comes after it. */
static void a_wake_after_lost_records_is_the_first_one_since(void)
{
    struct trace_bytes c;
    loses_records(&c, 2);
    rec_wake(&c, 26 * MS, 1, 0);
    rec_switch(&c, 30 * MS, 2, 0, 1, 0);
    mark(&c, 40 * MS);
    on(&c, 1);
    mark(&c, 0);
    rec_wake(&c, 21 * MS, 1, 0);
    rec_wake(&c, 22 * MS, 1, 0);
    mark(&c, 40 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    STATES(ROW(&r, .domain = 1), 20 * MS, 14 * MS, 0, 0, 6 * MS);
    EQUAL(ROW(&r, .domain = 1)->wakes, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

/* It sleeps for so long after lost records that it would have run, had it been woken in them: not if it was paused. */
static void a_vcpu_that_slept_may_have_been_paused_in_lost_records(void)
{
    for (unsigned wakes = 1; wakes <= 2; wakes++) {
        struct trace_bytes c;
        trace_bytes_init(&c);
        on(&c, 0);
        mark(&c, 0);
        for (uint64_t i = 0; i < 400; i++) { /* it is the longest of many waits that lasts 1 ms */
            rec_switch(&c, (2 * i + 1) * US, IDLE, 0, 2, 0);
            if (i == 399)
                rec_block(&c, (2 * i + 2) * US, 2, 0);
            rec_switch(&c, (2 * i + 2) * US, 2, 0, IDLE, 0);
        }
        rec_wake(&c, 9 * MS, 1, 0);
        rec_switch(&c, 10 * MS, IDLE, 0, 1, 0);
        rec_block(&c, 12 * MS, 1, 0);
        rec_switch(&c, 12 * MS, 1, 0, IDLE, 0);
        rec_lost(&c, 24 * MS, 5, IDLE, 0, 20 * MS);
        rec_wake(&c, 30 * MS, 1, 0);
        if (wakes > 1)
            rec_wake(&c, 34 * MS, 1, 0); /* the pause's end, perhaps */
        rec_switch(&c, 35 * MS, IDLE, 0, 1, 0);
        mark(&c, 40 * MS);
        struct result r = run(&c, (struct setup){.by = BY_VCPU});
        uint64_t unsure = wakes > 1 ? 4 * MS : 0;
        STATES(ROW(&r, .domain = 1), 7 * MS, 1 * MS + 5 * MS - unsure, 9 * MS + 18 * MS, 0, unsure);
        EQUAL(ROW(&r, .domain = 1)->doubtful_ns, 4 * MS);
        EQUAL(ROW(&r, .domain = 1)->wakes, 1);
        result_free(&r);
        trace_bytes_free(&c);
    }
}

/* Who was never seen before the hole was in no known state after it. */
static void a_first_wake_after_lost_records_does_not_say_that_it_slept(void)
{
    struct trace_bytes c;
    loses_records(&c, IDLE);
    rec_wake(&c, 26 * MS, 2, 0);
    rec_switch(&c, 27 * MS, IDLE, 0, 2, 0);
    mark(&c, 40 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    STATES(ROW(&r, .domain = 2), 13 * MS, 1 * MS, 0, 0, 26 * MS);
    result_free(&r);
    trace_bytes_free(&c);
}

/* It was switched out right after lost records: whether it blocked is in them. */
static void why_a_vcpu_stops_may_be_lost(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    rec_switch(&c, 10 * MS, IDLE, 0, 1, 0);
    rec_lost(&c, 20 * MS, 1, 1, 0, 20 * MS - 100 * US);
    rec_switch(&c, 20 * MS + 5 * US, 1, 0, IDLE, 0);
    rec_switch(&c, 30 * MS, IDLE, 0, 1, 0);
    mark(&c, 40 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(ROW(&r, .domain = 1)->state_ns[RUNSTATE_UNKNOWN], 10 * MS + 95 * US);
    EQUAL(ROW(&r, .domain = 1)->preemptions, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

static void block_and_wake_tell_blocked_from_runnable(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    rec_switch(&c, 10 * MS, IDLE, 0, 1, 0);
    rec_wake(&c, 12 * MS, 1, 0); /* it runs: means nothing */
    rec_block(&c, 20 * MS - 5 * US, 1, 0);
    rec_switch(&c, 20 * MS, 1, 0, IDLE, 0);
    rec_wake(&c, 28 * MS, 1, 0);
    rec_wake(&c, 29 * MS, 1, 0); /* it is runnable already */
    rec_switch(&c, 31 * MS, IDLE, 0, 1, 0);
    mark(&c, 40 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU, .executions = true});
    const struct measures *m = ROW(&r, .domain = 1);
    STATES(m, 19 * MS, 13 * MS, 8 * MS, 0, 0);
    EQUAL(m->wake_wait_ns, 3 * MS);
    EQUAL(m->wakes, 1);
    EQUAL(m->blocks, 1);
    EQUAL(m->preemptions, 0);
    EQUAL(m->executions, 2);
    EQUAL(r.executions_n, 2);
    EQUAL(r.executions_n ? r.executions[0].end : EXECUTION_LOST, EXECUTION_BLOCKED);
    result_free(&r);
    trace_bytes_free(&c);
}

static void a_wake_before_the_switch_undoes_the_block(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    rec_switch(&c, 10 * MS, IDLE, 0, 1, 0);
    rec_block(&c, 20 * MS - 5 * US, 1, 0);
    rec_wake(&c, 20 * MS - 2 * US, 1, 0);
    rec_switch(&c, 20 * MS, 1, 0, IDLE, 0);
    mark(&c, 40 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    STATES(ROW(&r, .domain = 1), 10 * MS, 30 * MS, 0, 0, 0);
    EQUAL(ROW(&r, .domain = 1)->blocks, 0);
    EQUAL(ROW(&r, .domain = 1)->preemptions, 1);
    result_free(&r);
    trace_bytes_free(&c);
}

static void a_sleeping_vcpu_is_offline_until_it_is_woken(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    rec_switch(&c, 10 * MS, IDLE, 0, 1, 0);
    rec_sleep(&c, 20 * MS - 5 * US, 1, 0); /* while it runs */
    rec_switch(&c, 20 * MS, 1, 0, IDLE, 0);
    rec_wake(&c, 25 * MS, 1, 0);
    rec_sleep(&c, 28 * MS, 1, 0); /* while it waits */
    rec_wake(&c, 34 * MS, 1, 0);
    mark(&c, 40 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU, .executions = true});
    STATES(ROW(&r, .domain = 1), 10 * MS, 10 * MS + 3 * MS + 6 * MS, 0, 5 * MS + 6 * MS, 0);
    EQUAL(r.executions_n ? r.executions[0].end : EXECUTION_LOST, EXECUTION_SLEPT);
    EQUAL(r.quality.inconsistent, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

static void a_wake_at_the_very_beginning_counts(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    rec_wake(&c, 0, 1, 0);
    rec_wake(&c, 2 * MS, 1, 0);
    rec_switch(&c, 5 * MS, IDLE, 0, 1, 0);
    mark(&c, 40 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    STATES(ROW(&r, .domain = 1), 35 * MS, 5 * MS, 0, 0, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

/* The first wake is the pause's end, or an event in it: which one, the trace does not say. */
static void a_blocked_vcpu_that_sleeps_is_unknown_between_its_two_wakes(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    rec_switch(&c, 10 * MS, IDLE, 0, 1, 0);
    rec_block(&c, 12 * MS - 5 * US, 1, 0);
    rec_switch(&c, 12 * MS, 1, 0, IDLE, 0);
    rec_sleep(&c, 15 * MS, 1, 0);
    rec_wake(&c, 20 * MS, 1, 0);
    rec_wake(&c, 26 * MS, 1, 0);
    rec_switch(&c, 29 * MS, IDLE, 0, 1, 0);
    mark(&c, 40 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    STATES(ROW(&r, .domain = 1), 2 * MS + 11 * MS, 10 * MS + 3 * MS, 8 * MS, 0, 6 * MS);
    EQUAL(r.quality.inconsistent, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

/* Another pause may have begun in them: the next wake is not the second one for certain, the one after it is. */
static void lost_records_leave_open_which_wake_ends_a_pause(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    rec_switch(&c, 10 * MS, IDLE, 0, 1, 0);
    rec_block(&c, 12 * MS - 5 * US, 1, 0);
    rec_switch(&c, 12 * MS, 1, 0, IDLE, 0);
    rec_sleep(&c, 15 * MS, 1, 0);
    rec_wake(&c, 20 * MS, 1, 0);
    rec_lost(&c, 26 * MS, 5, IDLE, 0, 22 * MS);
    rec_wake(&c, 28 * MS, 1, 0);
    rec_wake(&c, 30 * MS, 1, 0);
    rec_switch(&c, 33 * MS, IDLE, 0, 1, 0);
    mark(&c, 40 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    STATES(ROW(&r, .domain = 1), 2 * MS + 7 * MS, 10 * MS + 3 * MS, 8 * MS, 0, 10 * MS);
    EQUAL(r.quality.inconsistent, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

/* It was put to sleep while records of its pCPU were lost, and runs after them: it was woken meanwhile. */
static void a_vcpu_that_runs_after_lost_records_is_paused_no_longer(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    rec_switch(&c, 2 * MS, IDLE, 0, 1, 0);
    rec_lost(&c, 20 * MS, 5, 1, 0, 10 * MS);
    rec_switch(&c, 25 * MS, 1, 0, IDLE, 0);
    mark(&c, 40 * MS);
    on(&c, 1);
    mark(&c, 0);
    rec_sleep(&c, 12 * MS, 1, 0);
    mark(&c, 40 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    STATES(ROW(&r, .domain = 1), 8 * MS + 5 * MS, 2 * MS + 15 * MS, 0, 0, 10 * MS);
    result_free(&r);
    trace_bytes_free(&c);
}

static void a_vcpu_first_seen_by_a_wake_was_blocked(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    rec_wake(&c, 10 * MS, 1, 0);
    rec_switch(&c, 13 * MS, IDLE, 0, 1, 0);
    rec_wake(&c, 20 * MS, 2, 0); /* this one turns out to have been running, on pCPU 1 */
    mark(&c, 40 * MS);
    on(&c, 1);
    mark(&c, 0);
    rec_switch(&c, 30 * MS, 2, 0, IDLE, 1);
    mark(&c, 40 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    STATES(ROW(&r, .domain = 1), 27 * MS, 3 * MS, 10 * MS, 0, 0);
    EQUAL(ROW(&r, .domain = 1)->wake_wait_ns, 3 * MS);
    STATES(ROW(&r, .domain = 2), 30 * MS, 10 * MS, 0, 0, 0);
    EQUAL(r.quality.inconsistent, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

static void infcont_proves_that_a_vcpu_ran(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    rec_infcont(&c, 20 * MS, 1, 0, 20000000, 5000000);
    mark(&c, 40 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    STATES(ROW(&r, .domain = 1), 40 * MS, 0, 0, 0, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

/* Runstate changes are there: what the switches say besides must not be counted twice, whenever they begin. */
static void a_first_sweep_without_runstate_changes_does_not_hide_the_later_ones(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    sweep(&c);
    for (uint64_t i = 1; i <= 4; i++) {
        uint64_t t = i * 10 * MS;
        context_switch(&c, t, true, IDLE, 1, 1000000);
        starts(&c, t + 1 * US, 1, 0);
        rec_block(&c, t + 4 * MS - 5 * US, 1, 0);
        context_switch(&c, t + 4 * MS, true, 1, IDLE, 1000000);
        stops(&c, t + 4 * MS + 1 * US, 1, 0, BLOCKED);
        rec_wake(&c, t + 8 * MS, 1, 0);
        rec_runstate(&c, t + 8 * MS + 100, 1, 0, BLOCKED, RUNNABLE);
        sweep(&c);
    }
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(r.quality.inconsistent, 0);
    EQUAL(ROW(&r, .domain = 1)->executions, 4);
    EQUAL(ROW(&r, .domain = 1)->blocks, 4);
    EQUAL(ROW(&r, .domain = 1)->state_ns[RUNSTATE_RUNNING], 16 * MS);
    result_free(&r);
    trace_bytes_free(&c);
}

CU_TestInfo switches_tests[] = {
    TEST(switch_records_alone_tell_running_from_not_running),
    TEST(infprev_and_infnext_are_one_instant),
    TEST(a_wake_of_a_vcpu_that_waits_already_says_nothing),
    TEST(infnext_without_infprev_is_the_instant_of_its_switch),
    TEST(a_switch_is_not_continued_across_lost_records),
    TEST(a_wake_after_lost_records_does_not_say_what_was_before_it),
    TEST(a_wake_after_lost_records_is_the_first_one_since),
    TEST(a_vcpu_that_slept_may_have_been_paused_in_lost_records),
    TEST(a_first_wake_after_lost_records_does_not_say_that_it_slept),
    TEST(why_a_vcpu_stops_may_be_lost),
    TEST(block_and_wake_tell_blocked_from_runnable),
    TEST(a_wake_before_the_switch_undoes_the_block),
    TEST(a_sleeping_vcpu_is_offline_until_it_is_woken),
    TEST(a_wake_at_the_very_beginning_counts),
    TEST(a_blocked_vcpu_that_sleeps_is_unknown_between_its_two_wakes),
    TEST(lost_records_leave_open_which_wake_ends_a_pause),
    TEST(a_vcpu_that_runs_after_lost_records_is_paused_no_longer),
    TEST(a_vcpu_first_seen_by_a_wake_was_blocked),
    TEST(infcont_proves_that_a_vcpu_ran),
    TEST(a_first_sweep_without_runstate_changes_does_not_hide_the_later_ones),
    CU_TEST_INFO_NULL,
};
