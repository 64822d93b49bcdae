/*
 * Reading a trace from the middle, with what an entry tells of its past, gives what reading it from the beginning gives:
 * every row, every histogram, every execution.
 */
#include "archive/entry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/results.h"
#include "check.h"
#include "metrics/meter.h"
#include "suites.h"

#define BYS  4
#define CUTS 4096

struct cut {
    uint64_t offset, tsc;
    char *text; /* of the entry; NULL: there is none */
    size_t n;
};

/* A whole capture in memory, and the places where it can be begun. */
struct kept {
    uint8_t *bytes;
    size_t n, capacity;
    size_t chunk_bytes;
    struct cut cuts[CUTS];
    unsigned cuts_n, marked, entries;
    struct entry_log *log;
    struct clock clock;
    uint64_t end_ns;
};

static int keep_bytes(void *context, const uint8_t *bytes, size_t n, struct error *err)
{
    struct kept *k = context;
    (void)err;
    if (k->n + n > k->capacity) {
        k->capacity = 2 * (k->n + n);
        k->bytes = realloc(k->bytes, k->capacity);
        if (!k->bytes)
            abort();
    }
    memcpy(k->bytes + k->n, bytes, n);
    k->n += n;
    return 0;
}

static void keep_cut(void *context, uint64_t offset, uint64_t tsc, bool whole)
{
    struct kept *k = context;
    uint64_t last = k->cuts_n ? k->cuts[k->cuts_n - 1].offset : 0;
    if (!whole || offset - last < k->chunk_bytes || k->cuts_n == CUTS)
        return;
    k->cuts[k->cuts_n] = (struct cut){.offset = offset, .tsc = tsc};
    CHECK(entry_log_mark(k->log, k->cuts_n, tsc));
    k->cuts_n++;
}

static int keep_entry(void *context, uint32_t chunk, uint64_t tsc, const char *text, size_t n)
{
    struct kept *k = context;
    CHECK(chunk < k->cuts_n && k->cuts[chunk].tsc == tsc && !k->cuts[chunk].text);
    k->cuts[chunk].text = malloc(n);
    k->cuts[chunk].n = n;
    memcpy(k->cuts[chunk].text, text, n);
    k->entries++;
    return 0;
}

static bool keep(struct kept *k, const char *path, double cpu_hz, size_t chunk_bytes)
{
    struct trace_tap tap = {k, keep_bytes, keep_cut};
    struct trace_options options = {.tap = &tap, .cpu_hz = cpu_hz};
    struct entry_sink sink = {k, keep_entry};
    struct error err;
    struct event_batch batch;
    *k = (struct kept){.chunk_bytes = chunk_bytes, .log = entry_log_new()};
    meter_wants(false, &options);
    struct trace *t = trace_open(path, &options, &err);
    if (!t)
        return false;
    while (trace_next(t, &batch, &err) > 0) {
        entry_log_use_clock(k->log, trace_clock(t));
        CHECK(entry_log_take(k->log, &batch, &sink) == 0);
    }
    k->clock = *trace_clock(t);
    struct trace_summary summary;
    trace_summarise(t, &summary);
    k->end_ns = clock_ns(&k->clock, summary.tsc_last);
    trace_close(t);
    return true;
}

static void forget(struct kept *k)
{
    for (unsigned i = 0; i < k->cuts_n; i++)
        free(k->cuts[i].text);
    free(k->bytes);
    entry_log_free(k->log);
}

/* ---- the bytes from a place on ---- */

struct rest {
    const uint8_t *bytes;
    size_t n;
};

static int rest_next(void *context, const uint8_t **bytes, size_t *n, struct error *err)
{
    struct rest *r = context;
    (void)err;
    *bytes = r->bytes;
    *n = r->n < 65536 ? r->n : 65536;
    r->bytes += *n;
    r->n -= *n;
    return *n > 0;
}

static void rest_position(void *context, uint64_t *done, uint64_t *size)
{
    (void)context;
    *done = *size = 0;
}

/* ---- what comes out ---- */

struct window {
    uint64_t from_ns, to_ns;
};

static int put_interval(void *context, const struct interval *interval, const struct row *rows, size_t n)
{
    results_put_interval(context, interval, rows, n);
    return 0;
}

static int put_execution(void *context, const struct execution *execution)
{
    results_put_execution(context, execution);
    return 0;
}

static struct meter *make_meter(enum by by, const struct window *w, struct buffer *out)
{
    struct error err;
    struct meter_options options = {
        .by = by,
        .granularities_ns = {100000000, 0},
        .granularities = 2,
        .executions = true,
        .idle_rows = true,
        .from_ns = w->from_ns,
        .to_ns = w->to_ns,
        .sink = {out, put_interval, put_execution, NULL},
    };
    struct meter *m = meter_new(&options, &err);
    if (!m)
        abort();
    return m;
}

/* Everything that is told of the window, as lines; read from `cut` on, NULL: from the beginning. */
static void measure(const struct kept *k, const struct window *w, const struct cut *cut, struct buffer *out)
{
    struct error err;
    struct event_batch batch;
    struct meter *meters[BYS];
    struct rest rest = {k->bytes + (cut ? cut->offset : 0), k->n - (cut ? cut->offset : 0)};
    struct feed feed = {&rest, rest_next, rest_position, "none"};
    struct trace_resume resume = {k->clock, cut ? cut->tsc : 0};
    struct trace_options options = {.feed = &feed, .cpu_hz = k->clock.measured ? 0 : k->clock.cpu_hz};
    struct entry entry = {0};
    if (cut) {
        options.resume = &resume;
        CHECK(entry_read(&entry, cut->text, cut->n, cut->tsc, &err) == 0);
    }
    meter_wants(false, &options);
    struct trace *t = trace_open("kept", &options, &err);
    if (!t)
        abort();
    for (int by = 0; by < BYS; by++) {
        out[by] = (struct buffer){0};
        meters[by] = make_meter((enum by)by, w, &out[by]);
        if (cut) {
            batch = entry_batch(&entry, cut->tsc);
            CHECK(meter_feed(meters[by], &batch, &k->clock, &err) == 0);
        }
    }
    while (trace_next(t, &batch, &err) > 0 && !meter_is_over(meters[0]))
        for (int by = 0; by < BYS; by++)
            CHECK(meter_feed(meters[by], &batch, trace_clock(t), &err) == 0);
    for (int by = 0; by < BYS; by++) {
        if (!meter_is_over(meters[by]))
            CHECK(meter_finish(meters[by], k->end_ns, &err) == 0);
        CHECK(!out[by].failed);
        meter_free(meters[by]);
    }
    entry_free(&entry);
    trace_close(t);
}

static bool same(const struct buffer *a, const struct buffer *b)
{
    if (a->n == b->n && memcmp(a->at, b->at, a->n) == 0)
        return true;
    if (getenv("ENTRY_SHOW")) {
        size_t i = 0, line = 0;
        for (; i < a->n && i < b->n && a->at[i] == b->at[i]; i++)
            if (a->at[i] == '\n')
                line = i + 1;
        fprintf(stderr, "%zu %zu bytes, differ at %zu\n  %.900s\n  %.900s\n", a->n, b->n, i, a->at + line,
                b->at + line);
    }
    return false;
}

/* Reads the window from the beginning, and by way of the latest `ways` entries that are far enough before it. */
static unsigned compare_window(const struct kept *k, const struct window *w, unsigned ways)
{
    struct buffer direct[BYS], way[BYS];
    unsigned compared = 0;
    measure(k, w, NULL, direct);
    for (unsigned i = k->cuts_n; i-- > 0 && compared < ways;) {
        const struct cut *cut = &k->cuts[i];
        if (!cut->text || clock_ns(&k->clock, cut->tsc) + ENTRY_MARGIN_NS > w->from_ns)
            continue;
        measure(k, w, cut, way);
        for (int by = 0; by < BYS; by++) {
            bool equal = same(&direct[by], &way[by]);
            if (!equal && getenv("ENTRY_SHOW"))
                fprintf(stderr, "by %d, cut %u at %.6f, window %.6f to %.6f\n", by, i,
                        (double)clock_ns(&k->clock, cut->tsc) / 1e9, (double)w->from_ns / 1e9,
                        (double)w->to_ns / 1e9);
            CHECK(equal);
            buffer_free(&way[by]);
        }
        compared++;
    }
    for (int by = 0; by < BYS; by++)
        buffer_free(&direct[by]);
    return compared;
}
