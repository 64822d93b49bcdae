/* Granularities, the part of the trace asked for, kinds of rows, time before somebody was seen. */
#include "run_program.h"
#include "suites.h"

static void granularities_that_do_not_divide_each_other_count_from_the_start(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    starts(&c, 250 * MS, 1, 0);
    stops(&c, 950 * MS, 1, 0, BLOCKED);
    mark(&c, 1300 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU, .granularities_ns = {300 * MS, 1 * S}});
    EQUAL(r.intervals, 5 + 2 + 1);
    STATES(ROW(&r, .every = 300 * MS, .at = 0, .domain = 1), 50 * MS, 250 * MS, 0, 0, 0);
    STATES(ROW(&r, .every = 300 * MS, .at = 300 * MS, .domain = 1), 300 * MS, 0, 0, 0, 0);
    STATES(ROW(&r, .every = 300 * MS, .at = 600 * MS, .domain = 1), 300 * MS, 0, 0, 0, 0);
    STATES(ROW(&r, .every = 300 * MS, .at = 900 * MS, .domain = 1), 50 * MS, 0, 250 * MS, 0, 0);
    STATES(ROW(&r, .every = 300 * MS, .at = 1200 * MS, .domain = 1), 0, 0, 100 * MS, 0,
           0); /* the last one is not complete */
    STATES(ROW(&r, .every = 1 * S, .at = 0, .domain = 1), 700 * MS, 250 * MS, 50 * MS, 0, 0);
    STATES(ROW(&r, .every = 1 * S, .at = 1 * S, .domain = 1), 0, 0, 300 * MS, 0, 0);
    STATES(ROW(&r, .domain = 1), 700 * MS, 250 * MS, 350 * MS, 0, 0);
    EQUAL(ROW(&r, .every = 1 * S, .at = 0, .domain = 1)->executions, 1);
    EQUAL(ROW(&r, .every = 300 * MS, .at = 900 * MS, .domain = 1)->blocks, 1);
    EQUAL(ROW(&r, .every = 300 * MS, .at = 900 * MS, .domain = 1)->run.max,
          700 * MS); /* counted where it ended, from its dispatch */
    result_free(&r);
    trace_bytes_free(&c);
}

/* Running 10 to 30 and 50 to 70 of 100. */
static void two_runs(struct trace_bytes *c)
{
    on(c, 0);
    mark(c, 0);
    starts(c, 10 * MS, 1, 0);
    stops(c, 30 * MS, 1, 0, BLOCKED);
    rec_runstate(c, 45 * MS, 1, 0, BLOCKED, RUNNABLE);
    starts(c, 50 * MS, 1, 0);
    stops(c, 70 * MS, 1, 0, BLOCKED);
    mark(c, 100 * MS);
}

static void only_the_part_asked_for_is_counted(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    two_runs(&c);
    struct result r = run(&c, (struct setup){.by = BY_VCPU,
                                             .granularities_ns = {20 * MS},
                                             .executions = true,
                                             .from_ns = 25 * MS,
                                             .to_ns = 65 * MS});
    const struct measures *m = ROW(&r, .domain = 1);
    STATES(m, 20 * MS, 5 * MS, 15 * MS, 0, 0);
    EQUAL(m->executions, 1);
    EQUAL(m->blocks, 1);
    EQUAL(m->wakes, 1);
    /* boundaries still count from the trace's start: 25-40, 40-60, 60-65 */
    EQUAL(r.intervals, 3 + 1);
    STATES(ROW(&r, .every = 20 * MS, .at = 25 * MS, .domain = 1), 5 * MS, 0, 10 * MS, 0, 0);
    STATES(ROW(&r, .every = 20 * MS, .at = 40 * MS, .domain = 1), 10 * MS, 5 * MS, 5 * MS, 0, 0);
    STATES(ROW(&r, .every = 20 * MS, .at = 60 * MS, .domain = 1), 5 * MS, 0, 0, 0, 0);
    EQUAL(r.executions_n, 2);
    if (r.executions_n == 2) {
        EQUAL(r.executions[0].start_ns, 25 * MS);
        EQUAL(r.executions[0].ran_ns, 5 * MS);
        EQUAL(r.executions[0].end, EXECUTION_BLOCKED);
        EQUAL(r.executions[1].end_ns, 65 * MS);
        EQUAL(r.executions[1].end, EXECUTION_TRACE_END);
    }
    result_free(&r);
    r = run(&c, (struct setup){.by = BY_VCPU, .from_ns = 60 * MS});
    STATES(ROW(&r, .domain = 1), 10 * MS, 0, 30 * MS, 0, 0);
    result_free(&r);
    r = run(&c, (struct setup){.by = BY_VCPU, .to_ns = 20 * MS});
    STATES(ROW(&r, .domain = 1), 10 * MS, 10 * MS, 0, 0, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

static void a_part_behind_the_end_holds_nothing(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    two_runs(&c);
    struct result r = run(&c, (struct setup){.by = BY_VCPU, .from_ns = 200 * MS});
    EQUAL(r.status, 0);
    EQUAL(r.rows_n, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

/* Domain 1: vCPU 0 on pCPU 0 then 1, vCPU 1 on pCPU 1. */
static void two_vcpus_on_two_pcpus(struct trace_bytes *c)
{
    on(c, 0);
    mark(c, 0);
    starts(c, 10 * MS, 1, 0);
    stops(c, 30 * MS, 1, 0, RUNNABLE);
    mark(c, 100 * MS);
    on(c, 1);
    mark(c, 0);
    starts(c, 5 * MS, 1, 1);
    replaces(c, 40 * MS, 1, 1, BLOCKED, 1, 0);
    replaces(c, 60 * MS, 1, 0, RUNNABLE, 2, 0);
    mark(c, 100 * MS);
}

static void every_kind_of_row_adds_up_to_the_same(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    two_vcpus_on_two_pcpus(&c);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    STATES(ROW(&r, .domain = 1, .vcpu = 0), 40 * MS, 60 * MS, 0, 0, 0);
    STATES(ROW(&r, .domain = 1, .vcpu = 1), 35 * MS, 5 * MS, 60 * MS, 0, 0);
    STATES(ROW(&r, .domain = 2, .vcpu = 0), 40 * MS, 60 * MS, 0, 0, 0);
    EQUAL(r.rows_n, 3);
    result_free(&r);
    r = run(&c, (struct setup){.by = BY_DOMAIN});
    STATES(ROW(&r, .domain = 1), 75 * MS, 65 * MS, 60 * MS, 0, 0);
    EQUAL(r.rows[0].row.vcpus, 2);
    EQUAL(ROW(&r, .domain = 1)->executions, 3);
    EQUAL(ROW(&r, .domain = 1)->migrations, 1);
    result_free(&r);
    r = run(&c, (struct setup){.by = BY_PCPU});
    EQUAL(ROW(&r, .pcpu = 0)->state_ns[RUNSTATE_RUNNING], 20 * MS);
    EQUAL(ROW(&r, .pcpu = 0)->idle_ns, 80 * MS);
    EQUAL(ROW(&r, .pcpu = 1)->state_ns[RUNSTATE_RUNNING], 95 * MS);
    EQUAL(ROW(&r, .pcpu = 1)->idle_ns, 5 * MS);
    EQUAL(r.rows_n, 2);
    result_free(&r);
    r = run(&c, (struct setup){.by = BY_DOMAIN_PCPU});
    EQUAL(ROW(&r, .domain = 1, .pcpu = 0)->state_ns[RUNSTATE_RUNNING], 20 * MS);
    EQUAL(ROW(&r, .domain = 1, .pcpu = 1)->state_ns[RUNSTATE_RUNNING], 55 * MS);
    EQUAL(ROW(&r, .domain = 2, .pcpu = 1)->state_ns[RUNSTATE_RUNNING], 40 * MS);
    EQUAL(ROW(&r, .domain = 1, .pcpu = 0)->executions, 1);
    EQUAL(ROW(&r, .domain = 1, .pcpu = 1)->executions, 2);
    CHECK(HAS_ROW(&r, .domain = 1, .pcpu = -1)); /* before the first dispatch a vCPU is nowhere */
    result_free(&r);
    trace_bytes_free(&c);
}

static void only_time_on_the_wanted_pcpus_is_counted(void)
{
    static uint8_t wanted[PCPUS_MAX] = {[1] = 1};
    struct trace_bytes c;
    trace_bytes_init(&c);
    two_vcpus_on_two_pcpus(&c);
    struct result r = run(&c, (struct setup){.by = BY_DOMAIN, .pcpus_wanted = wanted, .executions = true});
    EQUAL(ROW(&r, .domain = 1)->state_ns[RUNSTATE_RUNNING], 55 * MS);
    EQUAL(ROW(&r, .domain = 1)->executions, 2);
    EQUAL(r.executions_n, 3);
    result_free(&r);
    trace_bytes_free(&c);
}

/*
 * pCPU 1 says nothing for 50 sweeps, 5 s, and then that its vCPU has been running all the time. With `late_pcpu` it
 * had not even a window before.
 */
static void speaks_late_with(struct trace_bytes *c, bool late_pcpu, int domain, int vcpu)
{
    on(c, 1);
    if (!late_pcpu)
        mark(c, 0);
    for (uint64_t i = 0; i < 50; i++) {
        on(c, 0);
        mark(c, i * 100 * MS);
        starts(c, i * 100 * MS + 1 * MS, 1, 0);
        stops(c, i * 100 * MS + 2 * MS, 1, 0, RUNNABLE);
        sweep(c);
    }
    on(c, 1);
    stops(c, 5050 * MS, domain, vcpu, BLOCKED);
    on(c, 0);
    mark(c, 5500 * MS);
}

static void speaks_late(struct trace_bytes *c, bool late_pcpu)
{
    speaks_late_with(c, late_pcpu, 2, 0);
}

/*
 * When its first record comes, with the last sweep, the results are settled up to 4802 ms: what the sweep before the one
 * before has is settled when that has ended. 0 to 4 s were handed out without it.
 */
#define SETTLED (4802 * MS - 18 * MS) /* the watermark, less the span in which the records of a switch lie */

static void a_vcpu_seen_late_counts_in_the_open_rows(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    speaks_late(&c, false);
    struct result r = run(&c, (struct setup){.by = BY_VCPU, .granularities_ns = {1 * S}});
    for (uint64_t i = 0; i < 4; i++)
        CHECK(!HAS_ROW(&r, .every = 1 * S, .at = i * S, .domain = 2));
    STATES(ROW(&r, .every = 1 * S, .at = 4 * S, .domain = 2), 1 * S, 0, 0, 0, 0);
    EQUAL(ROW(&r, .every = 1 * S, .at = 4 * S, .domain = 2)->before_seen_ns, SETTLED - 4 * S);
    STATES(ROW(&r, .every = 1 * S, .at = 5 * S, .domain = 2), 50 * MS, 0, 450 * MS, 0, 0);
    EQUAL(ROW(&r, .every = 1 * S, .at = 5 * S, .domain = 2)->before_seen_ns, 0);
    STATES(ROW(&r, .domain = 2), 5050 * MS, 0, 450 * MS, 0, 0);
    EQUAL(ROW(&r, .domain = 2)->before_seen_ns, SETTLED);
    EQUAL(ROW(&r, .domain = 1)->before_seen_ns, 0);
    result_free(&r);
    /* and as a domain: its runstate too */
    r = run(&c, (struct setup){.by = BY_DOMAIN, .granularities_ns = {1 * S}});
    CHECK(!HAS_ROW(&r, .every = 1 * S, .at = 3 * S, .domain = 2));
    EQUAL(ROW(&r, .every = 1 * S, .at = 4 * S, .domain = 2)->domain_ns[DOMAIN_FULL_RUN], 1 * S);
    EQUAL(ROW(&r, .domain = 2)->domain_ns[DOMAIN_FULL_RUN], 5050 * MS);
    EQUAL(ROW(&r, .domain = 2)->domain_ns[DOMAIN_BLOCKED], 450 * MS);
    result_free(&r);
    trace_bytes_free(&c);
}

/* Domain 1 has one vCPU that runs 1 ms of each 100 ms, and is runnable else; the other has been running all the time. */
static void its_domain_has_it_in_the_open_rows_as_if_it_had_always_been_there(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    speaks_late_with(&c, false, 1, 1);
    struct result r = run(&c, (struct setup){.by = BY_DOMAIN, .granularities_ns = {1 * S}});
    const struct measures *before = ROW(&r, .every = 1 * S, .at = 3 * S, .domain = 1),
                          *open = ROW(&r, .every = 1 * S, .at = 4 * S, .domain = 1),
                          *all = ROW(&r, .domain = 1);
    EQUAL(before->domain_ns[DOMAIN_FULL_RUN], 10 * MS);
    EQUAL(before->domain_ns[DOMAIN_FULL_CONTENTION], 990 * MS);
    EQUAL(before->before_seen_ns, 0);
    EQUAL(open->domain_ns[DOMAIN_FULL_RUN], 10 * MS);
    EQUAL(open->domain_ns[DOMAIN_CONCURRENCY_HAZARD], 990 * MS);
    EQUAL(open->before_seen_ns, SETTLED - 4 * S);
    EQUAL(all->domain_ns[DOMAIN_FULL_RUN], 50 * MS);
    EQUAL(all->domain_ns[DOMAIN_CONCURRENCY_HAZARD], 5000 * MS);
    EQUAL(all->domain_ns[DOMAIN_PARTIAL_CONTENTION], 450 * MS);
    EQUAL(all->before_seen_ns, SETTLED);
    result_free(&r);
    trace_bytes_free(&c);
}

static void unknown_pcpu_time_becomes_running_time_in_the_open_rows(void)
{
    for (int late_pcpu = 0; late_pcpu < 2; late_pcpu++) {
        struct trace_bytes c;
        trace_bytes_init(&c);
        speaks_late(&c, late_pcpu);
        struct result r = run(&c, (struct setup){.by = BY_PCPU, .granularities_ns = {1 * S}});
        EQUAL(HAS_ROW(&r, .every = 1 * S, .at = 3 * S, .pcpu = 1), !late_pcpu);
        if (!late_pcpu)
            EQUAL(ROW(&r, .every = 1 * S, .at = 3 * S, .pcpu = 1)->pcpu_unknown_ns, 1 * S);
        EQUAL(ROW(&r, .every = 1 * S, .at = 4 * S, .pcpu = 1)->state_ns[RUNSTATE_RUNNING], 1 * S);
        EQUAL(ROW(&r, .every = 1 * S, .at = 4 * S, .pcpu = 1)->pcpu_unknown_ns, 0);
        EQUAL(ROW(&r, .every = 1 * S, .at = 4 * S, .pcpu = 1)->before_seen_ns,
              late_pcpu ? SETTLED - 4 * S : 0);
        EQUAL(ROW(&r, .pcpu = 1)->state_ns[RUNSTATE_RUNNING], 5050 * MS);
        EQUAL(ROW(&r, .pcpu = 1)->idle_ns, 450 * MS);
        EQUAL(ROW(&r, .pcpu = 1)->pcpu_unknown_ns, 0);
        EQUAL(ROW(&r, .pcpu = 1)->before_seen_ns, late_pcpu ? SETTLED : 0);
        result_free(&r);
        trace_bytes_free(&c);
    }
}

static void time_before_it_was_seen_lies_in_the_part_asked_for(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    speaks_late(&c, false);
    struct result r =
        run(&c, (struct setup){.by = BY_VCPU, .granularities_ns = {1 * S}, .from_ns = 1500 * MS});
    CHECK(!HAS_ROW(&r, .every = 1 * S, .at = 1500 * MS, .domain = 2));
    STATES(ROW(&r, .every = 1 * S, .at = 4 * S, .domain = 2), 1 * S, 0, 0, 0, 0);
    STATES(ROW(&r, .domain = 2), 3550 * MS, 0, 450 * MS, 0, 0);
    EQUAL(ROW(&r, .domain = 2)->before_seen_ns, SETTLED - 1500 * MS);
    result_free(&r);
    trace_bytes_free(&c);
}

CU_TestInfo intervals_tests[] = {
    TEST(granularities_that_do_not_divide_each_other_count_from_the_start),
    TEST(only_the_part_asked_for_is_counted),
    TEST(a_part_behind_the_end_holds_nothing),
    TEST(every_kind_of_row_adds_up_to_the_same),
    TEST(only_time_on_the_wanted_pcpus_is_counted),
    TEST(a_vcpu_seen_late_counts_in_the_open_rows),
    TEST(its_domain_has_it_in_the_open_rows_as_if_it_had_always_been_there),
    TEST(unknown_pcpu_time_becomes_running_time_in_the_open_rows),
    TEST(time_before_it_was_seen_lies_in_the_part_asked_for),
    CU_TEST_INFO_NULL,
};
