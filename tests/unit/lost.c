/* Records that were lost: what becomes unknown, and what does not. */
#include "run_program.h"
#include "suites.h"

/* pCPU 0 is blind in [10, 20]; domain 1 ran there before. pCPU 1 is the current one, at 0. */
static void dark_beside(struct trace_bytes *c, uint32_t dom_after, uint32_t vcpu_after)
{
    trace_bytes_init(c);
    on(c, 0);
    mark(c, 0);
    starts(c, 2 * MS, 1, 0);
    mark(c, 10 * MS);
    rec_lost(c, 20 * MS, 500, dom_after, vcpu_after, 10 * MS);
    on(c, 1);
    mark(c, 0);
}

/* The same, with nothing on pCPU 1, which ends at 40; pCPU 0 is the current one. */
static void ran_into_the_dark(struct trace_bytes *c, uint32_t dom_after, uint32_t vcpu_after)
{
    dark_beside(c, dom_after, vcpu_after);
    mark(c, 40 * MS);
    on(c, 0);
}

static void lost_records_become_unknown_time(void)
{
    struct trace_bytes c;
    ran_into_the_dark(&c, 1, 0);
    stops(&c, 30 * MS, 1, 0, BLOCKED);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    STATES(ROW(&r, .domain = 1), 18 * MS, 2 * MS, 10 * MS, 0, 10 * MS);
    EQUAL(r.quality.lost_records, 500);
    EQUAL(r.quality.lost_markers, 1);
    EQUAL(r.quality.blind_ns, 10 * MS);
    EQUAL(r.quality.blind_late_ns, 0);
    EQUAL(r.quality.unknown_ns, 10 * MS);
    EQUAL(r.quality.inconsistent, 0);
    result_free(&r);
    r = run(&c, (struct setup){.by = BY_PCPU});
    const struct measures *m = ROW(&r, .pcpu = 0);
    STATES(m, 18 * MS, 0, 0, 0, 0);
    EQUAL(m->idle_ns, 12 * MS); /* 0 to 2, 30 to 40 */
    EQUAL(m->pcpu_unknown_ns, 10 * MS);
    result_free(&r);
    trace_bytes_free(&c);
}

static void the_lost_record_tells_who_runs_after_it(void)
{
    struct trace_bytes c;
    ran_into_the_dark(&c, 2, 3);
    replaces(&c, 30 * MS, 2, 3, BLOCKED, 1, 0); /* domain 1 has waited since 20 at the latest */
    on(&c, 1);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    STATES(ROW(&r, .domain = 1), 18 * MS, 2 * MS + 10 * MS, 0, 0, 10 * MS);
    /* never seen before: nothing is known of it up to 20 */
    STATES(ROW(&r, .domain = 2, .vcpu = 3), 10 * MS, 0, 10 * MS, 0, 20 * MS);
    EQUAL(r.quality.inconsistent, 0);
    EQUAL(r.quality.unknown_ns, 30 * MS);
    result_free(&r);
    trace_bytes_free(&c);
}

static void a_known_vcpu_found_running_after_the_gap_is_unknown_only_within_it(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 1);
    mark(&c, 0);
    stops(&c, 5 * MS, 2, 0, BLOCKED); /* ran on pCPU 1 up to 5 */
    mark(&c, 40 * MS);
    on(&c, 0);
    mark(&c, 0);
    starts(&c, 2 * MS, 1, 0);
    rec_lost(&c, 20 * MS, 7, 2, 0, 10 * MS); /* now on pCPU 0 */
    stops(&c, 30 * MS, 2, 0, BLOCKED);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    /* running 0 to 5 and 20 to 30; blocked 5 to 10 and 30 to 40; unknown 10 to 20 */
    STATES(ROW(&r, .domain = 2), 15 * MS, 0, 15 * MS, 0, 10 * MS);
    /* no record of domain 1 comes after it */
    STATES(ROW(&r, .domain = 1), 8 * MS, 2 * MS, 0, 0, 30 * MS);
    EQUAL(r.quality.inconsistent, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

static void a_vcpu_whose_records_fit_stays_known_through_the_gap_of_another_pcpu(void)
{
    struct trace_bytes c;
    dark_beside(&c, 1, 0);
    stops(&c, 4 * MS, 2, 0, BLOCKED);
    rec_runstate(&c, 15 * MS, 2, 0, BLOCKED, RUNNABLE);
    starts(&c, 16 * MS, 2, 0);
    mark(&c, 40 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    STATES(ROW(&r, .domain = 2), 28 * MS, 1 * MS, 11 * MS, 0, 0);
    EQUAL(r.quality.inconsistent, 0);
    EQUAL(ROW(&r, .domain = 2)->doubtful_ns, 6 * MS); /* off a pCPU in the dark: 10 to 16 */
    EQUAL(ROW(&r, .domain = 1)->doubtful_ns, 0);
    EQUAL(r.quality.doubtful_ns, 6 * MS);
    EQUAL(ROW(&r, .domain = 2)->block.count, 0); /* 4 to 15: it may have been woken, and blocked again */
    EQUAL(ROW(&r, .domain = 2)->wait.count, 0);
    EQUAL(ROW(&r, .domain = 2)->executions, 1);
    EQUAL(ROW(&r, .domain = 2)->wakes, 1);
    result_free(&r);
    trace_bytes_free(&c);
}

/* Woken before the dark, dispatched after it: in between it ran, blocked and was woken again, all of which was lost. */
static void a_wait_across_lost_records_is_doubtful_and_no_sample(void)
{
    struct trace_bytes c;
    dark_beside(&c, 1, 0);
    stops(&c, 4 * MS, 2, 0, BLOCKED);
    rec_runstate(&c, 8 * MS, 2, 0, BLOCKED, RUNNABLE);
    starts(&c, 22 * MS, 2, 0);
    stops(&c, 24 * MS, 2, 0, RUNNABLE);
    starts(&c, 27 * MS, 2, 0);
    mark(&c, 40 * MS);
    struct result r =
        run(&c, (struct setup){.by = BY_VCPU, .granularities_ns = {5 * MS}, .executions = true});
    const struct measures *m = ROW(&r, .domain = 2);
    STATES(m, 19 * MS, 17 * MS, 4 * MS, 0, 0);
    EQUAL(m->doubtful_ns, 10 * MS);
    EQUAL(m->block.max, 4 * MS);
    EQUAL(m->wait.count, 1);
    EQUAL(m->wait.max, 3 * MS);
    for (uint64_t i = 0; i < 8; i++)
        EQUAL(ROW(&r, .every = 5 * MS, .at = i * 5 * MS, .domain = 2)->doubtful_ns,
              i == 2 || i == 3 ? 5 * MS : 0);
    EQUAL(r.executions_n, 5); /* of domain 2 before 4, from 22, from 27; of domain 1 before 10, from 20 */
    for (size_t i = 0; i < r.executions_n; i++)
        if (r.executions[i].domain == 2 && r.executions[i].start_ns == 22 * MS)
            EQUAL(r.executions[i].waited_ns, NS_UNKNOWN);
    result_free(&r);
    trace_bytes_free(&c);
}

static void a_contradiction_is_unknown_only_where_blind_time_overlaps_it(void)
{
    struct trace_bytes c;
    dark_beside(&c, 1, 0);
    stops(&c, 5 * MS, 2, 0, BLOCKED);
    starts(&c, 30 * MS, 2, 0); /* runnable before it: somebody woke it unseen */
    mark(&c, 40 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    const struct measures *m = ROW(&r, .domain = 2);
    STATES(m, 15 * MS, 10 * MS, 5 * MS, 0, 10 * MS);
    EQUAL(m->wait.count, 0); /* when it was woken is not known */
    EQUAL(m->block.count, 0);
    EQUAL(m->wake_wait_ns + m->preempt_wait_ns, 0);
    EQUAL(r.quality.inconsistent, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

static void a_contradiction_without_blind_time_counts_as_inconsistent(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    stops(&c, 5 * MS, 2, 0, BLOCKED);
    starts(&c, 30 * MS, 2, 0); /* 1 */
    stops(&c, 33 * MS, 2, 0, BLOCKED);
    starts(&c, 35 * MS, 2, 0); /* 2 */
    mark(&c, 40 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(r.quality.inconsistent, 2);
    EQUAL(r.quality.inconsistent_at_ns, 30 * MS);
    STATES(ROW(&r, .domain = 2), 13 * MS, 0, 27 * MS, 0, 0); /* the old state holds up to it */
    result_free(&r);
    trace_bytes_free(&c);
}

static void blind_time_that_ended_before_the_last_record_explains_nothing(void)
{
    struct trace_bytes c;
    dark_beside(&c, 1, 0);
    stops(&c, 22 * MS, 2, 0, BLOCKED);
    starts(&c, 30 * MS, 2, 0);
    mark(&c, 40 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(r.quality.inconsistent, 1);
    EQUAL(r.quality.inconsistent_at_ns, 30 * MS);
    EQUAL(ROW(&r, .domain = 2)->state_ns[RUNSTATE_UNKNOWN], 0);
    result_free(&r);
    trace_bytes_free(&c);
}

static void the_old_form_is_blind_between_its_neighbours(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    starts(&c, 2 * MS, 1, 0);
    mark(&c, 10 * MS);
    rec_lost_old(&c, 77);
    mark(&c, 25 * MS);
    stops(&c, 30 * MS, 1, 0, BLOCKED);
    mark(&c, 40 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    /* it ran just before 30, and nothing was lost between 25 and 30 */
    STATES(ROW(&r, .domain = 1), 13 * MS, 2 * MS, 10 * MS, 0, 15 * MS);
    EQUAL(r.quality.lost_records, 77);
    EQUAL(r.quality.blind_ns, 15 * MS);
    EQUAL(r.quality.inconsistent, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

static void records_may_be_lost_at_the_very_start(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 1);
    mark(&c, 0);
    mark(&c, 40 * MS);
    on(&c, 0);
    rec_lost(&c, 20 * MS, 9, 1, 0, 5 * MS);
    stops(&c, 30 * MS, 1, 0, RUNNABLE);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    STATES(ROW(&r, .domain = 1), 10 * MS, 10 * MS, 0, 0, 20 * MS);
    EQUAL(r.quality.blind_ns, 15 * MS);
    EQUAL(r.quality.inconsistent, 0);
    result_free(&r);
    r = run(&c, (struct setup){.by = BY_PCPU});
    EQUAL(ROW(&r, .pcpu = 0)->pcpu_unknown_ns, 20 * MS);
    EQUAL(ROW(&r, .pcpu = 0)->idle_ns, 10 * MS);
    result_free(&r);
    trace_bytes_free(&c);
}

static void an_execution_found_under_way_begins_where_it_became_known(void)
{
    struct trace_bytes c;
    ran_into_the_dark(&c, 1, 0);
    stops(&c, 30 * MS, 1, 0, BLOCKED);
    struct result r = run(&c, (struct setup){.by = BY_VCPU, .executions = true});
    EQUAL(r.executions_n, 2);
    if (r.executions_n == 2) {
        EQUAL(r.executions[0].ran_ns, 8 * MS);
        EQUAL(r.executions[0].end, EXECUTION_LOST);
        EQUAL(r.executions[1].start_ns, 20 * MS);
        EQUAL(r.executions[1].ran_ns, 10 * MS);
        EQUAL(r.executions[1].waited_ns, NS_UNKNOWN);
        EQUAL(r.executions[1].end, EXECUTION_BLOCKED);
    }
    result_free(&r);
    trace_bytes_free(&c);
}

static void unknown_time_is_split_at_boundaries_like_any_other(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    starts(&c, 2 * MS, 1, 0);
    rec_lost(&c, 15 * MS + 300 * US, 500, 1, 0, 11 * MS + 600 * US);
    mark(&c, 20 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU, .granularities_ns = {1 * MS}});
    EQUAL(r.intervals, 20 + 1);
    for (uint64_t i = 0; i < 20; i++) {
        static const uint64_t unknown_us[20] = {
            [11] = 400, [12] = 1000, [13] = 1000, [14] = 1000, [15] = 300};
        const struct measures *m = ROW(&r, .every = 1 * MS, .at = i * MS, .domain = 1);
        EQUAL(m->state_ns[RUNSTATE_UNKNOWN], unknown_us[i] * US);
        EQUAL(m->state_ns[RUNSTATE_RUNNABLE], i < 2 ? 1 * MS : 0);
        EQUAL(m->state_ns[RUNSTATE_RUNNING], i < 2 ? 0 : 1 * MS - unknown_us[i] * US);
    }
    result_free(&r);
    trace_bytes_free(&c);
}

/* It runs on another pCPU before the loss is reported that hid how it left the first one. */
static void a_loss_reported_late_explains_a_contradiction(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 0);
    mark(&c, 0);
    starts(&c, 2 * MS, 1, 0);
    on(&c, 1);
    mark(&c, 0);
    starts(&c, 12 * MS, 1, 0);
    for (uint64_t t = 13; t < 20; t++) {
        mark(&c, t * MS);
        sweep(&c);
    }
    on(&c, 0);
    rec_lost(&c, 20 * MS, 500, IDLE, 0, 10 * MS);
    on(&c, 1);
    mark(&c, 40 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    STATES(ROW(&r, .domain = 1), 36 * MS, 2 * MS, 0, 0, 2 * MS);
    EQUAL(r.quality.inconsistent, 0);
    EQUAL(r.quality.blind_late_ns, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

/*
 * A vCPU sleeps while another pCPU is blind twice, with 18 ms between. One that waits for 1 ms shows how long vCPUs wait, if there are
 * many more that wait for less: of a few, none need be as long as that of the one which seems to sleep.
 */
static void few_waits_do_not_show_how_long_others_are(void)
{
    for (unsigned waits = 0; waits <= 500; waits += 500) {
        struct trace_bytes c;
        trace_bytes_init(&c);
        on(&c, 0);
        mark(&c, 0);
        stops(&c, 500 * US, 2, 0, BLOCKED);
        rec_runstate(&c, 1 * MS, 3, 0, BLOCKED, RUNNABLE);
        starts(&c, 2 * MS, 3, 0);
        stops(&c, 3 * MS, 3, 0, BLOCKED);
        for (unsigned i = 0; i < waits; i++) {
            rec_runstate(&c, 3 * MS + (i * 10 + 1) * US, 3, 0, BLOCKED, RUNNABLE);
            starts(&c, 3 * MS + (i * 10 + 2) * US, 3, 0);
            stops(&c, 3 * MS + (i * 10 + 3) * US, 3, 0, BLOCKED);
        }
        rec_runstate(&c, 39 * MS, 2, 0, BLOCKED, RUNNABLE);
        mark(&c, 40 * MS);
        on(&c, 1);
        mark(&c, 0);
        rec_lost(&c, 12 * MS, 500, IDLE, 1, 10 * MS);
        rec_lost(&c, 32 * MS, 500, IDLE, 1, 30 * MS);
        mark(&c, 40 * MS);
        struct result r = run(&c, (struct setup){.by = BY_VCPU});
        EQUAL(ROW(&r, .domain = 2)->state_ns[RUNSTATE_BLOCKED], 38500 * US);
        EQUAL(ROW(&r, .domain = 2)->doubtful_ns, waits ? 4 * MS : 22 * MS);
        result_free(&r);
        trace_bytes_free(&c);
    }
}

/* Where only switches are traced: an event in the pause takes it offline, and which state it is in after lost records is not known. */
static void an_event_of_a_vcpu_that_was_paused_while_it_was_blocked_may_be_lost(void)
{
    for (int paused = 0; paused < 2; paused++) {
        struct trace_bytes c;
        trace_bytes_init(&c);
        on(&c, 0);
        mark(&c, 0);
        rec_block(&c, 10 * MS, 1, 0);
        rec_switch(&c, 10 * MS, 1, 0, IDLE, 0);
        mark(&c, 40 * MS);
        on(&c, 1);
        mark(&c, 0);
        if (paused)
            rec_sleep(&c, 11 * MS, 1, 0);
        rec_lost(&c, 16 * MS, 5, IDLE, 1, 14 * MS);
        mark(&c, 40 * MS);
        struct result r = run(&c, (struct setup){.by = BY_VCPU});
        STATES(ROW(&r, .domain = 1), 10 * MS, 0, 30 * MS, 0, 0);
        EQUAL(ROW(&r, .domain = 1)->doubtful_ns, paused ? 26 * MS : 2 * MS);
        result_free(&r);
        trace_bytes_free(&c);
    }
}

CU_TestInfo lost_tests[] = {
    TEST(lost_records_become_unknown_time),
    TEST(the_lost_record_tells_who_runs_after_it),
    TEST(a_known_vcpu_found_running_after_the_gap_is_unknown_only_within_it),
    TEST(a_vcpu_whose_records_fit_stays_known_through_the_gap_of_another_pcpu),
    TEST(a_wait_across_lost_records_is_doubtful_and_no_sample),
    TEST(a_contradiction_is_unknown_only_where_blind_time_overlaps_it),
    TEST(a_contradiction_without_blind_time_counts_as_inconsistent),
    TEST(blind_time_that_ended_before_the_last_record_explains_nothing),
    TEST(the_old_form_is_blind_between_its_neighbours),
    TEST(records_may_be_lost_at_the_very_start),
    TEST(an_execution_found_under_way_begins_where_it_became_known),
    TEST(unknown_time_is_split_at_boundaries_like_any_other),
    TEST(a_loss_reported_late_explains_a_contradiction),
    TEST(few_waits_do_not_show_how_long_others_are),
    TEST(an_event_of_a_vcpu_that_was_paused_while_it_was_blocked_may_be_lost),
    CU_TEST_INFO_NULL,
};
