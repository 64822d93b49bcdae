#include "part_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/contents.h"
#include "metrics/min_max.h"

#define CHECKPOINT_NS      60000000000u       /* what may be lost if the process dies, */
#define CHECKPOINTS_EARLY  3                  /* after the first ones */
#define DISK_BYTES         ((size_t)24 << 20) /* that wait for a slow disk */
#define HOST_FACTS_MEMBERS "host/%06" PRIu32 ".jsonl"

/* Of a part's time, from its beginning: when the first checkpoints are due. */
static const uint64_t early_ns[CHECKPOINTS_EARLY] = {2000000000u, 5000000000u, 15000000000u};

void part_link_free(struct part_link *l)
{
    free(l->snapshot);
    l->snapshot = NULL;
}

/* ---- the pass ---- */

/* Charges cannot always be saved (metrics/measure/charging.h). */
static bool has_charges(const void *snapshot, size_t n)
{
    struct io_pasts pasts = {0};
    bool has = pipeline_restore_pasts(snapshot, n, &pasts);
    io_pasts_free(&pasts);
    return has;
}

static int take_snapshot(void *context, uint32_t place, uint64_t tsc, const void *bytes, size_t n,
                         struct error *err)
{
    struct part *p = context;
    struct part_link *l = p->link;
    const struct clock *c = trace_clock(p->trace);
    (void)place;
    uint64_t at = p->marked;
    p->marked = 0;
    if (p->end_tsc > 0 && clock_ns(c, tsc) + SNAPSHOT_MARGIN_NS > clock_ns(c, p->end_tsc))
        return 0;
    if (!has_charges(bytes, n))
        return 0;
    uint8_t *copy = malloc(n + 1);
    if (!copy)
        return error_no_memory(err, "a snapshot");
    memcpy(copy, bytes, n);
    free(l->snapshot);
    l->snapshot = copy;
    l->snapshot_n = n;
    l->snapshot_tsc = tsc;
    l->place = at;
    return 0;
}

/* The meter ends where it is asked to, or, if that is over already, now. */
static void find_end(struct part *p, const struct pass *pass)
{
    const struct clock *c = pass->clock;
    uint64_t tsc = p->o->watch->end(p->o->watch->context, c, part_tsc(c, pass->settled_ns));
    if (tsc == p->end_tsc || tsc == 0 || p->stored_end != UINT64_MAX)
        return;
    uint64_t end_ns = clock_ns(c, tsc),
             accounted_ns = meter_accounted(pipeline_meter(p->pipeline, PART_ROWS));
    if (!pipeline_end_rows_at(p->pipeline, PART_ROWS, end_ns)) {
        end_ns = max64(accounted_ns, p->place.origin_ns) + 1;
        tsc = part_tsc(c, end_ns) + 1;
        if (!pipeline_end_rows_at(p->pipeline, PART_ROWS, clock_ns(c, tsc)))
            return;
    }
    p->end_tsc = tsc;
    pipeline_count_to(p->pipeline, clock_ns(c, tsc));
}

/* Adds a member with these lines, if there are any; they are freed. */
static int put_lines(struct part *p, const char *name, struct buffer *lines, struct error *err)
{
    int status = lines->failed ? error_no_memory(err, "what is known of the host") : 0;
    if (status == 0 && lines->n > 0)
        status = capture_writer_add(p->writer, name, lines->at, lines->n, err);
    buffer_free(lines);
    return status;
}

/* What is known beside the trace since the last time. */
static int put_outside(struct part *p, struct error *err)
{
    const struct part_watch *watch = p->o->watch;
    struct buffer facts = {0}, counts = {0};
    char name[MEMBER_NAME];
    watch->facts(watch->context, !p->has_begun, &facts);
    watch->counts(watch->context, !p->has_begun, &counts);
    p->has_begun = true;
    snprintf(name, sizeof name, HOST_FACTS_MEMBERS, p->facts_n);
    p->facts_n += facts.n > 0;
    int status = put_lines(p, name, &facts, err);
    snprintf(name, sizeof name, COUNTS_MEMBER, p->counts_n);
    p->counts_n += counts.n > 0;
    if (status == 0)
        return put_lines(p, name, &counts, err);
    buffer_free(&counts);
    return -1;
}

static int checkpoint(struct part *p, const struct pass *pass, struct error *err)
{
    uint64_t due_ns = p->checkpoints < CHECKPOINTS_EARLY ? p->place.origin_ns + early_ns[p->checkpoints]
                                                         : p->checked_ns + CHECKPOINT_NS;
    if (pass->settled_ns < due_ns)
        return 0;
    p->checkpoints++;
    p->checked_ns = pass->settled_ns;
    int status = put_outside(p, err);
    if (status == 0)
        status = part_summarise(p, err);
    if (status == 0)
        status = capture_writer_checkpoint(p->writer, err);
    p->worth_keeping = true;
    return status == 0 && frame_writer_drain(p->frames, err) == 0 ? disk_sync(p->disk, err) : -1;
}

static int settled(void *context, const struct pass *pass, uint64_t settled_ns, struct error *err)
{
    struct part *p = context;
    p->traits = pass->traits;
    p->settled_tsc = part_tsc(pass->clock, settled_ns);
    if (!p->begun.has_states && settled_ns >= p->place.origin_ns)
        part_tally_states(p, &p->begun);
    if (!p->over)
        find_end(p, pass);
    if (!p->ended.has_states && p->end_tsc > 0 && settled_ns >= clock_ns(pass->clock, p->end_tsc))
        part_tally_states(p, &p->ended);
    if (p->snapshot_consumer.settled(p->snapshot_consumer.context, pass, settled_ns, err) < 0 ||
        checkpoint(p, pass, err) != 0)
        return CONSUMER_FAILED;
    p->over = meter_is_over(pipeline_meter(p->pipeline, PART_ROWS));
    return p->over ? CONSUMER_HAS_ENOUGH : CONSUMER_GOES_ON;
}

/* Its context is the maker's, but for one function. */
static int give_begin(void *context, const struct pass *pass, struct error *err)
{
    struct part *p = context;
    if (p->link->moment_tsc)
        p->place.origin_ns = clock_ns(pass->clock, p->link->moment_tsc);
    p->checked_ns = p->place.origin_ns;
    pipeline_count_from(p->pipeline, p->place.origin_ns);
    return p->snapshot_consumer.begin(p->snapshot_consumer.context, pass, err);
}
static bool give_restored(void *context, const struct snapshot *saved, const struct snapshot *charges,
                          uint64_t tsc)
{
    struct part *p = context;
    return p->snapshot_consumer.restore(p->snapshot_consumer.context, saved, charges, tsc);
}
static int give_batch(void *context, const struct pass *pass, const struct event_batch *batch,
                      struct error *err)
{
    struct part *p = context;
    return p->snapshot_consumer.batch(p->snapshot_consumer.context, pass, batch, err);
}
static int give_state(void *context, const struct pass *pass, const struct transition *t)
{
    struct part *p = context;
    return p->snapshot_consumer.state(p->snapshot_consumer.context, pass, t);
}
static size_t maker_memory(const void *context)
{
    const struct part *p = context;
    return p->snapshot_consumer.memory(p->snapshot_consumer.context);
}

/* ---- rows ---- */

/* Records that were lost in the part's bytes, as far as they were read. */
static uint64_t lost_by_now(struct part *p)
{
    const struct quality *now = p->ended.has_read ? &p->ended.read : trace_quality(p->trace);
    return p->begun.has_read && now->lost_records > p->begun.read.lost_records
               ? now->lost_records - p->begun.read.lost_records
               : 0;
}

static void give_interval(void *context, const struct interval *interval, const struct row *rows, size_t n)
{
    struct part *p = context;
    const struct clock *c = trace_clock(p->trace);
    const struct part_interval i = {.interval = interval,
                                    .rows = rows,
                                    .n = n,
                                    .start_tsc = part_tsc(c, interval->start_ns) + 1, /* it is cut off */
                                    .end_tsc = part_tsc(c, interval->end_ns) + 1,
                                    .lost_records = lost_by_now(p)};
    p->o->watch->interval(p->o->watch->context, &i);
}

/* ---- the beginning ---- */

/* By the disk's thread. */
static int write_to_archive(void *context, const uint8_t *bytes, size_t n, struct error *err)
{
    const struct part *p = context;
    if (p->o->room && store_room_for(p->o->room, n, err) != 0)
        return -1;
    return p->to.write(p->to.context, bytes, n, err);
}

static int sync_archive(void *context, struct error *err)
{
    const struct part *p = context;
    return p->to.sync(p->to.context, err);
}

static int open_archive(struct part *p, struct error *err)
{
    const struct part_options *o = p->o;
    struct capture_writer_options options = {.host = o->host,
                                             .source = "xentrace",
                                             .tool = o->tool,
                                             .with_trace = o->with_trace,
                                             .level = o->level,
                                             .summary = &p->summary,
                                             .options = o->capture,
                                             .part = &p->place,
                                             .part_tsc = p->link->snapshot ? 0 : p->link->moment_tsc,
                                             .goes_on = p->link->snapshot != NULL,
                                             .identity = o->identity,
                                             .watch = o->watch->interval ? give_interval : NULL,
                                             .context = p};
    p->output = output_open_partial(o->path, err);
    if (!p->output)
        return -1;
    const struct disk_target target = {p, write_to_archive, sync_archive};
    p->to = disk_target_of(p->output);
    p->disk = disk_new(&target, DISK_BYTES, err);
    if (!p->disk)
        return -1;
    const struct frame_sink sink = disk_sink(p->disk);
    p->frames = frame_writer_new(&sink, o->level, o->threads, err);
    if (!p->frames)
        return -1;
    p->writer = capture_writer_new(p->frames, &options);
    p->snapshots = snapshot_maker_new(&(struct snapshot_sink){p, take_snapshot}, &o->capture->charge);
    if (!p->writer || !p->snapshots)
        return error_no_memory(err, "the archive");
    p->tap = capture_writer_tap(p->writer);
    return 0;
}

static int add_consumers(struct part *p, struct error *err)
{
    struct consumer rows = capture_writer_consumer(p->writer);
    p->snapshot_consumer = snapshot_maker_consumer(p->snapshots);
    struct consumer snapshots = {.context = p,
                                 .states = true,
                                 .begin = give_begin,
                                 .restore = give_restored,
                                 .batch = give_batch,
                                 .state = give_state,
                                 .settled = settled,
                                 .memory = maker_memory};
    p->pipeline = pipeline_new(p->o->memory_limit);
    if (!p->pipeline)
        return error_no_memory(err, "the trace");
    return pipeline_add(p->pipeline, &rows, err) == 0 ? pipeline_add(p->pipeline, &snapshots, err) : -1;
}

/* As pipeline_restore, with what the part before left; without it the model knows nothing. */
static int restore(struct part *p, struct error *err)
{
    struct part_link *l = p->link;
    if (!l->snapshot)
        return 0;
    if (pipeline_restore(p->pipeline, l->snapshot, l->snapshot_n, l->snapshot_tsc, &l->clock, err) != 0)
        return -1;
    part_link_free(l);
    return 0;
}

static int open_trace(struct part *p, struct io_pasts *pasts, struct error *err)
{
    const struct part_options *o = p->o;
    const struct part_link *l = p->link;
    struct trace_tap tap = part_tap(p);
    struct feed feed = spool_feed(o->spool, p->begin);
    struct trace_resume resume = {.clock = l->clock, .after_tsc = l->snapshot_tsc, .traits = l->traits};
    if (l->snapshot && pipeline_restore_pasts(l->snapshot, l->snapshot_n, pasts)) {
        resume.pasts = pasts->at;
        resume.pasts_n = pasts->n;
    }
    bool goes_on = l->snapshot != NULL;
    struct trace_options options = {.cpu_hz = goes_on || !l->moment_tsc ? o->cpu_hz : l->clock.cpu_hz,
                                    .host_hz = o->host_hz,
                                    .host_error_ppm = o->host_error_ppm,
                                    .memory_limit = o->memory_limit,
                                    .tap = &tap,
                                    .feed = &feed,
                                    .resume = goes_on ? &resume : NULL};
    pipeline_wants(p->pipeline, &options);
    p->trace = trace_open("xentrace", &options, err);
    return p->trace ? 0 : -1;
}

/* ---- the end ---- */

static int complete(struct part *p, struct part_result *r, struct error *err)
{
    if (part_give_rest(p, err) != 0 || put_outside(p, err) != 0 || part_summarise(p, err) != 0 ||
        capture_writer_finish(p->writer, &p->capture, err) != 0 ||
        contents_write(p->frames, &p->capture, 1, err) != 0 || frame_writer_finish(p->frames, err) != 0 ||
        disk_finish(p->disk, err) != 0)
        return -1;
    r->stored = frame_writer_bytes(p->frames);
    r->begin_tsc = p->summary.trace.tsc_first;
    r->end_tsc = p->summary.trace.tsc_last;
    r->records = p->summary.quality.records;
    r->lost_records = p->summary.quality.lost_records;
    struct output *output = p->output;
    p->output = NULL;
    return output_commit(output, err);
}

/* The next one goes on here. */
static void leave_link(struct part *p)
{
    struct part_link *l = p->link;
    l->clock = *trace_clock(p->trace);
    l->moment_tsc = p->end_tsc;
    l->counted_to = min64(p->stored_end, p->begin + p->tapped);
    l->traits = p->traits;
    if (l->snapshot && spool_kept(p->o->spool) > l->place)
        part_link_free(l); /* there was no room to keep it so long */
    if (!l->snapshot)
        l->place = part_last_sweep(p);
}

/* What was made of the archive by now is kept, if it fails. */
static void close_archive(struct part *p)
{
    struct error ignored;
    if (p->frames)
        frame_writer_drain(p->frames, &ignored);
    if (p->disk)
        disk_finish(p->disk, &ignored);
    frame_writer_free(p->frames);
    disk_free(p->disk);
    output_abort(p->output);
}

static void free_part(struct part *p)
{
    pipeline_free(p->pipeline);
    trace_close(p->trace);
    capture_writer_free(p->writer);
    snapshot_maker_free(p->snapshots);
    close_archive(p);
    capture_free(&p->capture);
    free(p->summary.domains);
    free(p->summary.pcpus);
    free(p);
}

static int run(struct part *p, struct io_pasts *pasts, struct part_result *r, struct error *err)
{
    const struct pipeline_control control = {0};
    if (open_archive(p, err) != 0 || add_consumers(p, err) != 0 || open_trace(p, pasts, err) != 0 ||
        restore(p, err) != 0 || put_outside(p, err) != 0)
        return -1;
    int status = pipeline_run(p->pipeline, p->trace, &control, err);
    if (status != 0 && capture_writer_failed(p->writer))
        *err = *capture_writer_failed(p->writer);
    if (status != 0)
        return -1;
    /* The trace may end soon after the part does: the rest is the next one's. */
    const struct pass *pass = pipeline_pass(p->pipeline);
    p->over |= p->end_tsc && pass->end_ns > clock_ns(pass->clock, p->end_tsc);
    r->end = p->over ? PART_MOMENT : PART_INPUT;
    r->cut = trace_quality(p->trace)->truncated_bytes > 0;
    return complete(p, r, err);
}

/* The trace ended with what the part before had already. */
static int nothing_came(struct part *p, struct part_result *r)
{
    output_discard_partial(p->output);
    r->end = PART_NOTHING;
    return 0;
}

int part_run(const struct part_options *o, struct part_link *link, struct part_result *result,
             struct error *err)
{
    struct part *p = calloc(1, sizeof *p);
    struct io_pasts pasts = {0};
    *result = (struct part_result){0};
    if (!p)
        return error_no_memory(err, "a part of the recording");
    p->o = o;
    p->link = link;
    p->begin = link->place;
    p->stored_end = UINT64_MAX;
    p->begun.has_read = p->begun.has_states = link->moment_tsc == 0;
    if (link->moment_tsc)
        p->place.origin_ns = clock_ns(&link->clock, link->moment_tsc);
    int status = run(p, &pasts, result, err);
    if (status == 0)
        leave_link(p);
    else if (!p->worth_keeping && p->output)
        output_discard_partial(p->output);
    if (status != 0 && spool_state(o->spool).bytes <= p->begin && p->output)
        status = nothing_came(p, result);
    free_part(p);
    io_pasts_free(&pasts);
    return status;
}
