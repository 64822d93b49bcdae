#include "archive/capture_writer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "metrics/min_max.h"
#include "metrics/relation/relation.h"
#include "metrics/snapshot_maker.h"
#include "archive/member_writer.h"
#include "archive/results.h"
#include "archive/tar.h"

#define RESULTS_BYTES  (1u << 20)   /* of lines, before they are written */
#define FLUSH_NS       60000000000u /* of the trace's time: what may be lost when the work is cut short */
#define ID_BYTES       (64u << 10)  /* the beginning of the trace, by which a capture is known */
#define SNAPSHOT_SHARE 256          /* snapshots are at most this part of the trace */
#define CHUNK_SLACK    2            /* a sweep this many times as long as a chunk is cut anywhere */
#define CHUNK_SPARE    4 /* room for this part of a chunk more, which the sweep that fills it has */

/* Lines of results that wait to be written. */
struct pending_lines {
    struct buffer text;
    uint32_t number;         /* of the next member */
    uint64_t from_ns, to_ns; /* of the intervals and executions in it; from > to: none */
};

struct capture_writer {
    struct member_writer members;
    bool with_trace;
    const struct part_place *part; /* NULL: a whole trace */
    uint32_t checkpoints;
    /* the trace */
    XXH3_state_t *beginning; /* of the first bytes; NULL once the id is known */
    uint64_t hashed;
    size_t chunk_bytes;   /* at which a chunk is cut; it may grow larger */
    struct buffer chunk;  /* the open one: room for a header, and the bytes so far */
    uint64_t chunk_begin; /* its first byte in the trace */
    uint64_t chunk_tsc;   /* no record before it has a time beyond */
    uint64_t bytes;       /* of the trace so far */
    uint32_t chunks;      /* cut so far: the number of the open one */
    uint64_t sweep,
        sweep_tsc; /* where the last sweep in the open chunk begins; no later than the chunk: none */
    struct snapshot_maker *snapshots; /* NULL: no trace is stored */
    uint64_t bytes_since;             /* of the trace, since a snapshot was wanted last */
    /* results */
    struct clock clock;
    uint64_t accounted_ns, flushed_ns;
    struct pending_lines pending[BYS];
    struct meter_options rows;
    struct summary *summary; /* the caller's */
    void (*watch)(void *context, const struct interval *interval, const struct row *rows, size_t n);
    void *context;
};

static int no_memory(struct capture_writer *w)
{
    return member_writer_no_memory(&w->members);
}

static int status_of(const struct capture_writer *w, struct error *err)
{
    return member_writer_status(&w->members, err);
}

static bool failed(const struct capture_writer *w)
{
    return w->members.failed;
}

const struct error *capture_writer_failed(const struct capture_writer *w)
{
    return failed(w) ? &w->members.why : NULL;
}

/* ---- members ---- */

/* From here on the capture has a name. */
static void settle_id(struct capture_writer *w)
{
    struct capture *p = &w->members.capture;
    if (!w->beginning)
        return;
    snprintf(p->id, sizeof p->id, "%016" PRIx64, (uint64_t)XXH3_64bits_digest(w->beginning));
    XXH3_freeState(w->beginning);
    w->beginning = NULL;
}

static struct member *add_small(struct capture_writer *w, const char *name, const void *bytes, size_t n)
{
    settle_id(w);
    return member_writer_add(&w->members, name, bytes, n);
}

int capture_writer_add(struct capture_writer *w, const char *name, const void *bytes, size_t n,
                       struct error *err)
{
    if (!failed(w))
        add_small(w, name, bytes, n);
    return status_of(w, err);
}

/* ---- the trace ---- */

/* Begins a chunk with these bytes. */
static void begin_chunk(struct capture_writer *w, const char *bytes, size_t n)
{
    w->chunk = (struct buffer){0};
    buffer_room(&w->chunk, TAR_BLOCK + w->chunk_bytes + w->chunk_bytes / CHUNK_SPARE);
    buffer_fill(&w->chunk, '\0', TAR_BLOCK);
    buffer_add(&w->chunk, bytes, n);
}

/* The first n bytes of the open chunk are a chunk. */
static int cut_chunk(struct capture_writer *w, size_t n)
{
    char name[MEMBER_NAME];
    if (n == 0)
        return 0;
    settle_id(w);
    struct buffer content = w->chunk;
    snprintf(name, sizeof name, "trace/%06" PRIu32 ".xt", w->chunks);
    begin_chunk(w, content.at + TAR_BLOCK + n, content.n - TAR_BLOCK - n);
    content.n = TAR_BLOCK + n;
    struct member *m = member_writer_add_large(&w->members, name, &content, n);
    if (!m)
        return -1;
    m->from = w->chunk_begin;
    w->chunk_begin += n;
    w->chunks++;
    return 0;
}

static int keep_bytes(struct capture_writer *w, const uint8_t *bytes, size_t n)
{
    size_t most = TAR_BLOCK + CHUNK_SLACK * w->chunk_bytes;
    while (n > 0) {
        if (w->chunk.n >= most && cut_chunk(w, w->chunk.n - TAR_BLOCK) != 0)
            return -1;
        size_t part = n < most - w->chunk.n ? n : most - w->chunk.n;
        buffer_add(&w->chunk, (const char *)bytes, part);
        if (w->chunk.failed)
            return no_memory(w);
        bytes += part;
        n -= part;
    }
    return 0;
}

static int tap_bytes(void *context, const uint8_t *bytes, size_t n, struct error *err)
{
    struct capture_writer *w = context;
    if (w->beginning && w->hashed < ID_BYTES) {
        size_t part = n < ID_BYTES - w->hashed ? n : (size_t)(ID_BYTES - w->hashed);
        XXH3_64bits_update(w->beginning, bytes, part);
        w->hashed += part;
    }
    w->bytes += n;
    if (!failed(w) && w->with_trace)
        keep_bytes(w, bytes, n);
    return status_of(w, err);
}

static void tap_sweep(void *context, uint64_t offset, uint64_t tsc, bool whole, const struct io_past *pasts,
                      size_t pasts_n)
{
    struct capture_writer *w = context;
    if (failed(w) || !w->with_trace || offset <= w->chunk_begin)
        return;
    w->sweep = offset;
    w->sweep_tsc = tsc;
    size_t n = (size_t)(offset - w->chunk_begin);
    bool timed = w->clock.multiplier != 0;
    bool long_ago = timed && clock_ns(&w->clock, tsc) - clock_ns(&w->clock, w->chunk_tsc) >= FLUSH_NS;
    if (n < w->chunk_bytes && !long_ago)
        return;
    w->bytes_since += n;
    if (cut_chunk(w, n) != 0)
        return;
    w->chunk_tsc = tsc;
    bool rare = w->snapshots && w->bytes_since >= SNAPSHOT_SHARE * snapshot_maker_size(w->snapshots);
    if (whole && rare && snapshot_maker_mark(w->snapshots, w->chunks, tsc, pasts, pasts_n))
        w->bytes_since = 0;
}

struct trace_tap capture_writer_tap(struct capture_writer *w)
{
    return (struct trace_tap){w, tap_bytes, w->with_trace ? tap_sweep : NULL};
}

static int take_snapshot(void *context, uint32_t chunk, uint64_t tsc, const void *bytes, size_t n,
                         struct error *err)
{
    struct capture_writer *w = context;
    char name[MEMBER_NAME];
    snprintf(name, sizeof name, "snapshot/%06" PRIu32 ".bin", chunk);
    struct member *m = failed(w) ? NULL : add_small(w, name, bytes, n);
    if (m)
        m->tsc = tsc;
    return status_of(w, err);
}

static int begin(void *context, const struct pass *pass, struct error *err)
{
    struct capture_writer *w = context;
    w->clock = *pass->clock;
    return status_of(w, err);
}

/* ---- results ---- */

static int flush_results(struct capture_writer *w)
{
    for (int by = 0; by < BYS; by++) {
        struct pending_lines *p = &w->pending[by];
        char name[MEMBER_NAME];
        if (p->text.n == 0)
            continue;
        snprintf(name, sizeof name, "results/%s/%06" PRIu32 ".jsonl", by_names[by], p->number++);
        struct member *m = add_small(w, name, p->text.at, p->text.n);
        if (!m)
            return -1;
        m->from = p->from_ns < p->to_ns ? p->from_ns : 0;
        m->to = p->from_ns < p->to_ns ? p->to_ns : 0;
        p->text.n = 0;
        p->from_ns = UINT64_MAX;
        p->to_ns = 0;
    }
    w->flushed_ns = w->accounted_ns;
    return member_writer_flush(&w->members);
}

/* Something was appended: writes what is due. */
static int settle(struct capture_writer *w, enum by kind, uint64_t from_ns, uint64_t to_ns)
{
    struct pending_lines *p = &w->pending[kind];
    size_t bytes = 0;
    if (failed(w))
        return -1;
    p->from_ns = min64(p->from_ns, from_ns == UINT64_MAX ? from_ns : part_moment(w->part, from_ns));
    p->to_ns = max64(p->to_ns, part_moment(w->part, to_ns));
    for (int by = 0; by < BYS; by++) {
        bytes += w->pending[by].text.n;
        if (w->pending[by].text.failed)
            return no_memory(w);
    }
    w->accounted_ns = max64(w->accounted_ns, part_moment(w->part, to_ns));
    if (bytes < RESULTS_BYTES && w->accounted_ns - w->flushed_ns < FLUSH_NS)
        return 0;
    return flush_results(w);
}

static int settle_interval(struct capture_writer *w, enum by by, const struct interval *interval)
{
    bool whole = interval->granularity_ns == 0;
    return settle(w, by, whole ? UINT64_MAX : interval->start_ns, whole ? 0 : interval->end_ns);
}

static int take_interval(void *context, const struct interval *interval, const struct row *rows, size_t n)
{
    struct capture_writer *w = context;
    if (interval->granularity_ns == 0 && interval->by == BY_DOMAIN &&
        summary_take_domains(w->summary, rows, n) != 0)
        return no_memory(w);
    results_put_interval(&w->pending[interval->by].text, interval, rows, n, w->part);
    if (w->watch)
        w->watch(w->context, interval, rows, n);
    return settle_interval(w, interval->by, interval);
}

static int take_execution(void *context, const struct execution *execution)
{
    struct capture_writer *w = context;
    results_put_execution(&w->pending[BY_DOMAIN].text, execution, w->part);
    return settle(w, BY_DOMAIN, execution->start_ns, execution->end_ns);
}

static int take_charges(void *context, const struct interval *interval, const struct charge_idd *idds,
                        size_t n)
{
    struct capture_writer *w = context;
    results_put_charges(&w->pending[BY_DOMAIN].text, interval, idds, n, w->part);
    return settle_interval(w, BY_DOMAIN, interval);
}

static int take_before_seen(void *context, const struct before_seen *seen)
{
    struct capture_writer *w = context;
    results_put_before_seen(&w->pending[seen->by].text, seen, w->part);
    return settle(w, seen->by, seen->seen_ns, seen->seen_ns);
}

/* ---- the beginning ---- */

/* Higher levels search further back for matches, and profit from longer chunks. */
static size_t chunk_bytes_of(int level)
{
    return level <= 6 ? 4u << 20 : level <= 17 ? 8u << 20 : 16u << 20;
}

/* The capture's description, and what is asked of a meter for it. False: no memory. */
static bool describe(struct capture_writer *w, const struct capture_writer_options *options)
{
    struct capture *p = &w->members.capture;
    const char *slash = strrchr(options->source, '/');
    snprintf(p->host, sizeof p->host, "%s", options->host);
    p->source = p->texts = strdup(slash ? slash + 1 : options->source);
    p->tool = options->tool;
    p->trace_stored = options->with_trace;
    p->goes_on = options->goes_on;
    bool kept = capture_keep_options(p, options->options);
    w->rows =
        (struct meter_options){.bys = p->options.bys,
                               .granularities = p->options.granularities,
                               .executions = p->options.executions,
                               .charge = options->options->charge,
                               .sink = {w, take_interval, take_execution, take_charges, take_before_seen}};
    memcpy(w->rows.granularities_ns, p->options.granularities_ns, sizeof w->rows.granularities_ns);
    w->rows.part = w->part != NULL;
    w->rows.from_ns = w->part ? w->part->origin_ns : 0;
    w->rows.from_tsc = options->part_tsc;
    return kept && p->source;
}

static bool makes_snapshots(const struct capture_writer *w)
{
    return w->with_trace && !w->part;
}

struct capture_writer *capture_writer_new(struct frame_writer *frames,
                                          const struct capture_writer_options *options)
{
    struct capture_writer *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->members.frames = frames;
    w->summary = options->summary;
    w->with_trace = options->with_trace;
    w->part = options->part;
    w->watch = options->watch;
    w->context = options->context;
    w->chunk_bytes = chunk_bytes_of(options->level);
    for (int by = 0; by < BYS; by++)
        w->pending[by].from_ns = UINT64_MAX;
    w->beginning = XXH3_createState();
    w->snapshots = makes_snapshots(w)
                       ? snapshot_maker_new(&(struct snapshot_sink){w, take_snapshot}, &w->rows.charge)
                       : NULL;
    if (w->with_trace)
        begin_chunk(w, NULL, 0);
    if (!describe(w, options) || !w->beginning || (makes_snapshots(w) && !w->snapshots)) {
        capture_writer_free(w);
        return NULL;
    }
    XXH3_64bits_reset(w->beginning);
    if (options->identity) {
        XXH3_64bits_update(w->beginning, options->identity, strlen(options->identity));
        settle_id(w);
    }
    return w;
}

void capture_writer_free(struct capture_writer *w)
{
    if (!w)
        return;
    for (int by = 0; by < BYS; by++)
        buffer_free(&w->pending[by].text);
    member_writer_free(&w->members);
    snapshot_maker_free(w->snapshots);
    XXH3_freeState(w->beginning);
    buffer_free(&w->chunk);
    free(w);
}

struct consumer capture_writer_consumer(struct capture_writer *w)
{
    return (struct consumer){.context = w, .rows = &w->rows, .begin = begin, .to_the_end = !w->part};
}

struct consumer capture_writer_snapshots(struct capture_writer *w)
{
    return snapshot_maker_consumer(w->snapshots);
}

/* ---- the end ---- */

/* The whole sweeps of the open chunk are a chunk. */
static int cut_sweeps(struct capture_writer *w)
{
    if (!w->with_trace || w->sweep <= w->chunk_begin)
        return 0;
    w->chunk_tsc = w->sweep_tsc;
    return cut_chunk(w, (size_t)(w->sweep - w->chunk_begin));
}

static int put_checkpoint(struct capture_writer *w, struct buffer *text)
{
    char name[MEMBER_NAME];
    if (cut_sweeps(w) != 0 || flush_results(w) != 0)
        return -1;
    member_writer_describe(&w->members, w->summary, w->with_trace ? w->chunk_begin : w->bytes);
    manifest_put(text, &w->members.capture);
    buffer_text(text, "\n");
    summary_put(text, w->summary);
    snprintf(name, sizeof name, CHECKPOINT_MEMBER, w->checkpoints++);
    if (text->failed)
        return no_memory(w);
    return add_small(w, name, text->at, text->n) ? member_writer_flush(&w->members) : -1;
}

int capture_writer_checkpoint(struct capture_writer *w, struct error *err)
{
    struct buffer text = {0};
    if (!failed(w))
        put_checkpoint(w, &text);
    buffer_free(&text);
    return status_of(w, err);
}

int capture_writer_finish(struct capture_writer *w, struct capture *capture, struct error *err)
{
    if (failed(w) || (w->with_trace && cut_chunk(w, w->chunk.n - TAR_BLOCK) != 0) || flush_results(w) != 0)
        return status_of(w, err);
    settle_id(w);
    return member_writer_finish(&w->members, w->summary, w->bytes, capture, err);
}
