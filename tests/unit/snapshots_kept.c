#include "snapshots_kept.h"

#include <stdlib.h>
#include <string.h>

#include "archive/results.h"
#include "check.h"
#include "run_program.h"

static int keep_bytes(void *context, const uint8_t *bytes, size_t n, struct error *err)
{
    struct capture_kept *k = context;
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

static void keep_cut(void *context, uint64_t offset, uint64_t tsc, bool whole, const struct io_past *pasts,
                     size_t n)
{
    struct capture_kept *k = context;
    uint64_t last = k->cuts_n ? k->cuts[k->cuts_n - 1].offset : 0;
    if (!whole || offset - last < k->chunk_bytes || k->cuts_n == CUTS_MAX)
        return;
    if (snapshot_maker_mark(k->maker, k->cuts_n, tsc, pasts, n))
        k->cuts[k->cuts_n++] = (struct cut){.offset = offset, .tsc = tsc};
}

static int keep_snapshot(void *context, uint32_t place, uint64_t tsc, const void *bytes, size_t n,
                         struct error *err)
{
    struct capture_kept *k = context;
    (void)err;
    CHECK(place < k->cuts_n && k->cuts[place].tsc <= tsc && !k->cuts[place].bytes);
    k->cuts[place].tsc = tsc;
    k->cuts[place].bytes = malloc(n);
    k->cuts[place].n = n;
    memcpy(k->cuts[place].bytes, bytes, n);
    k->snapshots++;
    return 0;
}

/* What of the trace charges rest on. */
static void want_charges(const struct capture_kept *k, struct trace_options *options)
{
    meter_wants(&(struct meter_options){.charge = k->charge}, options);
}

void kept_read(struct capture_kept *k, const char *path, double cpu_hz, size_t chunk_bytes,
               const struct charge_options *charge)
{
    struct trace_tap tap = {k, keep_bytes, keep_cut};
    struct trace_options options = {.tap = &tap, .cpu_hz = cpu_hz};
    struct snapshot_sink sink = {k, keep_snapshot};
    struct trace_summary summary;
    struct error err;
    *k = (struct capture_kept){.chunk_bytes = chunk_bytes, .maker = snapshot_maker_new(&sink, &k->charge)};
    if (charge)
        k->charge = *charge;
    struct consumer consumer = snapshot_maker_consumer(k->maker);
    struct pipeline *p = pipeline_new(0);
    CHECK(pipeline_add(p, &consumer, &err) == 0);
    pipeline_wants(p, &options);
    want_charges(k, &options);
    struct trace *t = trace_open(path, &options, &err);
    if (!t)
        abort();
    CHECK(pipeline_run(p, t, &(struct pipeline_control){0}, &err) == 0);
    k->clock = *trace_clock(t);
    trace_summarise(t, &summary);
    k->end_ns = clock_ns(&k->clock, summary.tsc_last);
    trace_close(t);
    pipeline_free(p);
}

void kept_free(struct capture_kept *k)
{
    for (unsigned i = 0; i < k->cuts_n; i++)
        free(k->cuts[i].bytes);
    free(k->bytes);
    snapshot_maker_free(k->maker);
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

static int put_interval(void *context, const struct interval *interval, const struct row *rows, size_t n)
{
    results_put_interval(context, interval, rows, n, NULL);
    return 0;
}

static int put_execution(void *context, const struct execution *execution)
{
    results_put_execution(context, execution, NULL);
    return 0;
}

static int put_charges(void *context, const struct interval *interval, const struct charge_idd *idds,
                       size_t n)
{
    results_put_charges(context, interval, idds, n, NULL);
    return 0;
}

struct pipeline *kept_pipeline(enum by by, const struct part *part, const struct charge_options *charge,
                               struct buffer *lines)
{
    struct meter_options options = {
        .bys = 1u << by,
        .granularities_ns = {100000000, 0},
        .granularities = 2,
        .executions = true,
        .idle_rows = by == BY_DOMAIN_PCPU,
        .from_ns = part->from_ns,
        .to_ns = part->to_ns,
        .sink = {lines, put_interval, put_execution, put_charges, NULL},
    };
    if (charge)
        options.charge = *charge;
    return rows_pipeline(&options);
}

/* Everything that is told of the part, as lines; read from `cut` on, NULL: from the beginning. */
static void measure(const struct capture_kept *k, const struct part *part, const struct cut *cut,
                    struct buffer *out)
{
    struct error err;
    struct event_batch batch;
    struct pipeline *pipelines[BYS];
    struct rest rest = {k->bytes + (cut ? cut->offset : 0), k->n - (cut ? cut->offset : 0)};
    struct feed feed = {&rest, rest_next, rest_position, "none"};
    struct trace_resume resume = {.clock = k->clock, .after_tsc = cut ? cut->tsc : 0};
    struct trace_options options = {.feed = &feed, .cpu_hz = k->clock.measured ? 0 : k->clock.cpu_hz};
    struct io_pasts pasts = {0};
    if (cut) {
        options.resume = &resume;
        CHECK(pipeline_restore_pasts(cut->bytes, cut->n, &pasts) == k->charge.wanted);
        resume.pasts = pasts.at;
        resume.pasts_n = pasts.n;
    }
    model_wants(&options);
    want_charges(k, &options);
    struct trace *t = trace_open("kept", &options, &err);
    if (!t)
        abort();
    for (int by = 0; by < BYS; by++) {
        out[by] = (struct buffer){0};
        pipelines[by] = kept_pipeline((enum by)by, part, &k->charge, &out[by]);
        if (cut)
            CHECK(pipeline_restore(pipelines[by], cut->bytes, cut->n, cut->tsc, &k->clock, &err) == 0);
    }
    while (trace_next(t, &batch, &err) > 0 && !pipeline_is_over(pipelines[0]))
        for (int by = 0; by < BYS; by++)
            CHECK(pipeline_feed(pipelines[by], &batch, trace_clock(t), &err) == 0);
    for (int by = 0; by < BYS; by++) {
        if (!pipeline_is_over(pipelines[by]))
            CHECK(pipeline_end(pipelines[by], k->end_ns, &err) == 0);
        CHECK(!out[by].failed);
        pipeline_free(pipelines[by]);
    }
    trace_close(t);
    io_pasts_free(&pasts);
}

bool same_lines(const struct buffer *a, const struct buffer *b)
{
    return a->n == b->n && (a->n == 0 || memcmp(a->at, b->at, a->n) == 0);
}

unsigned kept_compare(const struct capture_kept *k, const struct part *part, unsigned ways)
{
    struct buffer direct[BYS], way[BYS];
    unsigned compared = 0;
    measure(k, part, NULL, direct);
    for (unsigned i = k->cuts_n; i-- > 0 && compared < ways;) {
        const struct cut *cut = &k->cuts[i];
        if (!cut->bytes || clock_ns(&k->clock, cut->tsc) + SNAPSHOT_MARGIN_NS > part->from_ns)
            continue;
        measure(k, part, cut, way);
        for (int by = 0; by < BYS; by++) {
            CHECK(same_lines(&direct[by], &way[by]));
            buffer_free(&way[by]);
        }
        compared++;
    }
    for (int by = 0; by < BYS; by++) {
        CHECK(direct[by].n > 0);
        buffer_free(&direct[by]);
    }
    return compared;
}
