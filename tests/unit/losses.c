/* Records that were lost twice: what may have happened in either loss is doubtful. */
#include "run_program.h"
#include "suites.h"

/* Many short waits, in the first ms: the longest wait that the trace shows is the longest of many. */
static void shows_many_waits(struct trace_bytes *c)
{
    on(c, 3);
    for (uint64_t i = 0; i < 400; i++) {
        starts(c, (2 * i + 1) * US, 9, 0);
        stops(c, (2 * i + 2) * US, 9, 0, RUNNABLE);
    }
    starts(c, 900 * US, 9, 0);
    stops(c, 901 * US, 9, 0, BLOCKED);
}

/* pCPU 0, on which domain 1 runs, is blind in [10, 14] and [20, 24]; pCPU 1 is the current one. */
static void two_losses(struct trace_bytes *c)
{
    trace_bytes_init(c);
    shows_many_waits(c);
    on(c, 0);
    mark(c, 0);
    starts(c, 1 * MS, 1, 0);
    rec_lost(c, 14 * MS, 5, 1, 0, 10 * MS);
    rec_lost(c, 24 * MS, 5, 1, 0, 20 * MS);
    on(c, 1);
    mark(c, 0);
}

/* Domain 2 sleeps from 5 on; the longest wait that the trace shows is its own, of 2 ms. */
static void sleeps_after_a_wait(struct trace_bytes *c)
{
    two_losses(c);
    stops(c, 1 * MS, 2, 0, RUNNABLE);
    starts(c, 3 * MS, 2, 0);
    stops(c, 5 * MS, 2, 0, BLOCKED);
}

static void between_two_losses_a_vcpu_that_seems_to_wait_is_doubtful(void)
{
    struct trace_bytes c;
    two_losses(&c);
    stops(&c, 5 * MS, 2, 0, RUNNABLE);
    starts(&c, 30 * MS, 2, 0); /* it may have blocked in the first loss, and been woken in the second */
    mark(&c, 40 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    STATES(ROW(&r, .domain = 2), 15 * MS, 25 * MS, 0, 0, 0);
    EQUAL(ROW(&r, .domain = 2)->doubtful_ns, 14 * MS);
    EQUAL(ROW(&r, .domain = 2)->wait.count, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

/* Domain 3 sleeps from 6 to 30; the longest wait that the trace shows is domain 2's. */
static void sleeps_across_two_losses(uint64_t wait_ns, uint64_t doubtful_ns)
{
    struct trace_bytes c;
    two_losses(&c);
    stops(&c, 1 * MS, 2, 0, RUNNABLE);
    starts(&c, 1 * MS + wait_ns, 2, 0);
    rec_runstate(&c, 5 * MS, 3, 0, BLOCKED, RUNNABLE);
    replaces(&c, 5 * MS, 2, 0, OFFLINE, 3, 0);
    stops(&c, 6 * MS, 3, 0, BLOCKED);
    rec_runstate(&c, 30 * MS, 3, 0, BLOCKED, RUNNABLE);
    starts(&c, 30 * MS, 3, 0);
    mark(&c, 40 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(ROW(&r, .domain = 3)->state_ns[RUNSTATE_BLOCKED], 5 * MS + 24 * MS);
    EQUAL(ROW(&r, .domain = 3)->state_ns[RUNSTATE_UNKNOWN], 0);
    EQUAL(ROW(&r, .domain = 3)->doubtful_ns, doubtful_ns);
    result_free(&r);
    trace_bytes_free(&c);
}

static void between_two_losses_a_sleeper_is_doubtful_if_waits_last_so_long(void)
{
    sleeps_across_two_losses(2 * MS, 8 * MS);
    sleeps_across_two_losses(3 * MS, 14 * MS);
}

/* A sleeper whose wake is lost: not in a loss after which it slept for longer than anybody waits. */
static void a_wake_is_lost_in_the_last_losses(void)
{
    struct trace_bytes c;
    sleeps_after_a_wait(&c);
    starts(&c, 30 * MS, 2, 0);
    mark(&c, 40 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    STATES(ROW(&r, .domain = 2), 1 * MS + 2 * MS + 10 * MS, 2 * MS + 6 * MS, 15 * MS, 0, 4 * MS);
    EQUAL(ROW(&r, .domain = 2)->doubtful_ns, 4 * MS);
    result_free(&r);
    trace_bytes_free(&c);
}

/* Nobody waits for more than 2 ms: that says nothing of how long the pause was. */
static void a_pause_found_after_lost_records_began_in_any_of_them(void)
{
    struct trace_bytes c;
    sleeps_after_a_wait(&c);
    rec_runstate(&c, 30 * MS, 2, 0, OFFLINE, RUNNABLE);
    starts(&c, 30 * MS, 2, 0);
    rec_runstate(&c, 31 * MS, 4, 0, OFFLINE, RUNNABLE);
    mark(&c, 40 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    STATES(ROW(&r, .domain = 2), 13 * MS, 2 * MS, 5 * MS, 6 * MS, 14 * MS);
    STATES(ROW(&r, .domain = 4), 0, 9 * MS, 0, 31 * MS, 0);
    EQUAL(ROW(&r, .domain = 4)->doubtful_ns, 24 * MS);
    result_free(&r);
    trace_bytes_free(&c);
}

/* The current pCPU ends at 40. pCPU 2, whose clock is 3 us ahead, woke domain 2 just before its dispatch at 30. */
static struct result run_with_a_late_wake(struct trace_bytes *c)
{
    mark(c, 40 * MS);
    on(c, 2);
    rec_runstate(c, 30 * MS + 3 * US, 2, 0, BLOCKED, RUNNABLE);
    mark(c, 40 * MS);
    return run(c, (struct setup){.by = BY_VCPU});
}

/* Up to the wake of pCPU 2 it slept, as far as nothing was lost. */
static void a_wake_recorded_after_its_dispatch_ends_a_sleep_across_lost_records(void)
{
    struct trace_bytes c;
    sleeps_after_a_wait(&c);
    starts(&c, 30 * MS, 2, 0);
    struct result r = run_with_a_late_wake(&c);
    STATES(ROW(&r, .domain = 2), 13 * MS, 2 * MS, 15 * MS + 6 * MS, 0, 4 * MS);
    EQUAL(ROW(&r, .domain = 2)->doubtful_ns, 4 * MS);
    EQUAL(ROW(&r, .domain = 2)->wakes, 1);
    EQUAL(r.quality.skew_max_ns, 3 * US);
    result_free(&r);
    trace_bytes_free(&c);
}

/* It ran so shortly that the wake of pCPU 2 seems to follow: but it was woken again while it slept. */
static void a_wake_recorded_after_its_run_did_not_wake_it_again(void)
{
    struct trace_bytes c;
    sleeps_after_a_wait(&c);
    starts(&c, 30 * MS, 2, 0);
    stops(&c, 30 * MS + 1 * US, 2, 0, BLOCKED);
    rec_runstate(&c, 35 * MS, 2, 0, BLOCKED, RUNNABLE);
    starts(&c, 35 * MS, 2, 0);
    struct result r = run_with_a_late_wake(&c);
    STATES(ROW(&r, .domain = 2), 8 * MS + 1 * US, 2 * MS, 26 * MS - 1 * US, 0, 4 * MS);
    EQUAL(ROW(&r, .domain = 2)->wakes, 2);
    EQUAL(r.quality.skew_max_ns, 3 * US);
    EQUAL(r.quality.inconsistent, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

/* Its first record comes when the intervals with the losses were handed out: the whole trace is open. */
static void who_is_first_seen_late_may_have_run_in_losses_before(void)
{
    struct trace_bytes c;
    two_losses(&c);
    for (uint64_t t = 100 * MS; t < 5000 * MS; t += 100 * MS) {
        starts(&c, t, 2, 0);
        stops(&c, t + 1 * MS, 2, 0, RUNNABLE);
        sweep(&c);
    }
    rec_runstate(&c, 5000 * MS, 4, 0, BLOCKED, RUNNABLE);
    mark(&c, 5010 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU, .granularities_ns = {1 * S}});
    CHECK(!HAS_ROW(&r, .every = 1 * S, .at = 0, .domain = 4));
    STATES(ROW(&r, .domain = 4), 0, 10 * MS, 5000 * MS, 0, 0);
    EQUAL(ROW(&r, .domain = 4)->doubtful_ns, 8 * MS);
    EQUAL(ROW(&r, .every = 1 * S, .at = 4 * S, .domain = 4)->doubtful_ns, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

static void who_seems_to_wait_and_never_comes_back_is_unknown(void)
{
    struct trace_bytes c;
    two_losses(&c);
    stops(&c, 5 * MS, 2, 0, RUNNABLE);
    mark(&c, 40 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    STATES(ROW(&r, .domain = 2), 5 * MS, 5 * MS, 0, 0, 30 * MS);
    result_free(&r);
    trace_bytes_free(&c);
}

/* Domain 2 is paused at 5; `released` at 30, or never. It may have been released, and blocked, in either loss. */
static void is_paused(bool released, uint64_t doubtful_ns)
{
    struct trace_bytes c;
    two_losses(&c);
    stops(&c, 5 * MS, 2, 0, OFFLINE);
    if (released)
        rec_runstate(&c, 30 * MS, 2, 0, OFFLINE, RUNNABLE);
    mark(&c, 40 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(ROW(&r, .domain = 2)->state_ns[RUNSTATE_OFFLINE], released ? 25 * MS : 35 * MS);
    EQUAL(ROW(&r, .domain = 2)->doubtful_ns, doubtful_ns);
    result_free(&r);
    trace_bytes_free(&c);
}

static void whose_pause_may_have_ended_in_a_loss_is_doubtful_until_its_next_record(void)
{
    is_paused(true, 14 * MS);
    is_paused(false, 30 * MS);
}

/*
 * Nobody waits for more than 2 ms. Domain 3 sleeps from 5 to 30; domain 5 runs in its place, all the time, or the pCPU decides
 * so once more between the losses.
 */
static void sleeps_behind_a_burner(bool decides, uint64_t doubtful_ns)
{
    struct trace_bytes c;
    sleeps_after_a_wait(&c);
    on(&c, 2);
    starts(&c, 2 * MS, 3, 0);
    rec_runstate(&c, 5 * MS, 5, 0, BLOCKED, RUNNABLE);
    replaces(&c, 5 * MS, 3, 0, BLOCKED, 5, 0);
    if (decides)
        rec_continue(&c, 17 * MS, 5, 0);
    rec_runstate(&c, 30 * MS, 3, 0, BLOCKED, RUNNABLE);
    mark(&c, 40 * MS);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(ROW(&r, .domain = 3)->state_ns[RUNSTATE_BLOCKED], 25 * MS);
    EQUAL(ROW(&r, .domain = 3)->doubtful_ns, doubtful_ns);
    result_free(&r);
    trace_bytes_free(&c);
}

static void a_sleeper_may_wait_for_as_long_as_its_pcpu_takes_no_decision(void)
{
    sleeps_behind_a_burner(false, 14 * MS);
    sleeps_behind_a_burner(true, 8 * MS);
}

/* Domain 1 runs on pCPU 0 from 1 ms on, blocks at 10 and runs again at 12 ms; the records of both are damaged. */
static void damaged(uint64_t next_record, uint64_t unknown_ns)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    on(&c, 1);
    mark(&c, 0);
    on(&c, 0);
    mark(&c, 0);
    starts(&c, 1 * MS, 1, 0);
    sweep(&c);
    size_t window = c.file.n;
    stops(&c, 10 * MS, 1, 0, BLOCKED);
    starts(&c, 12 * MS, 1, 0);
    sweep(&c);
    patch32(&c, window + 12, 0xffffffff);
    if (next_record)
        rec_continue(&c, next_record, 1, 0);
    on(&c, 1);
    mark(&c, 30 * MS);
    sweep(&c);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(r.quality.blind_ns, unknown_ns);
    EQUAL(r.quality.inconsistent, 0);
    CHECK(r.quality.skipped_bytes > 0);
    STATES(ROW(&r, .domain = 1), 29 * MS - unknown_ns, 1 * MS, 0, 0, unknown_ns);
    result_free(&r);
    trace_bytes_free(&c);
}

static void a_pcpu_is_blind_from_damaged_records_to_its_next_one(void)
{
    damaged(20 * MS, 19 * MS);
}

static void a_pcpu_whose_last_records_are_damaged_is_blind_to_the_end(void)
{
    damaged(0, 29 * MS);
}

CU_TestInfo losses_tests[] = {
    TEST(a_pcpu_is_blind_from_damaged_records_to_its_next_one),
    TEST(a_pcpu_whose_last_records_are_damaged_is_blind_to_the_end),
    TEST(whose_pause_may_have_ended_in_a_loss_is_doubtful_until_its_next_record),
    TEST(a_sleeper_may_wait_for_as_long_as_its_pcpu_takes_no_decision),
    TEST(between_two_losses_a_vcpu_that_seems_to_wait_is_doubtful),
    TEST(between_two_losses_a_sleeper_is_doubtful_if_waits_last_so_long),
    TEST(a_wake_is_lost_in_the_last_losses),
    TEST(a_pause_found_after_lost_records_began_in_any_of_them),
    TEST(a_wake_recorded_after_its_dispatch_ends_a_sleep_across_lost_records),
    TEST(a_wake_recorded_after_its_run_did_not_wake_it_again),
    TEST(who_is_first_seen_late_may_have_run_in_losses_before),
    TEST(who_seems_to_wait_and_never_comes_back_is_unknown),
    CU_TEST_INFO_NULL,
};
