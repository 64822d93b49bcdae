#include "record/salvage_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/results.h"
#include "archive/rollup.h"
#include "metrics/min_max.h"
#include "metrics/relation/relation.h"

#define MEMORY_LIMIT ((size_t)1 << 30) /* for rows: the default of --max-memory */

struct salvaging_rows {
    struct walk *walk;
    struct member_writer *writer;
    struct summary *summary;
    struct error *err;
    size_t members_n;                         /* those that the file has */
    size_t frame;                             /* whose content the walk's reader has; 0: none */
    const struct capture_options *kept;       /* of the capture */
    uint64_t reached_ns[METER_GRANULARITIES]; /* by kept granularity: where its last interval ends */
    uint64_t end_ns;                          /* the latest of them */
    uint64_t source_ns;                       /* the shortest granularity that reaches it */
    struct buffer text;                       /* results to be added */
    uint64_t from_ns, to_ns;                  /* the span of the intervals in it, the whole not counted */
    bool no_memory;
};

/* ---- what the file has ---- */

static const uint8_t *content_of(struct salvaging_rows *x, const struct member *m)
{
    size_t frame = (size_t)x->writer->capture.first_frame + m->frame;
    if (frame != x->frame && !frame_read(&x->walk->frames, frame, &x->walk->reader, x->err))
        return NULL;
    x->frame = frame;
    return x->walk->reader.content + m->at;
}

/* Hands the results by one thing to the sink. 0; -1 with x->err filled; or what the sink returned. */
static int read_results(struct salvaging_rows *x, enum by by, const struct meter_sink *sink)
{
    struct results_reader *reader = results_reader_new(NULL, MEMORY_LIMIT);
    int status = reader ? 0 : error_no_memory(x->err, "the results");
    x->frame = 0;
    for (size_t i = 0; i < x->members_n && status == 0; i++) {
        const struct member *m = &x->writer->capture.members[i];
        if (m->kind != MEMBER_RESULTS || m->by != by)
            continue;
        const uint8_t *text = content_of(x, m);
        struct error why = {0};
        status = text ? results_read(reader, (const char *)text, m->bytes, 0, sink, &why) : -1;
        if (why.code != ERROR_NONE)
            error_set_at(x->err, why.code, x->walk->frames.list[x->frame].offset, "%s, byte %" PRIu64 ": %s",
                         m->name, why.offset, why.message);
    }
    results_reader_free(reader);
    return status;
}

/* The place of a granularity among those that were kept; METER_GRANULARITIES: none. */
static size_t kept_index(const struct salvaging_rows *x, uint64_t granularity_ns)
{
    for (size_t g = 0; g < x->kept->granularities; g++)
        if (x->kept->granularities_ns[g] == granularity_ns)
            return g;
    return METER_GRANULARITIES;
}

static int note_interval(void *context, const struct interval *interval, const struct row *rows, size_t n)
{
    struct salvaging_rows *x = context;
    size_t g = kept_index(x, interval->granularity_ns);
    (void)rows;
    (void)n;
    if (g < METER_GRANULARITIES && interval->granularity_ns > 0)
        x->reached_ns[g] = max64(x->reached_ns[g], interval->end_ns);
    return 0;
}

/* Finds where the kept intervals end. 0; -1; 1: there are none. */
static int find_end(struct salvaging_rows *x)
{
    const struct meter_sink sink = {.context = x, .interval = note_interval};
    enum by by = BY_DOMAIN;
    while (by < BYS && !(x->kept->bys & 1u << by))
        by++;
    if (by < BYS && read_results(x, by, &sink) != 0)
        return -1;
    for (size_t g = 0; g < x->kept->granularities; g++) {
        uint64_t length_ns = x->kept->granularities_ns[g], reached_ns = x->reached_ns[g];
        if (length_ns == 0 || reached_ns < x->end_ns || reached_ns == 0)
            continue;
        if (reached_ns > x->end_ns || length_ns < x->source_ns)
            x->source_ns = length_ns;
        x->end_ns = reached_ns;
    }
    if (x->end_ns > 0)
        return 0;
    error_set(x->err, ERROR_FORMAT, "there is no whole interval before the last checkpoint");
    return 1;
}

/* ---- what it lacks ---- */

/* Whether an interval, added up from shorter ones, is none that the file has. */
static bool is_missing(const struct salvaging_rows *x, const struct interval *interval)
{
    size_t g = kept_index(x, interval->granularity_ns);
    return g < METER_GRANULARITIES &&
           (interval->granularity_ns == 0 || interval->start_ns >= x->reached_ns[g]);
}

static int take_domains(struct summary *s, const struct row *rows, size_t n)
{
    free(s->domains);
    s->domains = NULL;
    s->domains_n = 0;
    return summary_take_domains(s, rows, n);
}

static int take_interval(void *context, const struct interval *interval, const struct row *rows, size_t n)
{
    struct salvaging_rows *x = context;
    if (!is_missing(x, interval))
        return 0;
    if (interval->granularity_ns > 0) {
        x->from_ns = min64(x->from_ns, interval->start_ns);
        x->to_ns = max64(x->to_ns, interval->end_ns);
    } else if (interval->by == BY_DOMAIN && take_domains(x->summary, rows, n) != 0) {
        x->no_memory = true;
        return -1;
    }
    results_put_interval(&x->text, interval, rows, n, NULL);
    return 0;
}

static int take_charges(void *context, const struct interval *interval, const struct charge_idd *idds,
                        size_t n)
{
    struct salvaging_rows *x = context;
    struct charge_summary *all = &x->summary->charges;
    if (!is_missing(x, interval))
        return 0;
    if (interval->granularity_ns == 0)
        all->ran_ns = all->unattributed_ns = 0;
    for (size_t i = 0; i < n && interval->granularity_ns == 0; i++) {
        all->ran_ns += idds[i].running_ns;
        all->unattributed_ns += idds[i].unattributed_ns;
    }
    results_put_charges(&x->text, interval, idds, n, NULL);
    return 0;
}

/* The whole, and longer intervals that end with it unless the file has them. */
static struct rollup_plan plan_of(const struct salvaging_rows *x)
{
    struct rollup_plan plan = {
        .kept_ns = {x->source_ns}, .kept = 1, .asked = 1, .end_ns = x->end_ns, .memory_limit = MEMORY_LIMIT};
    for (size_t g = 0; g < x->kept->granularities && plan.asked < METER_GRANULARITIES; g++) {
        uint64_t length_ns = x->kept->granularities_ns[g];
        if (x->reached_ns[g] < x->end_ns && length_ns > 0 && length_ns % x->source_ns == 0)
            plan.asked_ns[plan.asked++] = length_ns;
    }
    return plan;
}

static int add_text(struct salvaging_rows *x, enum by by)
{
    char name[MEMBER_NAME];
    uint32_t number = 0;
    for (size_t i = 0; i < x->members_n; i++)
        number +=
            x->writer->capture.members[i].kind == MEMBER_RESULTS && x->writer->capture.members[i].by == by;
    snprintf(name, sizeof name, "results/%s/%06" PRIu32 ".jsonl", by_names[by], number);
    if (x->text.failed)
        return error_no_memory(x->err, "the results");
    struct member *m = member_writer_add(x->writer, name, x->text.at, x->text.n);
    if (!m)
        return member_writer_status(x->writer, x->err);
    m->from = x->from_ns < x->to_ns ? x->from_ns : 0;
    m->to = x->from_ns < x->to_ns ? x->to_ns : 0;
    x->text.n = 0;
    return 0;
}

static void take_times(struct quality *q, const struct rollup_times *times)
{
    q->vcpu_ns = max64(q->vcpu_ns, (uint64_t)times->vcpu_ns);
    q->unknown_ns = max64(q->unknown_ns, (uint64_t)times->unknown_ns);
    q->doubtful_ns = max64(q->doubtful_ns, (uint64_t)times->doubtful_ns);
}

static int add_up(struct salvaging_rows *x, enum by by)
{
    const struct rollup_plan plan = plan_of(x);
    const struct meter_sink to = {
        .context = x, .interval = take_interval, .charges = by == BY_DOMAIN ? take_charges : NULL};
    struct rollup *rollup = rollup_new(&plan, by, &to);
    if (!rollup)
        return error_no_memory(x->err, "the results");
    const struct meter_sink from = rollup_sink(rollup);
    x->from_ns = UINT64_MAX;
    x->to_ns = 0;
    int status = read_results(x, by, &from);
    if (status == 0)
        status = rollup_finish(rollup);
    if (rollup_out_of_memory(rollup) || x->no_memory)
        error_no_memory(x->err, "the results");
    else if (rollup_damaged(rollup))
        error_set(x->err, ERROR_FORMAT, "the results by %s are not in an order that they can have",
                  by_names[by]);
    take_times(&x->summary->quality, rollup_times(rollup));
    rollup_free(rollup);
    return status == 0 ? add_text(x, by) : -1;
}

/* The first tsc at that moment; `most`, if that is not possible. */
static uint64_t tsc_at(const struct clock *c, uint64_t ns, uint64_t most)
{
    double cycles = (double)ns * ((c->cpu_hz > 0 ? c->cpu_hz : 1e9) / 1e9);
    if (c->tsc_first >= most || cycles >= (double)(most - c->tsc_first))
        return most;
    uint64_t tsc = c->tsc_first + (uint64_t)cycles;
    for (int i = 0; i < 64 && clock_ns(c, tsc) < ns; i++) /* rounding */
        tsc++;
    return tsc;
}

int salvage_rows(struct walk *walk, struct member_writer *w, struct summary *s, struct error *err)
{
    struct salvaging_rows x = {.walk = walk,
                               .writer = w,
                               .summary = s,
                               .err = err,
                               .members_n = w->capture.members_n,
                               .kept = &w->capture.options};
    int status = find_end(&x);
    if (status == 0) {
        s->end_ns = x.end_ns;
        s->trace.tsc_last = tsc_at(&s->clock, x.end_ns, s->trace.tsc_last);
        s->quality.vcpu_ns = s->quality.unknown_ns = s->quality.doubtful_ns = 0;
    }
    for (enum by by = 0; by < BYS && status == 0; by++)
        if (w->capture.options.bys & 1u << by)
            status = add_up(&x, by);
    buffer_free(&x.text);
    return status;
}
