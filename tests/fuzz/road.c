/*
 * Fuzz target: the whole road from the bytes of a capture to the rows of a report.
 *
 * The first byte of an input says how it is read and what is asked for (see struct choice); the rest is the capture,
 * so `tail -c +2 INPUT` is a file for xenmeter. What must hold whatever the bytes are is checked at every row
 * (report.h), and a violation aborts.
 *
 * Every input makes one report. What takes as long again is done for a part of the inputs (ways.h, struct ways): a second
 * report in the same pass, writing, a ledger of debts (debt_relation.h), intervals joined as pieces (joins.h), and consumers drawn at
 * random, together and each alone (mixture.h).
 */
#include <inttypes.h>
#include <xxhash.h>

#include "tests/fuzz/debt_relation.h"
#include "tests/fuzz/must.h"
#include "tests/fuzz/mutate.h"
#include "tests/fuzz/report.h"
#include "tests/fuzz/fuzz_store.h"
#include "tests/fuzz/chosen.h"
#include "tests/unit/mixture.h"

#define MEMORY_LIMIT (64u << 20)
#define LINES_MOST   2000 /* of one consumer of the mixture */
#define PIECES_MOST  512  /* bytes: a capture that comes in pieces */

/* What the first byte of an input decides. */
struct choice {
    struct report_choice report; /* bits 0-1, 4-7: by, part, executions, some_pcpus, fine */
    bool pieces;                 /* bit 2: the bytes come in pieces, as through a pipe */
    bool cpu_hz_given;           /* bit 3 */
};

static struct choice choose(uint8_t byte)
{
    return (struct choice){.report = {.by = byte & 3,
                                      .part = byte >> 4 & 1,
                                      .executions = byte >> 5 & 1,
                                      .some_pcpus = byte >> 6 & 1,
                                      .fine = byte >> 7 & 1},
                           .pieces = byte >> 2 & 1,
                           .cpu_hz_given = byte >> 3 & 1};
}

/* What its hash decides. */
struct ways {
    bool second;  /* one of 4: another report, by the next kind of rows */
    bool written; /* one of 8 */
    bool debts;   /* one of 4 */
    bool joins;   /* one of 4 */
    bool filed;   /* one of 32: in a file, or a pipe */
    bool mixture; /* one of 64 */
};

static struct ways ways_of(uint64_t hash)
{
    return (struct ways){.second = one_of(&hash, 4),
                         .written = one_of(&hash, 8),
                         .debts = one_of(&hash, 4),
                         .joins = one_of(&hash, 4),
                         .filed = one_of(&hash, 32),
                         .mixture = one_of(&hash, 64)};
}

/* ---- a pass ---- */

struct pass_of {
    struct choice choice;
    struct ways ways;
    struct pipeline *pipeline;
    struct report reports[2];
    size_t n; /* reports */
    struct joins joins;
    struct debts debts;
};

static struct trace *open_trace(const struct pass_of *p, struct store *bytes)
{
    struct error err = {0};
    struct trace_options options = {.cpu_hz = p->choice.cpu_hz_given ? 2.4e9 : 0,
                                    .memory_limit = MEMORY_LIMIT};
    pipeline_wants(p->pipeline, &options);
    struct trace *trace = store_read(bytes, &options, &err);
    MUST(trace || err.code != ERROR_NONE, "no trace and no reason");
    return trace;
}

static bool enough(const struct pass_of *p)
{
    return p->reports[0].enough || (p->n > 1 && p->reports[1].enough);
}

/* Feeds the consumers; true when the end was reached without an error. */
static bool read_trace(struct pass_of *p, struct trace *trace)
{
    struct error err = {0};
    struct event_batch batch;
    uint64_t last = 0, watermark = 0;
    int status;
    while ((status = trace_next(trace, &batch, &err)) > 0) {
        const struct clock *clock = trace_clock(trace);
        if (clock->cpu_hz <= 0)
            return false; /* the command says so and ends */
        for (size_t i = 0; i < batch.n; i++) {
            uint64_t tsc = batch.events[i].tsc;
            MUST(tsc >= last, "event at %" PRIu64 " after %" PRIu64, tsc, last);
            MUST(tsc >= watermark, "event at %" PRIu64 " behind the watermark %" PRIu64, tsc, watermark);
            MUST(tsc <= batch.watermark || !(batch.events[i].flags & EVENT_MODEL),
                 "event at %" PRIu64 " beyond the watermark %" PRIu64, tsc, batch.watermark);
            last = tsc;
        }
        MUST(batch.watermark >= watermark, "the watermark goes back");
        watermark = batch.watermark;
        if (pipeline_feed(p->pipeline, &batch, clock, &err) != 0) {
            MUST(enough(p) || err.code != ERROR_NONE, "ended without a reason");
            return false;
        }
    }
    MUST(status == 0 || err.code != ERROR_NONE, "failed without a reason");
    return status == 0;
}

/* Reads the trace to its end and ends the reports; false if that cannot be. */
static bool read_whole(struct pass_of *p, struct trace *trace)
{
    struct error err = {0};
    struct trace_summary s;
    if (!read_trace(p, trace))
        return false;
    trace_summarise(trace, &s);
    if (pipeline_end(p->pipeline, clock_ns(trace_clock(trace), s.tsc_last), &err) != 0) {
        MUST(enough(p) || err.code != ERROR_NONE, "ended without a reason");
        return false;
    }
    for (size_t i = 0; i < p->n; i++)
        report_end(&p->reports[i], trace, p->pipeline, i);
    return true;
}

static void add(struct pass_of *p, const struct consumer *consumer)
{
    struct error err = {0};
    MUST(pipeline_add(p->pipeline, consumer, &err) == 0, "%s", err.message);
}

static void open_pass(struct pass_of *p, uint64_t hash)
{
    p->pipeline = pipeline_new(MEMORY_LIMIT);
    MUST(p->pipeline, "no memory");
    p->n = p->ways.second ? 2 : 1;
    for (size_t i = 0; i < p->n; i++) {
        struct report_choice c = p->choice.report;
        c.by = (c.by + i) & 3;
        report_open(&p->reports[i], &c, !p->ways.written ? NULL : i ? "json" : "csv");
        add(p, &(struct consumer){.rows = &p->reports[i].options});
    }
    if (p->ways.joins) {
        joins_open(&p->joins, hash);
        p->reports[0].joins = &p->joins;
    }
    if (!p->ways.debts)
        return;
    const struct report_choice *c = &p->choice.report;
    debts_open(&p->debts, (uint64_t)c->by | (uint64_t)c->executions << 2 | (uint64_t)c->fine << 3);
    p->debts.meter.from_ns = p->reports[0].options.from_ns;
    p->debts.meter.to_ns = p->reports[0].options.to_ns;
    const struct consumer ledger = debts_consumer(&p->debts);
    add(p, &ledger);
}

static void close_pass(struct pass_of *p)
{
    for (size_t i = 0; i < p->n; i++)
        report_close(&p->reports[i]);
    if (p->ways.joins)
        joins_close(&p->joins);
    pipeline_free(p->pipeline);
    if (p->ways.debts)
        debts_close(&p->debts);
}

/* The same time runs by domain, vCPU, pCPU and domain on a pCPU. */
static void check_kinds(const struct report *a, const struct report *b)
{
    MUST(a->sums[0].state_ns[RUNSTATE_RUNNING] == b->sums[0].state_ns[RUNSTATE_RUNNING],
         "running by %s %" PRId64 " ns, by %s %" PRId64 " ns", by_names[a->by],
         a->sums[0].state_ns[RUNSTATE_RUNNING], by_names[b->by], b->sums[0].state_ns[RUNSTATE_RUNNING]);
}

static void run(struct store *bytes, const struct choice *c, const struct ways *ways, uint64_t hash)
{
    static struct pass_of p;
    p.choice = *c;
    p.ways = *ways;
    open_pass(&p, hash);
    struct trace *trace = open_trace(&p, bytes);
    bool whole = trace && read_whole(&p, trace);
    if (whole && ways->joins)
        joins_check(&p.joins);
    if (whole && p.n > 1 && p.reports[0].some_pcpus == p.reports[1].some_pcpus)
        check_kinds(&p.reports[0], &p.reports[1]);
    close_pass(&p);
    trace_close(trace);
}

static void run_mixture(struct store *bytes, const struct choice *c, uint64_t hash)
{
    const struct mixture_trace trace = {.path = bytes->path,
                                        .bytes = bytes->fd < 0 ? &bytes->bytes : NULL,
                                        .cpu_hz = c->cpu_hz_given ? 2.4e9 : 0,
                                        .unit_ns = 7777777,
                                        .end_ns = 1500000000,
                                        .memory_limit = MEMORY_LIMIT,
                                        .lines_most = LINES_MOST};
    const char *difference = mixture_difference(hash, &trace);
    MUST(!difference, "%s", difference);
}

/* ---- libFuzzer ---- */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t room, unsigned seed);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 1)
        return 0;
    struct store bytes;
    const struct choice c = choose(data[0]);
    uint64_t hash = XXH3_64bits(data, n);
    const struct ways ways = ways_of(hash);
    size_t piece = c.pieces ? 1 + hash % PIECES_MOST : 0;
    store_begin(&bytes, data + 1, n - 1, piece, ways.filed);
    run(&bytes, &c, &ways, hash);
    store_end(&bytes);
    if (!ways.mixture)
        return 0;
    store_begin(&bytes, data + 1, n - 1, 0, false);
    run_mixture(&bytes, &c, XXH3_64bits(data + 1, n - 1));
    store_end(&bytes);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t room, unsigned seed)
{
    return mutate(data, n, room, seed);
}
