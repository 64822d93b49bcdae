/* Xen's own instants: switches are where SWITCH_INFPREV says, however late their records are. */
#include "run_program.h"
#include "suites.h"

/* Where a pCPU's switches are: the instant at which Xen read its clock, and how much later it wrote. */
struct switching {
    struct trace_bytes *c;
    uint64_t last_ns; /* instant of the last switch */
    uint32_t current; /* domain whose vCPU 0 runs; of the idle domain the pCPU's own */
};

static uint32_t vcpu_of(const struct switching *s, uint32_t dom)
{
    return dom == IDLE ? s->c->pcpu : 0;
}

/* Xen switches to `next` at an instant, says that the vCPU before ran for `ran_ns`, and writes all that `late_ns` after. */
static void says(struct switching *s, uint64_t instant, uint64_t ran_ns, uint64_t late_ns, int state,
                 uint32_t next)
{
    uint64_t t = instant + late_ns;
    uint32_t prev = s->current;
    rec_infprev(s->c, t - 2, prev, vcpu_of(s, prev), ran_ns);
    rec_infnext(s->c, t - 1, next, vcpu_of(s, next), 0, UINT32_MAX);
    rec_runstate(s->c, t, prev, vcpu_of(s, prev), RUNNING, prev == IDLE ? RUNNABLE : state);
    rec_runstate(s->c, t + 500, next, vcpu_of(s, next), RUNNABLE, RUNNING);
    s->last_ns = instant;
    s->current = next;
}

static void switches(struct switching *s, uint64_t instant, uint64_t late_ns, int state, uint32_t next)
{
    says(s, instant, instant - s->last_ns, late_ns, state, next);
}

static struct switching begins(struct trace_bytes *c, unsigned pcpu)
{
    on(c, pcpu);
    return (struct switching){.c = c, .current = IDLE};
}

static void trace_begins(struct trace_bytes *c)
{
    trace_bytes_init(c);
    on(c, 0);
    mark(c, 0);
}

/* Domain 1 is preempted `n` times by domain 2; it is left late, and entered soon. */
static void alternate(struct switching *s, uint64_t from, uint64_t every, unsigned n, uint64_t late_ns)
{
    for (unsigned i = 0; i < n; i++) {
        switches(s, from + i * every, 1 * US, RUNNABLE, 1);
        switches(s, from + i * every + every / 2, late_ns, RUNNABLE, 2);
    }
}

static void runs_last_as_long_as_infprev_says(void)
{
    struct trace_bytes c;
    trace_begins(&c);
    struct switching s = begins(&c, 0);
    alternate(&s, 10 * MS, 4 * MS, 100, 40 * US);
    switches(&s, 410 * MS, 1 * US, BLOCKED, IDLE);
    mark(&c, 500 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU, .executions = true});
    EQUAL(ROW(&r, .domain = 1)->state_ns[RUNSTATE_RUNNING], 200 * MS);
    EQUAL(ROW(&r, .domain = 2)->state_ns[RUNSTATE_RUNNING], 200 * MS);
    for (size_t i = 0; i < r.executions_n; i++)
        EQUAL(r.executions[i].ran_ns, 2 * MS);
    EQUAL(r.quality.runs_contradicted, 0);
    result_free(&r);
    r = run(&c, (struct setup){.by = BY_PCPU});
    EQUAL(ROW(&r, .pcpu = 0)->state_ns[RUNSTATE_RUNNING], 400 * MS);
    EQUAL(ROW(&r, .pcpu = 0)->pcpu_unknown_ns, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

/* The first two records of a chain only fix it: later ones are judged by it. */
static void a_record_that_is_very_late_does_not_move_a_switch(void)
{
    struct trace_bytes c;
    trace_begins(&c);
    struct switching s = begins(&c, 0);
    alternate(&s, 10 * MS, 4 * MS, 20, 3 * US);
    switches(&s, 90 * MS, 1 * US, RUNNABLE, 1);
    switches(&s, 92 * MS, 6 * MS, RUNNABLE, 2);
    switches(&s, 100 * MS, 1 * US, BLOCKED, IDLE);
    mark(&c, 500 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(ROW(&r, .domain = 1)->state_ns[RUNSTATE_RUNNING], 42 * MS);
    EQUAL(ROW(&r, .domain = 2)->state_ns[RUNSTATE_RUNNING], 48 * MS);
    EQUAL(r.quality.runs_contradicted, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

static void payloads_wrap(void)
{
    struct trace_bytes c;
    trace_begins(&c);
    struct switching s = begins(&c, 0);
    alternate(&s, 1 * S, 18 * S, 3, 70 * US); /* 9 s: twice around */
    switches(&s, 55 * S, 1 * US, BLOCKED, IDLE);
    mark(&c, 60 * S);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(ROW(&r, .domain = 1)->state_ns[RUNSTATE_RUNNING], 27 * S);
    EQUAL(ROW(&r, .domain = 2)->state_ns[RUNSTATE_RUNNING], 27 * S);
    EQUAL(r.quality.runs_contradicted, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

static void a_payload_that_contradicts_the_times_is_not_used(void)
{
    struct trace_bytes c;
    trace_begins(&c);
    struct switching s = begins(&c, 0);
    alternate(&s, 10 * MS, 40 * MS, 20, 1 * US);
    says(&s, 820 * MS, 1 * MS, 1 * US, RUNNABLE, 1); /* it ran 20 ms */
    says(&s, 840 * MS, 1 * S, 1 * US, RUNNABLE, 2);  /* 20 ms, too */
    switches(&s, 860 * MS, 1 * US, RUNNABLE, 1);
    switches(&s, 880 * MS, 1 * US, BLOCKED, IDLE);
    mark(&c, 900 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(ROW(&r, .domain = 1)->state_ns[RUNSTATE_RUNNING], 440 * MS);
    EQUAL(ROW(&r, .domain = 2)->state_ns[RUNSTATE_RUNNING], 430 * MS);
    EQUAL(r.quality.runs_contradicted, 2);
    result_free(&r);
    trace_bytes_free(&c);
}

/* Where nothing shows yet that the payloads are right, they must agree with the records at once. */
static void a_chain_is_not_believed_before_it_is_proven(void)
{
    struct trace_bytes c;
    trace_begins(&c);
    struct switching s = begins(&c, 0);
    for (unsigned i = 0; i < 10; i++) {
        says(&s, 10 * MS + i * 8 * MS, 1000, 1 * US, BLOCKED, 1);
        says(&s, 14 * MS + i * 8 * MS, 1000, 1 * US, RUNNABLE, IDLE);
    }
    mark(&c, 500 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(ROW(&r, .domain = 1)->state_ns[RUNSTATE_RUNNING], 40 * MS);
    EQUAL(r.quality.runs_contradicted, 19);
    result_free(&r);
    trace_bytes_free(&c);
}

static void lost_records_break_the_chain(void)
{
    struct trace_bytes c;
    trace_begins(&c);
    struct switching s = begins(&c, 0);
    alternate(&s, 10 * MS, 4 * MS, 20, 1 * US);
    rec_lost(&c, 100 * MS, 5, 2, 0, 90 * MS);
    says(&s, 110 * MS, 5 * MS, 1 * US, RUNNABLE, 1); /* began at 105 ms, by the payload; at 100 ms it ran */
    switches(&s, 112 * MS, 1 * US, BLOCKED, IDLE);
    mark(&c, 200 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(ROW(&r, .domain = 1)->state_ns[RUNSTATE_RUNNING], 42 * MS);
    EQUAL(ROW(&r, .domain = 2)->state_ns[RUNSTATE_UNKNOWN], 10 * MS);
    EQUAL(r.quality.runs_contradicted, 0);
    EQUAL(r.quality.inconsistent, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

/* sched-gran=core: SWITCH_INFPREV names somebody whom the last SWITCH_INFNEXT in this ring did not name. */
static void where_one_pcpu_writes_for_its_core_the_times_count(void)
{
    struct trace_bytes c;
    trace_begins(&c);
    on(&c, 0);
    for (unsigned i = 0; i < 40; i++) {
        uint64_t t = 10 * MS + i * 10 * MS;
        uint32_t prev = i % 2 ? 1 : 2, next = i % 2 ? 2 : 1;
        rec_infprev(&c, t - 2, prev, 0, 9970 * US);
        rec_infnext(&c, t - 1, IDLE, 0, 0, UINT32_MAX);
        rec_runstate(&c, t, prev, 0, RUNNING, RUNNABLE);
        rec_runstate(&c, t + 500, next, 0, RUNNABLE, RUNNING);
    }
    mark(&c, 410 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(ROW(&r, .domain = 1)->state_ns[RUNSTATE_RUNNING], 200 * MS);
    EQUAL(r.quality.runs_contradicted, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

/* Xen's clock loses 50 us a second against the stamps: 5 us in 100 ms. */
static void what_clocks_drift_by_is_idle_time(void)
{
    struct trace_bytes c;
    trace_begins(&c);
    struct switching s = begins(&c, 0);
    for (unsigned i = 0; i < 100; i++) {
        uint64_t t = (1 + i) * 100 * MS + 1 * MS;
        says(&s, t, (i ? 100 : 101) * MS - 50 * MS - 5 * US, 2 * US, RUNNABLE, 1);
        says(&s, t + 50 * MS, 50 * MS, 30 * US, BLOCKED, IDLE);
        rec_runstate(&c, t + 80 * MS, 1, 0, BLOCKED, RUNNABLE);
    }
    mark(&c, 11 * S);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(ROW(&r, .domain = 1)->state_ns[RUNSTATE_RUNNING], 5 * S);
    EQUAL(r.quality.runs_contradicted, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

/* Xen's clock loses 60 us a second: once that is learnt, waits of 3 us last 3 us. */
static void drift_does_not_hide_short_waits(void)
{
    struct trace_bytes c;
    trace_begins(&c);
    struct switching s = begins(&c, 0);
    for (unsigned i = 0; i < 5000; i++) {
        uint64_t t = 10 * MS + i * 2 * MS;
        if (i > 0)
            rec_runstate(&c, t - 3 * US, 1, 0, BLOCKED, RUNNABLE);
        says(&s, t, (i ? 1 * MS : 10 * MS) - 120, 1 * US, RUNNABLE, 1);
        says(&s, t + 1 * MS, 1 * MS, 1 * US, BLOCKED, IDLE);
    }
    mark(&c, 11 * S);
    struct result r = run(&c, (struct setup){.by = BY_VCPU, .executions = true});
    EQUAL(r.executions_n, 5000);
    for (size_t i = 3000; i < r.executions_n; i++)
        CHECK(r.executions[i].waited_ns > 3 * US && r.executions[i].waited_ns < 5 * US);
    CHECK(ROW(&r, .domain = 1)->state_ns[RUNSTATE_RUNNING] - 5 * S < 20 * US);
    result_free(&r);
    trace_bytes_free(&c);
}

/* pCPU 1 wakes domain 1 while pCPU 0, which has read its clock, waits for the scheduler's lock; then pCPU 0 takes it. */
static void wakes_within_a_switch(uint64_t woken_ns, uint64_t ran_ns, uint64_t waited_ns)
{
    struct trace_bytes c;
    trace_begins(&c);
    struct switching s = begins(&c, 0);
    alternate(&s, 10 * MS, 4 * MS, 20, 1 * US);
    switches(&s, 92 * MS, 1 * US, BLOCKED, IDLE);
    uint64_t t = 100 * MS;
    rec_runstate(&c, 94 * MS, 1, 0, RUNNABLE, OFFLINE);
    switches(&s, t, woken_ns + 10 * US, 0, 1);
    switches(&s, t + 5 * MS, 1 * US, BLOCKED, IDLE);
    mark(&c, 200 * MS);
    on(&c, 1);
    mark(&c, 0);
    rec_runstate(&c, t + 1 * US + woken_ns, 1, 0, OFFLINE, RUNNABLE);
    mark(&c, 200 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU, .executions = true});
    const struct measures *m = ROW(&r, .domain = 1);
    EQUAL(m->state_ns[RUNSTATE_RUNNING], 40 * MS + ran_ns);
    EQUAL(r.executions[r.executions_n - 1].ran_ns, ran_ns);
    EQUAL(r.executions[r.executions_n - 1].waited_ns, waited_ns);
    EQUAL(m->executions, 21);
    EQUAL(r.quality.inconsistent, 0);
    EQUAL(r.quality.skew_max_ns, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

static void a_wake_within_a_switch_gives_way(void)
{
    wakes_within_a_switch(30 * US, 5 * MS, 0);
}

/* The pCPU was held up: nobody ran on it until the wake. */
static void a_wake_long_after_the_instant_does_not(void)
{
    wakes_within_a_switch(3 * MS, 2 * MS, 0);
}

/* Domain 1 leaves pCPU 0 at 100 ms; pCPU 1, which read its clock 20 us before, takes it. */
static void a_vcpu_begins_nowhere_before_it_ended_elsewhere(void)
{
    struct trace_bytes c;
    trace_begins(&c);
    struct switching s = begins(&c, 0);
    alternate(&s, 10 * MS, 4 * MS, 20, 1 * US);
    switches(&s, 90 * MS, 1 * US, RUNNABLE, 1);
    switches(&s, 100 * MS, 1 * US, RUNNABLE, IDLE);
    mark(&c, 200 * MS);
    struct switching other = begins(&c, 1);
    mark(&c, 0);
    for (unsigned i = 0; i < 10; i++) {
        switches(&other, 10 * MS + i * 8 * MS, 1 * US, 0, 3);
        switches(&other, 14 * MS + i * 8 * MS, 1 * US, RUNNABLE, IDLE);
    }
    switches(&other, 100 * MS - 20 * US, 30 * US, 0, 1);
    switches(&other, 110 * MS, 1 * US, BLOCKED, IDLE);
    mark(&c, 200 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(ROW(&r, .domain = 1)->state_ns[RUNSTATE_RUNNING], 60 * MS);
    EQUAL(ROW(&r, .domain = 1)->migrations, 1);
    EQUAL(r.quality.inconsistent, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

/* A record of the vCPU after the instant shows that it still ran: the next one begins after that, too. */
static void nobody_begins_before_the_pcpu_is_free(void)
{
    struct trace_bytes c;
    trace_begins(&c);
    struct switching s = begins(&c, 0);
    alternate(&s, 10 * MS, 4 * MS, 20, 1 * US);
    rec_continue(&c, 90 * MS + 100 * US, 2, 0);
    switches(&s, 90 * MS, 150 * US, RUNNABLE, 1);
    switches(&s, 100 * MS, 1 * US, BLOCKED, IDLE);
    mark(&c, 200 * MS);
    struct result r = run(&c, (struct setup){.by = BY_PCPU});
    EQUAL(ROW(&r, .pcpu = 0)->state_ns[RUNSTATE_RUNNING], 90 * MS);
    EQUAL(ROW(&r, .pcpu = 0)->idle_ns, 110 * MS);
    EQUAL(ROW(&r, .pcpu = 0)->pcpu_unknown_ns, 0);
    result_free(&r);
    r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(ROW(&r, .domain = 1)->state_ns[RUNSTATE_RUNNING], 50 * MS - 99 * US);
    EQUAL(ROW(&r, .domain = 2)->state_ns[RUNSTATE_RUNNING], 40 * MS + 99 * US);
    result_free(&r);
    trace_bytes_free(&c);
}

/* The same without runstate changes: the mask left them out. */
static void without_runstate_changes_infprev_is_used_as_well(void)
{
    struct trace_bytes c;
    trace_begins(&c);
    uint32_t current = IDLE;
    uint64_t last = 0;
    for (unsigned i = 0; i < 40; i++) {
        uint32_t next = i % 2 ? 2 : 1;
        uint64_t t = 10 * MS + i * 5 * MS, late = i % 2 ? 40 * US : 1 * US;
        rec_infprev(&c, t + late, current, 0, t - last);
        rec_infnext(&c, t + late + 300, next, 0, 0, UINT32_MAX);
        current = next;
        last = t;
    }
    mark(&c, 300 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU, .executions = true});
    EQUAL(ROW(&r, .domain = 1)->state_ns[RUNSTATE_RUNNING], 100 * MS);
    EQUAL(r.quality.runs_contradicted, 0);
    EQUAL(r.quality.inconsistent, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

CU_TestInfo instants_tests[] = {
    TEST(runs_last_as_long_as_infprev_says),
    TEST(a_record_that_is_very_late_does_not_move_a_switch),
    TEST(payloads_wrap),
    TEST(a_payload_that_contradicts_the_times_is_not_used),
    TEST(a_chain_is_not_believed_before_it_is_proven),
    TEST(lost_records_break_the_chain),
    TEST(where_one_pcpu_writes_for_its_core_the_times_count),
    TEST(what_clocks_drift_by_is_idle_time),
    TEST(drift_does_not_hide_short_waits),
    TEST(a_wake_within_a_switch_gives_way),
    TEST(a_wake_long_after_the_instant_does_not),
    TEST(a_vcpu_begins_nowhere_before_it_ended_elsewhere),
    TEST(nobody_begins_before_the_pcpu_is_free),
    TEST(without_runstate_changes_infprev_is_used_as_well),
    CU_TEST_INFO_NULL,
};
