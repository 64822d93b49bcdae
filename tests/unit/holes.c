/* Time in which nothing was recorded on any pCPU: a hole, unless the trace says otherwise. */
#include "run_program.h"
#include "suites.h"

#define POLL (100 * MS)

/* What each poll of xentrace leaves: dom0 wakes on pCPU 0, runs 1 ms, blocks; all rings are read. */
static void poll_at(struct trace_bytes *c, uint64_t t)
{
    on(c, 0);
    rec_runstate(c, t, 0, 0, BLOCKED, RUNNABLE);
    starts(c, t, 0, 0);
    stops(c, t + 1 * MS, 0, 0, BLOCKED);
    sweep(c);
}

/* Polls in [from, to), each `distance` after the other. */
static void polls(struct trace_bytes *c, uint64_t from, uint64_t to, uint64_t distance)
{
    for (uint64_t t = from; t < to; t += distance)
        poll_at(c, t);
}

/* pCPU 1 belongs to domain 1, which is there but for a moment at t. */
static void burner_at(struct trace_bytes *c, uint64_t t)
{
    on(c, 1);
    rec_continue(c, t, 1, 0);
}

/* A host that is polled in [0, 500] and [60000, 60500] ms, the last record before at 401 ms, the first one after at 60 s. */
static void host_with_a_hole(struct trace_bytes *c)
{
    trace_bytes_init(c);
    burner_at(c, 0);
    polls(c, 0, 500 * MS, POLL);
    burner_at(c, 60 * S);
    polls(c, 60 * S, 60 * S + 500 * MS, POLL);
}

#define LENGTH (60 * S + 401 * MS) /* of that host's trace */
#define HOLE   (60 * S - 401 * MS)

static void in_a_hole_everybody_is_unknown(void)
{
    struct trace_bytes c;
    host_with_a_hole(&c);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(r.quality.holes, 1);
    EQUAL(r.quality.hole_at_ns, 401 * MS);
    EQUAL(r.quality.hole_ns, HOLE);
    EQUAL(r.quality.unknown_ns, 2 * HOLE);
    EQUAL(r.quality.inconsistent, 0);
    EQUAL(r.quality.blind_ns, 0);
    STATES(ROW(&r, .domain = 0), 10 * MS, 0, LENGTH - HOLE - 10 * MS, 0, HOLE);
    STATES(ROW(&r, .domain = 1), LENGTH - HOLE, 0, 0, 0, HOLE);
    result_free(&r);
    r = run(&c, (struct setup){.by = BY_PCPU});
    EQUAL(r.quality.pcpu_unknown_ns, 2 * HOLE);
    for (int pcpu = 0; pcpu < 2; pcpu++)
        EQUAL(ROW(&r, .pcpu = pcpu)->pcpu_unknown_ns, HOLE);
    result_free(&r);
    trace_bytes_free(&c);
}

static void no_row_of_a_hole_is_handed_out_as_known(void)
{
    for (int bytewise = 0; bytewise < 2; bytewise++) {
        struct trace_bytes c;
        host_with_a_hole(&c);
        struct result r =
            run(&c, (struct setup){.by = BY_VCPU, .granularities_ns = {1 * S}, .bytewise = bytewise != 0});
        EQUAL(ROW(&r, .every = 1 * S, .at = 0, .domain = 1)->state_ns[RUNSTATE_UNKNOWN], 599 * MS);
        for (uint64_t at = 1 * S; at < 60 * S; at += S)
            STATES(ROW(&r, .every = 1 * S, .at = at, .domain = 1), 0, 0, 0, 0, 1 * S);
        EQUAL(ROW(&r, .every = 1 * S, .at = 60 * S, .domain = 1)->state_ns[RUNSTATE_UNKNOWN], 0);
        result_free(&r);
        trace_bytes_free(&c);
    }
}

static void who_is_first_seen_after_a_hole_is_unknown_up_to_its_end(void)
{
    struct trace_bytes c;
    host_with_a_hole(&c);
    on(&c, 1);
    rec_runstate(&c, 60 * S + 400 * MS, 2, 0, BLOCKED, RUNNABLE);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    STATES(ROW(&r, .domain = 2), 0, 1 * MS, 400 * MS, 0, 60 * S);
    result_free(&r);
    trace_bytes_free(&c);
}

static void while_one_pcpu_writes_the_silence_of_others_is_no_hole(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    burner_at(&c, 0);
    polls(&c, 0, 60 * S, POLL);
    burner_at(&c, 60 * S);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(r.quality.holes, 0);
    STATES(ROW(&r, .domain = 1), 60 * S, 0, 0, 0, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

/* Polls every `distance`; then `silence` passes between two records, and polls go on. Returns how many holes that is. */
static uint64_t holes_of(uint64_t distance, uint64_t silence)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    polls(&c, 0, 5 * distance, distance);
    uint64_t after = 4 * distance + 1 * MS + silence;
    polls(&c, after, after + 5 * distance, distance);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    uint64_t holes = r.quality.holes;
    EQUAL(r.quality.hole_ns, holes ? silence : 0);
    result_free(&r);
    trace_bytes_free(&c);
    return holes;
}

static void a_hole_is_longer_than_two_seconds_and_than_three_distances_between_sweeps(void)
{
    EQUAL(holes_of(POLL, 1990 * MS), 0);
    EQUAL(holes_of(POLL, 2010 * MS), 1);
    EQUAL(holes_of(1 * S, 2990 * MS), 0);
    EQUAL(holes_of(1 * S, 3010 * MS), 1);
    EQUAL(holes_of(5 * S, 14 * S), 0);
    EQUAL(holes_of(5 * S, 16 * S), 1);
}

/* A stamp that is wrong in each sweep, by the same, is no distance between sweeps. */
static void no_sweeps_are_an_hour_apart(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    polls(&c, 0, 5 * 3700 * S, 3700 * S);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(r.quality.holes, 4);
    result_free(&r);
    trace_bytes_free(&c);
}

/* The only pCPU is idle from 401 ms to 9 s, and says so: nobody polled. */
static void where_every_pcpu_was_idle_an_idle_run_does_not_show_that_nothing_was_missed(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    polls(&c, 0, 400 * MS, POLL);
    starts(&c, 400 * MS, 1, 0);
    stops(&c, 401 * MS, 1, 0, BLOCKED);
    starts(&c, 401 * MS, IDLE, 0);
    sweep(&c);
    rec_infprev(&c, 9 * S, IDLE, 0, 8599 * MS);
    stops(&c, 9 * S, IDLE, 0, RUNNABLE);
    starts(&c, 9 * S, 1, 0);
    stops(&c, 9 * S + 1 * MS, 1, 0, BLOCKED);
    polls(&c, 9100 * MS, 10 * S, POLL);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(r.quality.holes, 1);
    EQUAL(r.quality.hole_ns, 8599 * MS);
    result_free(&r);
    trace_bytes_free(&c);
}

/* A domain runs on pCPU 0 from 400 ms to 9 s, when it says that it ran for ran_ns; nothing else is written meanwhile. */
static uint64_t holes_around_a_run(uint64_t ran_ns)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    polls(&c, 0, 400 * MS, POLL);
    starts(&c, 400 * MS, 1, 0);
    sweep(&c);
    rec_infprev(&c, 9 * S, 1, 0, ran_ns);
    stops(&c, 9 * S, 1, 0, BLOCKED);
    polls(&c, 9100 * MS, 10 * S, POLL);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    uint64_t holes = r.quality.holes;
    EQUAL(ROW(&r, .domain = 1)->state_ns[RUNSTATE_RUNNING], holes ? 0 : 8600 * MS);
    result_free(&r);
    trace_bytes_free(&c);
    return holes;
}

/*
 * The same, where that one ran throughout; the first record of pCPU 1 comes right after, and says that the idle loop ran there for
 * so long.
 */
static void a_first_record_that_ends_a_short_run_shows_that_something_was_missed(void)
{
    for (unsigned shorter = 0; shorter < 2; shorter++) {
        struct trace_bytes c;
        trace_bytes_init(&c);
        polls(&c, 0, 400 * MS, POLL);
        starts(&c, 400 * MS, 1, 0);
        sweep(&c);
        rec_infprev(&c, 4 * S, 1, 0, 3600 * MS);
        stops(&c, 4 * S, 1, 0, BLOCKED);
        on(&c, 1);
        rec_runstate(&c, 4 * S + 1 * MS, 2, 0, BLOCKED, RUNNABLE);
        rec_infprev(&c, 4 * S + 1 * MS, IDLE, 1, shorter ? 900 * MS : 4100 * MS);
        starts(&c, 4 * S + 1 * MS, 2, 0);
        stops(&c, 4 * S + 2 * MS, 2, 0, BLOCKED);
        polls(&c, 4100 * MS, 5 * S, POLL);
        struct result r = run(&c, (struct setup){.by = BY_VCPU});
        EQUAL(r.quality.holes, shorter);
        result_free(&r);
        trace_bytes_free(&c);
    }
}

static void a_vcpu_that_ran_throughout_by_its_own_account_shows_that_nothing_was_missed(void)
{
    EQUAL(holes_around_a_run(8600 * MS), 0);
    EQUAL(holes_around_a_run(8600 * MS - (1ull << 32)), 0); /* the payload has 32 bits */
    EQUAL(holes_around_a_run(8590 * MS), 1);                /* it was switched in again unseen */
}

static void without_scheduler_records_silence_says_nothing(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    for (int i = 0; i < 5; i++) {
        mark(&c, (uint64_t)i * POLL);
        sweep(&c);
    }
    mark(&c, 60 * S);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(r.quality.holes, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

static void holes_are_found_where_states_come_from_switches(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    for (uint64_t t = 0; t < 20; t++) {
        uint64_t at = t * POLL + (t >= 10 ? 10 * S : 0);
        rec_wake(&c, at, 0, 0);
        rec_switch(&c, at, IDLE, 0, 0, 0);
        rec_block(&c, at + 1 * MS, 0, 0);
        rec_switch(&c, at + 1 * MS, 0, 0, IDLE, 0);
        sweep(&c);
    }
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(r.quality.holes, 1);
    EQUAL(ROW(&r, .domain = 0)->state_ns[RUNSTATE_UNKNOWN], 10 * S + POLL - 1 * MS);
    result_free(&r);
    trace_bytes_free(&c);
}

/* The first record of the poll at 500 ms reads 60 s. */
static void a_time_that_was_ahead_of_itself_ends_no_hole(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    polls(&c, 0, 500 * MS, POLL);
    mark(&c, 60 * S);
    polls(&c, 500 * MS, 1 * S, POLL);
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(r.quality.holes, 0);
    EQUAL(r.quality.hole_ns, 0);
    EQUAL(r.quality.tsc_backwards, 1);
    EQUAL(r.end_ns, 901 * MS);
    STATES(ROW(&r, .domain = 0), 10 * MS, 0, 891 * MS, 0, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

/* After 60 s the file has a part of a window of pCPU 0, and nothing of pCPU 1, which wrote last at 400 ms. */
static void where_the_result_ends_before_it_there_is_no_hole(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    for (uint64_t t = 0; t < 500 * MS; t += POLL) {
        burner_at(&c, t);
        poll_at(&c, t);
    }
    on(&c, 0);
    mark(&c, 60 * S);
    mark(&c, 60 * S + 1 * MS);
    sweep(&c);
    c.file.n -= 4;
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(r.quality.holes, 0);
    EQUAL(r.quality.hole_ns, 0);
    EQUAL(r.quality.unknown_ns, 0);
    EQUAL(r.end_ns, 400 * MS);
    EQUAL(r.quality.cut_ns, 60 * S - 400 * MS);
    result_free(&r);
    trace_bytes_free(&c);
}

/* Two quiet pCPUs in turns, 100 ms apart: a sweep for both seems to end when pCPU 1 has just written. */
static void a_pcpu_that_is_as_silent_at_the_end_as_before_is_no_cut(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    for (unsigned turn = 0; turn <= 20; turn++) {
        uint64_t t = turn * 100 * MS + 1 * MS;
        unsigned p = turn % 2;
        on(&c, p);
        rec_runstate(&c, t, p + 1, 0, BLOCKED, RUNNABLE);
        starts(&c, t, p + 1, 0);
        stops(&c, t + 1 * MS, p + 1, 0, BLOCKED);
        flush(&c, p);
    }
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    EQUAL(r.quality.cut_ns, 0);
    EQUAL(r.end_ns, 2001 * MS);
    STATES(ROW(&r, .domain = 1), 11 * MS, 0, 1990 * MS, 0, 0);
    result_free(&r);
    trace_bytes_free(&c);
}

CU_TestInfo holes_tests[] = {
    TEST(in_a_hole_everybody_is_unknown),
    TEST(no_row_of_a_hole_is_handed_out_as_known),
    TEST(who_is_first_seen_after_a_hole_is_unknown_up_to_its_end),
    TEST(while_one_pcpu_writes_the_silence_of_others_is_no_hole),
    TEST(a_hole_is_longer_than_two_seconds_and_than_three_distances_between_sweeps),
    TEST(no_sweeps_are_an_hour_apart),
    TEST(where_every_pcpu_was_idle_an_idle_run_does_not_show_that_nothing_was_missed),
    TEST(a_first_record_that_ends_a_short_run_shows_that_something_was_missed),
    TEST(a_vcpu_that_ran_throughout_by_its_own_account_shows_that_nothing_was_missed),
    TEST(without_scheduler_records_silence_says_nothing),
    TEST(holes_are_found_where_states_come_from_switches),
    TEST(a_time_that_was_ahead_of_itself_ends_no_hole),
    TEST(where_the_result_ends_before_it_there_is_no_hole),
    TEST(a_pcpu_that_is_as_silent_at_the_end_as_before_is_no_cut),
    CU_TEST_INFO_NULL,
};
