#include "archived.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive_commands.h"
#include "archive/contents.h"
#include "archive/join.h"
#include "archive/results.h"
#include "archive/rollup.h"
#include "metrics/min_max.h"

/* ---- opening ---- */

/* What is wrong in a member, with its place in the file. */
static int member_wrong(const struct archived *a, const struct capture *p, const struct member *m,
                        const struct error *why, struct error *err)
{
    return error_set_at(err, why->code, archive_frames(a->archive)->list[p->first_frame + m->frame].offset,
                        "%s: %s", m->name, why->message);
}

static int read_summary(struct archived *a, const struct capture *p, struct summary *summary,
                        struct error *err)
{
    const struct member *m = capture_member(p, "summary.json");
    const uint8_t *text;
    struct error why = {0};
    if (!m)
        return error_set(err, ERROR_FORMAT, "trace %s of host %s has no summary", p->id, p->host);
    if (archive_read(a->archive, p, m, &text, err) != 0)
        return -1;
    return summary_read(summary, (const char *)text, m->bytes, &why) == 0 ? 0
                                                                          : member_wrong(a, p, m, &why, err);
}

/* Parts of one capture overlap a little, as the rings of the pCPUs are read one after the other. */
#define OVERLAP_PARTS_NS    10000000u
#define OVERLAP_PARTS_SHARE 1000 /* and no more than this part of the shorter one */

/* How much time both captures have, if that is more than what parts of one capture may have. */
static uint64_t double_ns(const struct capture *a, const struct capture *b)
{
    uint64_t ns = captures_overlap_ns(a, b), shorter = min64(a->duration_ns, b->duration_ns);
    return ns <= OVERLAP_PARTS_NS && ns <= shorter / OVERLAP_PARTS_SHARE ? 0 : ns;
}

static int read_summaries(struct archived *a, struct error *err)
{
    a->all_summaries = calloc(a->all_n, sizeof *a->all_summaries);
    if (!a->all_summaries)
        return error_no_memory(err, "reading the archive");
    for (size_t i = 0; i < a->all_n; i++)
        if (read_summary(a, &a->all[i], &a->all_summaries[i], err) != 0)
            return -1;
    return 0;
}

/* The timeline that begins with this capture is at hand. */
static void take_timeline(struct archived *a, size_t first)
{
    const struct capture *captures;
    archive_captures(a->archive, &captures);
    size_t place = (size_t)(a->all - captures) + first;
    a->captures = a->all + first;
    a->captures_n = archive_timeline_end(a->archive, place) - place;
    a->summaries = a->all_summaries + first;
    a->summary = a->summaries[0];
    for (size_t i = 1; i < a->captures_n; i++) {
        summary_add(&a->summary, &a->summaries[i]);
        a->summary.quality.overlap_ns += double_ns(&a->captures[i - 1], &a->captures[i]);
    }
}

bool archived_next(struct archived *a)
{
    size_t next = (size_t)(a->captures + a->captures_n - a->all);
    if (next >= a->all_n)
        return false;
    a->timeline++;
    a->vcpu_ns = a->unknown_ns = a->doubtful_ns = 0;
    a->from_results = false;
    trace_feed_free(a->chunks);
    a->chunks = NULL;
    take_timeline(a, next);
    return true;
}

int archived_open(struct archived *a, const struct options *o, struct error *err)
{
    char host[HOST_MAX];
    unsigned number = 0;
    size_t first = 0;
    const struct capture *captures;
    a->options = o;
    if (o->host && parse_host(o->host, host, &number, err) != 0)
        return -1;
    a->timelines = 1;
    a->archive = archive_for_reading(o->input, err);
    if (!a->archive ||
        archive_timeline(a->archive, o->host ? host : NULL, number, &first, &a->all_n,
                         o->command->sums_timelines ? &a->timelines : NULL, &a->timeline, err) != 0)
        return -1;
    archive_captures(a->archive, &captures);
    a->all = captures + first;
    if (read_summaries(a, err) != 0)
        return -1;
    take_timeline(a, 0);
    return 0;
}

void archived_close(struct archived *a)
{
    trace_feed_free(a->chunks);
    io_pasts_free(&a->pasts);
    for (size_t i = 0; a->all_summaries && i < a->all_n; i++)
        summary_free(&a->all_summaries[i]);
    free(a->all_summaries);
    archive_close(a->archive);
}

/* ---- charges ---- */

bool archived_counts(const struct archived *a)
{
    return a->archive && a->captures[0].options.io_counts && !a->options->io_counts;
}

int archived_charge_options(struct archived *a, struct charge_options *charge, struct counters **counters,
                            struct error *err)
{
    const struct capture_options *kept = &a->captures[0].options;
    const struct member *m = archived_counts(a) ? capture_member(&a->captures[0], IO_COUNTS_MEMBER) : NULL;
    const uint8_t *text;
    bool wanted = charge->wanted;
    *charge = kept->charge;
    charge->wanted = wanted;
    charge->counters = *counters;
    charge_options_overlay(a->options, charge);
    if (m) {
        if (archive_read(a->archive, &a->captures[0], m, &text, err) != 0)
            return -1;
        charge->counters = *counters = counters_read_text((const char *)text, m->bytes, err);
        if (!*counters)
            return -1;
    }
    return charge_options_check(charge, charge->counters != NULL, err);
}

int archived_names(struct archived *a, struct domain_names **names, struct error *err)
{
    const struct capture *p = a->captures;
    const struct member *m = NULL;
    const uint8_t *text;
    for (size_t i = 0; i < a->captures_n && !m; i++) {
        p = &a->captures[i];
        m = capture_member(p, NAMES_MEMBER);
    }
    if (!m)
        return 0;
    if (archive_read(a->archive, p, m, &text, err) != 0)
        return -1;
    *names = names_read_text((const char *)text, m->bytes, err);
    return *names ? 0 : -1;
}

int archived_facts(struct archived *a, struct host_facts *facts, struct error *err)
{
    for (const struct capture *p = a->all; p < a->all + a->all_n; p++)
        for (const struct member *m = p->members; m < p->members + p->members_n; m++) {
            const uint8_t *text;
            struct error why = {0};
            if (m->kind != MEMBER_HOST)
                continue;
            if (archive_read(a->archive, p, m, &text, err) != 0)
                return -1;
            if (host_facts_read(facts, (const char *)text, m->bytes, &why) != 0)
                return member_wrong(a, p, m, &why, err);
        }
    return 0;
}

bool archived_trace_kept(const struct archived *a)
{
    for (size_t i = 0; i < a->captures_n; i++)
        if (!a->captures[i].trace_stored)
            return false;
    return true;
}

/* ---- from the results ---- */

static int read_results(struct archived *a, const struct capture *p, enum by by, struct rollup *rollup,
                        struct timeline_place *place, struct error *err)
{
    const struct meter_sink sink = rollup_sink(rollup);
    struct results_reader *reader = results_reader_new(place, a->options->max_memory);
    uint64_t from_ns, to_ns;
    int status = reader ? 0 : error_no_memory(err, "reading the archive");
    rollup_span(rollup, &from_ns, &to_ns);
    for (size_t i = 0; i < p->members_n && status == 0; i++) {
        const struct member *m = &p->members[i];
        bool outside = m->from < m->to && (m->to <= from_ns || m->from >= to_ns);
        const uint8_t *text;
        struct error why = {0};
        if (m->kind != MEMBER_RESULTS || m->by != by || outside)
            continue;
        status = archive_read(a->archive, p, m, &text, err);
        if (status == 0)
            status = results_read(reader, (const char *)text, m->bytes, 0, &sink, &why);
        if (status != 0 && why.code != ERROR_NONE)
            error_set_at(err, why.code, archive_frames(a->archive)->list[p->first_frame + m->frame].offset,
                         "%s, byte %" PRIu64 ": %s", m->name, why.offset, why.message);
    }
    results_reader_free(reader);
    return status;
}

static int replay_rows(struct archived *a, size_t capture, enum by by, const struct rollup_plan *plan,
                       const struct meter_sink *sink, struct timeline_place *place, struct error *err)
{
    struct rollup *rollup = rollup_new(plan, by, sink);
    if (!rollup)
        return error_no_memory(err, "reading the archive");
    int status = read_results(a, &a->captures[capture], by, rollup, place, err);
    if (status == 0)
        status = rollup_finish(rollup);
    if (rollup_out_of_memory(rollup))
        error_set(err, ERROR_MEMORY, "the results need more than the memory limit (--max-memory)");
    else if (rollup_damaged(rollup))
        error_set(err, ERROR_FORMAT, "the results of trace %s are not in an order that they can have",
                  a->captures[capture].id);
    const struct rollup_times *times = rollup_times(rollup);
    a->vcpu_ns = max64(a->vcpu_ns, (uint64_t)times->vcpu_ns);
    a->unknown_ns = max64(a->unknown_ns, (uint64_t)times->unknown_ns);
    a->doubtful_ns = max64(a->doubtful_ns, (uint64_t)times->doubtful_ns);
    rollup_free(rollup);
    return status == 0 ? 0 : -1;
}

void archived_plan(const struct archived *a, size_t capture, const struct meter_options *meter,
                   struct rollup_plan *plan)
{
    const struct options *o = a->options;
    const struct capture_options *kept = &a->captures[capture].options;
    *plan = (struct rollup_plan){.kept = kept->granularities,
                                 .asked = meter->granularities,
                                 .executions = meter->executions,
                                 .from_ns = o->from_ns,
                                 .to_ns = o->to_ns,
                                 .end_ns = a->summaries[capture].end_ns,
                                 .memory_limit = o->max_memory};
    memcpy(plan->kept_ns, kept->granularities_ns, sizeof plan->kept_ns);
    memcpy(plan->asked_ns, meter->granularities_ns, sizeof plan->asked_ns);
}

/* One by after the other; executions and charges are kept with the rows by domain. */
static int replay_capture(struct archived *a, size_t capture, const struct meter_options *meter,
                          const struct meter_sink *sink, struct timeline_place *place, struct error *err)
{
    struct rollup_plan plan;
    struct meter_sink rows = *sink;
    int status = 0;
    archived_plan(a, capture, meter, &plan);
    for (enum by by = 0; by < BYS && status == 0; by++)
        if (meter->bys & 1u << by) {
            status = replay_rows(a, capture, by, &plan, &rows, place, err);
            rows.execution = NULL;
            rows.charges = NULL;
        }
    return status;
}

/* Piece after capture, as if it had been one trace. */
static int replay_joined(struct archived *a, const struct meter_options *meter, struct error *err)
{
    struct join *join = join_new(&meter->sink);
    int status = 0;
    if (!join)
        return error_no_memory(err, "reading the archive");
    for (size_t i = 0; i < a->captures_n && status == 0; i++) {
        const struct meter_sink sink = join_sink(join);
        struct timeline_place *place = join_begin_capture(
            join, clock_ns(&a->summary.clock, a->captures[i].tsc_first), 0, i > 0 && a->captures[i].goes_on);
        status = replay_capture(a, i, meter, &sink, place, err);
    }
    if (status == 0)
        status = join_finish(join, a->summary.end_ns, 0);
    if (join_out_of_memory(join))
        error_no_memory(err, "the results");
    join_free(join);
    return status;
}

/*
 * Results of traces in a row are added up: what two of them have counts twice, and charges begin anew with each that does not go on
 * with what the one before knew.
 */
static void count_cuts(struct archived *a)
{
    a->summary.charges.cuts = 0;
    for (size_t i = 1; i < a->captures_n; i++) {
        a->summary.charges.cuts += !a->captures[i].goes_on;
        a->summary.quality.overlap_ns += captures_overlap_ns(&a->captures[i - 1], &a->captures[i]) -
                                         double_ns(&a->captures[i - 1], &a->captures[i]);
    }
}

int archived_replay(struct archived *a, const struct meter_options *meter, struct error *err)
{
    const struct options *o = a->options;
    bool part = (o->from_ns || o->to_ns) && meter->bys != 1u << BY_PCPU && meter->granularities > 0;
    count_cuts(a);
    int status = a->captures_n > 1 ? replay_joined(a, meter, err)
                                   : replay_capture(a, 0, meter, &meter->sink, NULL, err);
    if (!part) {
        a->vcpu_ns = a->summary.quality.vcpu_ns;
        a->unknown_ns = a->summary.quality.unknown_ns;
        a->doubtful_ns = a->summary.quality.doubtful_ns;
    } else if (a->captures_n > 1) { /* which part of it is in this part of the time is not kept */
        a->vcpu_ns = a->unknown_ns = a->doubtful_ns = 0;
    }
    return status;
}

/* ---- from the trace ---- */

int archived_begin_trace(struct archived *a, struct trace_options *trace, struct error *err)
{
    uint32_t chunk = a->snapshot ? a->snapshot->number : 0;
    a->chunks =
        trace_feed_new(a->archive, a->captures, a->captures_n, chunk, threads_wanted(a->options), err);
    if (!a->chunks)
        return -1;
    a->feed = trace_feed_of(a->chunks);
    if (!(trace->cpu_hz > 0))
        trace->cpu_hz = a->captures[0].options.cpu_hz;
    if (a->captures_n == 1) {
        trace->host_hz = a->summary.clock.host_hz;
        trace->host_error_ppm = a->summary.clock.host_error_ppm;
    }
    trace->feed = &a->feed;
    trace->resume = a->snapshot ? &a->resume : NULL;
    return 0;
}

bool archived_knows_rest(const struct archived *a)
{
    const struct options *o = a->options;
    return a->archive && a->captures_n == 1 && !o->live_ns &&
           (!(o->cpu_hz > 0) || o->cpu_hz == a->captures[0].options.cpu_hz);
}

static int prime_reader(const struct archived *a, const uint8_t *bytes, struct dump_reader *reader,
                        struct error *err)
{
    struct snapshot snapshot;
    struct model *model = model_new(0);
    if (!model)
        return error_no_memory(err, "the states of vCPUs");
    snapshot_read(&snapshot, bytes, a->snapshot->bytes, clock_ns(&a->resume.clock, a->snapshot->tsc));
    (void)snapshot_take_part(&snapshot); /* of charges */
    model_restore(model, &snapshot, false);
    dump_reader_prime(reader, model);
    model_free(model);
    return snapshot.failed ? error_set(err, ERROR_FORMAT, "a damaged snapshot") : 0;
}

int archived_enter(struct archived *a, struct pipeline *pipeline, struct dump_reader *reader,
                   struct error *err)
{
    const struct capture *p = &a->captures[0];
    const struct member *m = a->snapshot;
    struct error why = {0};
    const uint8_t *bytes;
    if (!m)
        return 0;
    if (archive_read(a->archive, p, m, &bytes, err) != 0)
        return -1;
    int status = pipeline ? pipeline_restore(pipeline, bytes, m->bytes, m->tsc, &a->resume.clock, &why)
                          : prime_reader(a, bytes, reader, &why);
    return status == 0 ? 0 : member_wrong(a, p, m, &why, err);
}

void archived_describe(const struct archived *a, struct trace_summary *trace)
{
    trace->file = a->options->input;
    trace->file_bytes = archive_frames(a->archive)->size;
    trace->compression = "archive";
    trace->read_from = a->from_results ? "results" : "trace";
}

bool archived_origin(const struct archived *a, struct buffer *sources, struct origin *origin)
{
    bool several = a->timelines > 1;
    const struct capture *list = several ? a->all : a->captures;
    size_t n = several ? a->all_n : a->captures_n;
    for (size_t i = 0; i < n; i++)
        buffer_printf(sources, "%s%s", i ? ", " : "", list[i].source);
    buffer_add(sources, "", 1);
    *origin = (struct origin){.host = list[0].host,
                              .source = sources->at,
                              .timeline = several ? 0 : a->timeline,
                              .timelines = a->timelines};
    return !sources->failed;
}

void archived_say(const struct archived *a)
{
    const struct options *o = a->options;
    const char *name = strcmp(o->input, "-") == 0 ? "(standard input)" : o->input;
    bool several = a->captures_n > 1;
    if (o->quiet)
        return;
    for (size_t i = 1; i < a->captures_n && a->from_results; i++)
        if (captures_overlap_ns(&a->captures[i - 1], &a->captures[i]) > 0)
            complain("%s: %s begins %.3f s before the end of %s: what both recorded counts twice", name,
                     a->captures[i].source,
                     (double)captures_overlap_ns(&a->captures[i - 1], &a->captures[i]) / 1e9,
                     a->captures[i - 1].source);
    if (a->from_results)
        complain("%s: from the results that were kept%s", name,
                 several ? " of traces that follow each other: what crosses a cut, as an execution or a "
                           "wait, is no sample"
                         : "");
    else if (a->snapshot)
        complain("%s: from the trace that was kept, read from %.3f s on", name,
                 (double)clock_ns(&a->summary.clock, a->snapshot->tsc) / 1e9);
    else
        complain("%s: from the trace%s kept%s", name, several ? "s that were" : " that was",
                 several ? ", which follow each other" : "");
}
