/* Clocks of pCPUs that leave the others', and captures joined on. */
#include <string.h>

#include "random.h"
#include "run_program.h"
#include "suites.h"

#define PCPUS     4
#define SWEEP     (100 * MS)
#define SWEEPS    12
#define SECOND_NS 1000000000ll

/* A vCPU on each pCPU runs 2 ms in each 5 ms. */
struct plan {
    uint64_t pcpus, begin, sweeps;
    unsigned jumper;         /* the pCPU whose clock jumps, */
    uint64_t jumps, returns; /* in which sweeps, or never if 0 */
    int64_t by;
    uint64_t silent; /* so many sweeps before the jump it wrote nothing */
};

static int64_t offset_of(const struct plan *p, unsigned pcpu, uint64_t k)
{
    bool off = p->jumps && pcpu == p->jumper && k >= p->jumps && (!p->returns || k < p->returns);
    return off ? p->by : 0;
}

static void write_host(struct trace_bytes *c, const struct plan *p)
{
    for (uint64_t k = 0; k < p->sweeps; k++) {
        for (unsigned pcpu = 0; pcpu < p->pcpus; pcpu++) {
            int64_t offset = offset_of(p, pcpu, k);
            bool silent = pcpu == p->jumper && k < p->jumps && k + p->silent >= p->jumps;
            on(c, pcpu);
            for (uint64_t t = 0; t < SWEEP && !silent; t += 5 * MS) {
                uint64_t at = p->begin + k * SWEEP + t + (uint64_t)offset + pcpu * 10 * US;
                starts(c, at, 1 + pcpu, 0);
                stops(c, at + 2 * MS, 1 + pcpu, 0, BLOCKED);
            }
        }
        sweep(c);
    }
}

static void a_jump_is_named_and_its_time_unknown(void)
{
    static const int64_t jumps[] = {300 * MS,           5 * SECOND_NS,  7200 * SECOND_NS, 86400 * SECOND_NS,
                                    -300 * (int64_t)MS, -5 * SECOND_NS, -900 * SECOND_NS};
    for (unsigned i = 0; i < sizeof jumps / sizeof jumps[0]; i++)
        for (unsigned jumper = 0; jumper < PCPUS; jumper++)
            for (unsigned variant = 0; variant < 4; variant++) {
                const struct plan plan = {.pcpus = variant == 3 ? 2 : PCPUS,
                                          .begin = 1000 * S,
                                          .sweeps = SWEEPS,
                                          .jumper = variant == 3 ? jumper % 2 : jumper,
                                          .jumps = 5,
                                          .returns = variant == 1 ? 8 : 0,
                                          .silent = variant == 2 ? 3 : 0,
                                          .by = jumps[i]};
                struct trace_bytes c;
                trace_bytes_init(&c);
                write_host(&c, &plan);
                struct result r = run(&c, (struct setup){.by = BY_PCPU});
                EQUAL(r.status, 0);
                EQUAL(r.quality.tsc_jumps, 1);
                EQUAL(r.quality.skipped_bytes, 0);
                EQUAL(r.quality.joined_bytes, 0);
                CHECK(r.end_ns >= SWEEPS * SWEEP - 10 * MS && r.end_ns <= SWEEPS * SWEEP);
                for (unsigned pcpu = 0; pcpu < plan.pcpus; pcpu++) {
                    const struct measures *m = ROW(&r, .pcpu = (int)pcpu);
                    int64_t running = m->state_ns[RUNSTATE_RUNNING], truth = SWEEPS * SWEEP / 5 * 2;
                    truth -= pcpu == plan.jumper ? (int64_t)(plan.silent * SWEEP / 5 * 2) : 0;
                    CHECK(running <= truth && running + m->pcpu_unknown_ns >= truth);
                    CHECK((m->pcpu_unknown_ns > 0) == (pcpu == plan.jumper));
                }
                result_free(&r);
                trace_bytes_free(&c);
            }
}

/* One pCPU is quiet, the sweeps are long, all are silent for a while: no clock has jumped. */
static void silence_is_no_jump(void)
{
    for (uint64_t seed = 1; seed <= 40; seed++) {
        uint64_t random = seed, now = 0;
        struct trace_bytes c;
        trace_bytes_init(&c);
        for (unsigned k = 0; k < 20; k++) {
            uint64_t long_ns = random_below(&random, 3) ? 100 * MS : random_below(&random, 20) * S;
            for (unsigned i = 0; i < 6; i++) {
                on(&c, (unsigned)random_below(&random, PCPUS));
                now += random_below(&random, long_ns / 6 + 1);
                mark(&c, now);
            }
            sweep(&c);
        }
        struct result r = run(&c, (struct setup){.by = BY_PCPU});
        EQUAL(r.quality.tsc_jumps, 0);
        EQUAL(r.quality.joined_bytes, 0);
        EQUAL(r.quality.unplaced_bytes, 0);
        result_free(&r);
        trace_bytes_free(&c);
    }
}

static void one_damaged_time_is_no_jump(void)
{
    const struct plan plan = {.pcpus = PCPUS, .begin = 1000 * S, .sweeps = 4};
    struct trace_bytes c;
    trace_bytes_init(&c);
    write_host(&c, &plan);
    for (size_t record = 0; record < c.file.n / 16; record += 7)
        for (unsigned bit = 26; bit < 38; bit++) {
            size_t at = record / 80 * (12 + 80 * 16) + 12 + record % 80 * 16 + 4;
            if (at + 8 > c.file.n)
                continue;
            c.file.data[at + bit / 8] ^= (uint8_t)(1u << bit % 8);
            struct result r = run(&c, (struct setup){.by = BY_PCPU});
            EQUAL(r.quality.joined_bytes, 0);
            EQUAL(r.quality.unplaced_bytes, 0);
            result_free(&r);
            c.file.data[at + bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    trace_bytes_free(&c);
}

/*
 * The clock of pCPU 1 leaves. One of its windows begins with a damaged time, which no later one confirms, and goes on where
 * pCPU 1 is by its own clock: it does not come back by that, and its records are not used.
 */
static void a_damaged_time_does_not_bring_a_clock_back(void)
{
    for (unsigned bit = 30; bit < 46; bit++)
        for (uint64_t damaged = 6; damaged < 9; damaged++) {
            const struct plan plan = {.pcpus = PCPUS,
                                      .begin = 1000 * S,
                                      .sweeps = SWEEPS,
                                      .jumper = 1,
                                      .jumps = 5,
                                      .by = 900 * SECOND_NS};
            struct trace_bytes c;
            trace_bytes_init(&c);
            write_host(&c, &plan);
            size_t window = 12 + SWEEP / (5 * MS) * 4 * 16, at = (damaged * PCPUS + 1) * window + 12 + 4;
            c.file.data[at + bit / 8] ^= (uint8_t)(1u << bit % 8);
            struct result r = run(&c, (struct setup){.by = BY_PCPU});
            const struct measures *m = ROW(&r, .pcpu = 1);
            EQUAL(r.quality.tsc_jumps, 1);
            EQUAL(m->state_ns[RUNSTATE_RUNNING], 5 * SWEEP / 5 * 2);
            EQUAL(m->pcpu_unknown_ns, r.quality.blind_ns);
            CHECK(r.end_ns >= SWEEPS * SWEEP - 10 * MS && r.end_ns <= SWEEPS * SWEEP);
            result_free(&r);
            trace_bytes_free(&c);
        }
}

/* ---- clocks that are set by less ---- */

struct set_plan {
    int64_t by;     /* the clock of pCPU 1, ns, */
    uint64_t at;    /* from then on; 0: from SET_AT */
    bool xens;      /* so is Xen's, instead */
    uint64_t sweep; /* how often the rings are read; 0: SET_SWEEP */
    uint64_t
        gap_from; /* nothing is recorded in [gap_from, gap_to), on any pCPU: xentrace was stopped; 0, 0: not so */
    uint64_t gap_to;
};
#define SET_BASE  (1 * S) /* counters when the trace begins */
#define SET_SWEEP (20 * MS)
#define SET_AT    (403 * MS)
#define SET_ENDS  (1200 * MS)
#define SET_ROUND (6 * MS)

/* A vCPU was switched out at `to` after a run since `from`, and another one comes. */
static void set_switch(struct trace_bytes *c, uint64_t from, uint64_t to, int64_t off, int64_t longer,
                       const uint16_t out[2], const uint16_t in[2])
{
    uint64_t at = SET_BASE + to + (uint64_t)off;
    rec_infprev(c, at, out[0], out[1], (uint64_t)((int64_t)(to - from) + longer));
    rec_runstate(c, at, out[0], out[1], RUNNING, out[0] == IDLE ? RUNNABLE : BLOCKED);
    rec_runstate(c, at, in[0], in[1], RUNNABLE, RUNNING);
}

/* d1v0 runs 2 ms on pCPU 0 and then at once 2 ms on pCPU 1, where pCPU 0 wakes it; each 6 ms. */
static void set_round(struct trace_bytes *c, const struct set_plan *p, uint64_t t)
{
    static const uint16_t guest[] = {1, 0};
    uint64_t set_at = p->at ? p->at : SET_AT;
    for (unsigned pcpu = 0; pcpu < 2; pcpu++) {
        const uint16_t idle[] = {IDLE, (uint16_t)pcpu};
        uint64_t begins = t + pcpu * 2 * MS, ends = begins + 2 * MS;
        int64_t set = pcpu == 1 && begins >= set_at ? p->by : 0, off = p->xens ? 0 : set;
        bool first = pcpu == 1 && begins >= set_at && begins < set_at + SET_ROUND;
        uint64_t last = begins - SET_ROUND + 2 * MS; /* since when the pCPU is idle */
        if (p->gap_to && last < p->gap_from && begins >= p->gap_to)
            last += (begins - last) / SET_ROUND * SET_ROUND; /* rounds in between were missed */
        on(c, pcpu);
        rec_runstate(c, SET_BASE + begins + (uint64_t)off, 1, 0, BLOCKED, RUNNABLE);
        set_switch(c, last, begins, off, first && p->xens ? p->by : 0, idle, guest);
        set_switch(c, begins, ends, off, 0, guest, idle);
    }
}

static struct result run_set(const struct set_plan *p)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    for (uint64_t t = 0, swept = 0; t < SET_ENDS; t += SET_ROUND) {
        bool missed = t + SET_ROUND > p->gap_from && t < p->gap_to;
        if (t - swept >= (p->sweep ? p->sweep : SET_SWEEP) || (missed && swept < p->gap_from)) {
            sweep(&c);
            swept = t;
        }
        if (!missed)
            set_round(&c, p, t);
    }
    struct result r = run(&c, (struct setup){.by = BY_VCPU});
    trace_bytes_free(&c);
    return r;
}

/* The clock is named, and the vCPU's truth lies within what is reported of it. */
static void check_set(const struct set_plan *p)
{
    struct result r = run_set(p);
    const struct measures *m = ROW(&r, .domain = 1);
    int64_t truth = SET_ENDS / SET_ROUND * 4 * MS, running = m->state_ns[RUNSTATE_RUNNING];
    CHECK(r.quality.tsc_jumps >= 1); /* of two pCPUs it may not be known whose clock left */
    CHECK(p->by > 0 || r.end_ns <= SET_ENDS);
    CHECK(running <= truth &&
          running + m->state_ns[RUNSTATE_UNKNOWN] + m->doubtful_ns >= truth - 4 * (int64_t)MS);
    result_free(&r);
}

static void a_clock_that_was_set_by_little_is_not_used(void)
{
    static const int64_t sets[] = {3 * MS, 13 * MS, 100 * MS, -3 * (int64_t)MS, -13 * (int64_t)MS};
    for (unsigned i = 0; i < sizeof sets / sizeof sets[0]; i++)
        check_set(&(struct set_plan){.by = sets[i]});
}

/* The trace begins where it did; what was recorded before the clock was set does not move. */
static void nor_is_one_that_was_set_back_to_before_the_trace_begins(void)
{
    for (uint64_t at = 60 * MS; at <= 240 * MS; at += 20 * MS)
        check_set(&(struct set_plan){.by = -(int64_t)at - 40 * (int64_t)MS, .at = at, .sweep = 400 * MS});
}

static void where_xens_clock_was_set_that_of_the_pcpu_is_used(void)
{
    struct result r = run_set(&(struct set_plan){.by = 5 * MS, .xens = true});
    EQUAL(r.quality.tsc_jumps, 0);
    EQUAL(r.quality.unknown_ns, 0);
    EQUAL(r.quality.doubtful_ns, 0);
    result_free(&r);
}

static void a_pause_between_two_captures_of_a_boot_is_a_hole(void)
{
    for (uint64_t pause = 60 * MS; pause <= 600 * MS; pause *= 3) {
        struct result r = run_set(&(struct set_plan){.gap_from = 300 * MS, .gap_to = 300 * MS + pause});
        const struct measures *m = ROW(&r, .domain = 1);
        EQUAL(r.quality.holes, 1);
        EQUAL(r.quality.tsc_jumps, 0);
        EQUAL(r.quality.core_pcpus_unknown, 0);
        CHECK(r.quality.hole_ns >= pause - SET_ROUND && r.quality.hole_ns <= pause + 2 * SET_ROUND);
        CHECK(m->state_ns[RUNSTATE_UNKNOWN] >= (int64_t)(pause - SET_ROUND));
        EQUAL(m->doubtful_ns, 0);
        result_free(&r);
    }
}

/* ---- captures joined on ---- */

static void another_capture_is_named_and_not_used(void)
{
    for (unsigned variant = 0; variant < 96; variant++) {
        unsigned pcpus = variant % 4 == 0 ? 1 : variant % 4 == 1 ? 2 : PCPUS;
        unsigned then_pcpus = variant % 3 == 0 ? 1 : variant % 3 == 1 ? 2 : 6;
        bool cut = variant % 2;
        static const uint64_t second_sweeps[] = {30, 1, 2, 3};
        static const uint64_t begins[] = {1000 * S, 999 * S, 3 * S, 1000000 * S};
        const struct plan first = {.pcpus = pcpus, .begin = 1000 * S, .sweeps = 6};
        const struct plan second = {
            .pcpus = then_pcpus, .begin = begins[variant / 4 % 4], .sweeps = second_sweeps[variant / 24]};
        struct trace_bytes c;
        trace_bytes_init(&c);
        write_host(&c, &first);
        uint64_t missing = cut ? 30 + variant % 24 : 0;
        c.file.n -= missing;
        size_t at = c.file.n;
        write_host(&c, &second);
        struct result r = run(&c, (struct setup){.by = BY_PCPU});
        EQUAL(r.status, 0);
        EQUAL(r.quality.joined_at, at);
        EQUAL(r.quality.joined_bytes, c.file.n - at);
        EQUAL(r.quality.tsc_jumps, 0);
        EQUAL(r.quality.unplaced_bytes, 0);
        EQUAL(r.quality.skipped_bytes, 0);
        EQUAL(r.quality.truncated_bytes > 0, cut);
        EQUAL(r.quality.blind_ns, 0);
        CHECK(r.end_ns <= 6 * SWEEP && r.end_ns >= 6 * SWEEP - 12 * MS);
        EQUAL(r.summary.pcpus, pcpus);
        result_free(&r);
        trace_bytes_free(&c);
    }
}

/* A run of a vCPU in the ring of the pCPU. */
static void write_run(struct trace_bytes *c, unsigned pcpu, uint64_t at)
{
    on(c, pcpu);
    starts(c, at, 1 + pcpu, 0);
    stops(c, at + 2 * MS, 1 + pcpu, 0, BLOCKED);
}

/*
 * Quiet hosts: few pCPUs write anything, a sweep or two, and not the same ones on both hosts. The other capture's windows are of
 * pCPUs that were silent so far, or that wrote in an earlier sweep.
 */
static void another_capture_of_other_pcpus_is_named(void)
{
    for (unsigned sweeps = 1; sweeps <= 3; sweeps++)
        for (unsigned then = 2; then <= 4; then++) {
            struct trace_bytes c;
            trace_bytes_init(&c);
            for (unsigned k = 0; k < sweeps; k++) {
                write_run(&c, 3, 1000 * S + k * SWEEP);
                write_run(&c, 5, 1000 * S + k * SWEEP + 20 * MS);
                sweep(&c);
            }
            size_t at = c.file.n;
            for (unsigned i = 0; i < then; i++)
                write_run(&c, i, 900 * S + i * 10 * MS);
            sweep(&c);
            struct result r = run(&c, (struct setup){.by = BY_PCPU});
            EQUAL(r.status, 0);
            EQUAL(r.quality.joined_at, at);
            EQUAL(r.quality.tsc_jumps, 0);
            EQUAL(r.summary.pcpus, 2);
            EQUAL(r.end_ns, (sweeps - 1) * SWEEP + 22 * MS);
            result_free(&r);
            trace_bytes_free(&c);
        }
}

/* All of them wrote only after a while, as they do on a quiet host: one that comes much earlier has left, not they. */
static void many_that_were_silent_outweigh_one(void)
{
    struct trace_bytes c;
    trace_bytes_init(&c);
    for (unsigned k = 0; k < 4; k++) {
        write_run(&c, 1 + k % 3, 1000 * S + k * SWEEP);
        sweep(&c);
    }
    write_run(&c, 0, 900 * S);
    sweep(&c);
    write_run(&c, 1, 1001 * S);
    sweep(&c);
    struct result r = run(&c, (struct setup){.by = BY_PCPU});
    EQUAL(r.status, 0);
    EQUAL(r.quality.tsc_jumps, 1);
    EQUAL(r.end_ns, 1 * S + 2 * MS);
    result_free(&r);
    trace_bytes_free(&c);
}

CU_TestInfo step_tests[] = {
    TEST(a_jump_is_named_and_its_time_unknown),
    TEST(silence_is_no_jump),
    TEST(one_damaged_time_is_no_jump),
    TEST(a_clock_that_was_set_by_little_is_not_used),
    TEST(nor_is_one_that_was_set_back_to_before_the_trace_begins),
    TEST(where_xens_clock_was_set_that_of_the_pcpu_is_used),
    TEST(a_pause_between_two_captures_of_a_boot_is_a_hole),
    TEST(a_damaged_time_does_not_bring_a_clock_back),
    TEST(another_capture_is_named_and_not_used),
    TEST(another_capture_of_other_pcpus_is_named),
    TEST(many_that_were_silent_outweigh_one),
    CU_TEST_INFO_NULL,
};
