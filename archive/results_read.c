#include "results.h"

#include <stdlib.h>
#include <string.h>

#include "aggregate.h"
#include "line.h"
#include "metrics/array.h"
#include "results_fields.h"

#define MEMORY_DEFAULT   ((size_t)1 << 30)
#define RESULTS_LINE_MAX (16 << 20) /* bytes of a line; a longer one is damage */

/* Memory that is used again for every interval. */
struct results_reader {
    struct timeline_place *place; /* NULL: what is read stays as it is */
    struct aggregate interval;    /* its rows */
    struct charge_idd *idds;
    struct charge_guest *guests;
    size_t idds_capacity, guests_capacity;
    size_t memory_limit;
};

/* One call of results_read. */
struct results_reading {
    struct results_reader *reader;
    const struct meter_sink *sink;
    const char *text;
    size_t n;
    size_t begun, next; /* where the line at hand begins in the text, and where the next one does */
    struct line line;   /* what is left of the line at hand */
    uint64_t offset;    /* of the text */
    struct error *err;
};

struct results_reader *results_reader_new(struct timeline_place *place, size_t memory_limit)
{
    struct results_reader *r = calloc(1, sizeof *r);
    if (r)
        *r = (struct results_reader){.place = place,
                                     .memory_limit = memory_limit ? memory_limit : MEMORY_DEFAULT};
    if (r)
        aggregate_init(&r->interval);
    return r;
}

void results_reader_free(struct results_reader *r)
{
    if (!r)
        return;
    aggregate_free(&r->interval);
    free(r->idds);
    free(r->guests);
    free(r);
}

/* ---- the timeline ---- */

static void place_life(const struct results_reader *r, int32_t domain, uint32_t *life)
{
    struct timeline_place *p = r->place;
    if (!p || domain < 0 || domain >= RESULTS_DOMAINS || *life > UINT32_MAX - p->before[domain])
        return;
    *life += p->before[domain];
    if (*life > p->seen[domain])
        p->seen[domain] = *life;
}

static void place_time(const struct results_reader *r, uint64_t *ns)
{
    if (r->place)
        *ns = timeline_ns(r->place, *ns);
}

/* ---- lines ---- */

static int damaged(const struct results_reading *x, const char *what)
{
    return error_set_at(x->err, ERROR_FORMAT, x->offset + x->begun, "damaged results: %s", what);
}

static int no_memory(const struct results_reading *x)
{
    return error_set_at(x->err, ERROR_MEMORY, x->offset + x->begun,
                        "results: more rows in one interval than there is memory for (%zu MiB)",
                        x->reader->memory_limit >> 20);
}

/* The next line, which is left in x->line. 1, 0: there is none, -1: it is damaged. */
static int next_line(struct results_reading *x)
{
    size_t left = x->n - x->next;
    x->begun = x->next;
    if (left == 0)
        return 0;
    const char *at = x->text + x->next;
    const char *end = memchr(at, '\n', left);
    if (!end)
        return damaged(x, "the last line has no end");
    if (end - at > RESULTS_LINE_MAX)
        return damaged(x, "a line without end");
    x->next += (size_t)(end - at) + 1;
    x->line = (struct line){.at = at, .end = end, .before = '{'};
    return 1;
}

/* The line ends here, and nothing is wrong with what it says. */
static int finish(struct results_reading *x, const char *wrong)
{
    line_finish(&x->line);
    if (x->line.wrong)
        wrong = x->line.wrong;
    return wrong ? damaged(x, wrong) : 0;
}

/* What makes an interval impossible, in words, or NULL. */
static const char *interval_wrong(const struct interval *i)
{
    uint64_t length = i->end_ns - i->start_ns, granularity = i->granularity_ns;
    if (i->end_ns < i->start_ns)
        return "an interval ends before it begins";
    if (granularity == 0)
        return NULL;
    /* It may be cut off at both ends, but lies between two boundaries. */
    if (length == 0 || length > granularity || i->start_ns / granularity != (i->end_ns - 1) / granularity)
        return "an interval is not of its length";
    return NULL;
}

/* ---- rows ---- */

/* Reads the buckets' numbers. False: no memory. */
static bool read_buckets(struct line *l, struct histogram *h)
{
    uint64_t bucket = 0;
    bool first = true;
    if (!LINE_HAS_KEY(l, "buckets") || !LINE_HAS(l, "["))
        line_wrong(l, "a histogram without buckets");
    while (!l->wrong && !LINE_HAS(l, "]")) {
        bool comma = first || LINE_HAS(l, ",");
        uint64_t steps = line_u64(l);
        if (!comma || !LINE_HAS(l, ",") || (!first && steps == 0) || steps >= HISTOGRAM_BUCKETS - bucket) {
            line_wrong(l, "a bucket that there is not");
            break;
        }
        bucket += steps;
        first = false;
        uint64_t count = line_u64(l);
        if (count == 0)
            line_wrong(l, "a bucket without samples");
        else if (!histogram_add_bucket(h, (unsigned)bucket, count))
            return false;
    }
    return true;
}

static bool read_histogram(struct results_reading *x, const struct stored_field *member, struct histogram *h)
{
    struct line *l = &x->line;
    if (!line_has_key(l, member->text, member->text_n))
        return true;
    line_open(l);
    line_fields(l, histogram_fields, h);
    if (!read_buckets(l, h))
        return false;
    line_close(l);
    if (h->count == 0 || !histogram_is_possible(h))
        line_wrong(l, "a histogram whose parts contradict each other");
    place_time(x->reader, &h->max_at);
    return true;
}

static const char *measures_wrong(const struct measures *m)
{
    for (const struct stored_field *f = measures_fields; f->key; f++)
        if (f->scalar.type == SCALAR_I64 && (int64_t)scalar_bits(&f->scalar, m) < 0)
            return "a negative time";
    bool none = m->allocated_ns == 0 && m->allocated_min_ns == UINT32_MAX && m->allocated_max_ns == 0;
    if (m->allocated_slices ? m->allocated_min_ns > m->allocated_max_ns : !none)
        return "slices that contradict each other";
    return NULL;
}

static const char *row_wrong(const struct row *row, const struct row *before)
{
    if ((row->domain < 0) != (row->life == 0))
        return "a domain without its life, or a life without its domain";
    if (row->domain < 0 && (row->vcpu >= 0 || row->pcpu < 0))
        return "a row of nobody";
    if (row->vcpu >= 0 && row->pcpu >= 0)
        return "a row of a vCPU on a pCPU";
    if (before && row_compare(before, row) >= 0)
        return "rows out of order";
    return measures_wrong(row->measures);
}

/* Reads the row after `row`, which it replaces; `first`: there is none before. */
static int read_row(struct results_reading *x, struct row *row, bool first)
{
    struct results_reader *r = x->reader;
    struct line *l = &x->line;
    const struct row before = *row;
    line_fields(l, row_fields, row);
    place_life(r, row->domain, &row->life);
    struct measures *m = aggregate_row(&r->interval, row);
    bool memory = m != NULL;
    if (m)
        line_fields(l, measures_fields, m);
    for (const struct stored_field *h = measures_histograms; memory && h->key; h++)
        memory = read_histogram(x, h, (struct histogram *)((char *)m + h->scalar.offset));
    if (!memory || aggregate_filled(&r->interval, m) > r->memory_limit)
        return no_memory(x);
    row->measures = m;
    return finish(x, row_wrong(row, first ? NULL : &before));
}

static int read_interval(struct results_reading *x)
{
    struct line *l = &x->line;
    struct interval interval = {0};
    uint64_t rows = 0;
    line_fields(l, interval_fields, &interval);
    if (LINE_HAS_KEY(l, "rows"))
        rows = line_u64(l);
    else
        line_wrong(l, "an interval without its number of rows");
    if (finish(x, interval_wrong(&interval)) != 0)
        return -1;
    struct aggregate *g = &x->reader->interval;
    struct row row = {0};
    aggregate_clear(g);
    for (uint64_t n = 0; n < rows; n++) {
        int status = next_line(x);
        if (status < 0)
            return -1;
        if (status == 0 || !LINE_HAS(l, "{\"row\":"))
            return damaged(x, "an interval has fewer rows than it says");
        if (read_row(x, &row, n == 0) != 0)
            return -1;
    }
    return x->sink->interval(x->sink->context, &interval, aggregate_rows(g), g->rows.n);
}

/* ---- charges ---- */

static const char *guest_wrong(const struct charge_guest *g, const struct charge_idd *idd)
{
    const struct charge_guest *before = idd->guests_n ? g - 1 : NULL;
    if (g->domain < 0 || g->life == 0)
        return "a guest that is nobody";
    if (before && life_compare(before->domain, before->life, g->domain, g->life) >= 0)
        return "guests out of order";
    if (life_compare(idd->domain, idd->life, g->domain, g->life) == 0)
        return "a driver domain is its own guest";
    if (g->measured_ns > g->charged_ns || g->certain_ns > g->charged_ns - g->measured_ns)
        return "parts of a charge that are more than it";
    for (int kind = 0; kind < IO_TRACE_KINDS; kind++)
        if (g->inferred[kind] > g->events[kind])
            return "more events were inferred than there are";
    for (int kind = 0; kind < COUNTER_KINDS; kind++)
        if (g->events[IO_TX + kind] && !g->counted[kind])
            return "events that nobody counted";
    return NULL;
}

/* charged + own + unattributed = running, and the guests' charges are what is charged. */
static const char *idd_wrong(const struct charge_idd *idd, const struct charge_idd *before,
                             const struct charge_guest *guests)
{
    uint64_t charged = 0, all;
    bool overflow = false;
    if (idd->domain < 0 || idd->life == 0)
        return "a driver domain that is nobody";
    if (before && life_compare(before->domain, before->life, idd->domain, idd->life) >= 0)
        return "driver domains out of order";
    for (size_t i = 0; guests && i < idd->guests_n; i++)
        overflow |= __builtin_add_overflow(charged, guests[i].charged_ns, &charged);
    overflow |= __builtin_add_overflow(idd->charged_ns, idd->own_ns, &all);
    overflow |= __builtin_add_overflow(all, idd->unattributed_ns, &all);
    return overflow || charged != idd->charged_ns || all != idd->running_ns ? "charges that do not add up"
                                                                            : NULL;
}

/* Reads one guest of the driver domain to guests[at]. False: no memory. */
static bool read_guest(struct results_reading *x, struct charge_idd *idd, size_t at)
{
    struct results_reader *r = x->reader;
    struct line *l = &x->line;
    struct charge_guest *guests = array_reserve(r->guests, &r->guests_capacity, at + 1, sizeof *guests);
    if (!guests)
        return false;
    r->guests = guests;
    line_open(l);
    line_fields(l, charge_guest_fields, &guests[at]);
    place_life(r, guests[at].domain, &guests[at].life);
    line_close(l);
    const char *wrong = guest_wrong(&guests[at], idd);
    if (wrong)
        line_wrong(l, wrong);
    idd->guests_n++;
    return true;
}

/* Reads one driver domain to idds[n], its guests to guests[at] and on. False: no memory. */
static bool read_idd(struct results_reading *x, size_t n, size_t at)
{
    struct results_reader *r = x->reader;
    struct line *l = &x->line;
    struct charge_idd *idds = array_reserve(r->idds, &r->idds_capacity, n + 1, sizeof *idds);
    if (!idds)
        return false;
    r->idds = idds;
    struct charge_idd *idd = &idds[n];
    idd->guests_n = 0;
    line_open(l);
    line_fields(l, charge_idd_fields, idd);
    place_life(r, idd->domain, &idd->life);
    if (LINE_HAS_KEY(l, "guests")) {
        if (!LINE_HAS(l, "["))
            line_wrong(l, "guests without a beginning");
        do {
            if (!read_guest(x, idd, at + idd->guests_n))
                return false;
        } while (!l->wrong && LINE_HAS(l, ","));
        if (!LINE_HAS(l, "]"))
            line_wrong(l, "guests without an end");
    }
    line_close(l);
    const char *wrong = idd_wrong(idd, n ? idd - 1 : NULL, r->guests ? r->guests + at : NULL);
    if (wrong)
        line_wrong(l, wrong);
    return true;
}

static int read_charges(struct results_reading *x)
{
    struct results_reader *r = x->reader;
    struct line *l = &x->line;
    struct interval interval = {0};
    size_t n = 0, guests = 0;
    line_fields(l, interval_fields, &interval);
    if (!LINE_HAS_KEY(l, "idds") || !LINE_HAS(l, "["))
        line_wrong(l, "charges without driver domains");
    for (bool more = !LINE_HAS(l, "]"); more && !l->wrong; n++) {
        if (!read_idd(x, n, guests))
            return no_memory(x);
        guests += r->idds[n].guests_n;
        more = LINE_HAS(l, ",");
        if (!more && !LINE_HAS(l, "]"))
            line_wrong(l, "driver domains without an end");
    }
    l->before = ',';
    if (finish(x, interval_wrong(&interval)) != 0)
        return -1;
    for (size_t i = 0, at = 0; i < n; at += r->idds[i++].guests_n) /* all are there: they move no more */
        r->idds[i].guests = r->guests ? r->guests + at : NULL;
    return x->sink->charges(x->sink->context, &interval, r->idds, n);
}

/* ---- executions ---- */

static const char *execution_wrong(const struct execution *e)
{
    if (e->domain < 0 || e->life == 0 || e->vcpu < 0)
        return "an execution of nobody";
    if (e->end_ns < e->start_ns || e->ran_ns > e->end_ns - e->start_ns)
        return "an execution is longer than it is";
    return NULL;
}

static int read_execution(struct results_reading *x)
{
    struct execution execution = {0};
    line_fields(&x->line, execution_fields, &execution);
    if (finish(x, execution_wrong(&execution)) != 0)
        return -1;
    place_life(x->reader, execution.domain, &execution.life);
    place_time(x->reader, &execution.start_ns);
    place_time(x->reader, &execution.end_ns);
    return x->sink->execution(x->sink->context, &execution);
}

/* ---- before it was seen ---- */

static const char *before_seen_wrong(const struct before_seen *s)
{
    bool of_pcpu = s->row.domain < 0;
    if (of_pcpu != (s->row.life == 0) || (of_pcpu && (s->row.vcpu >= 0 || s->row.pcpu < 0)))
        return "nobody was seen";
    if (s->from_ns >= s->seen_ns || s->seen_ns > INT64_MAX)
        return "seen before the beginning";
    if (s->doubtful_ns > s->seen_ns - s->from_ns)
        return "more time is doubtful than there is";
    if (s->driver_domain && s->state != RUNSTATE_RUNNING)
        return "a driver domain is charged for what it did not run";
    return NULL;
}

static int read_before_seen(struct results_reading *x)
{
    struct before_seen seen = {0};
    line_fields(&x->line, row_fields, &seen.row);
    place_life(x->reader, seen.row.domain, &seen.row.life);
    line_fields(&x->line, before_seen_fields, &seen);
    if (finish(x, before_seen_wrong(&seen)) != 0)
        return -1;
    return x->sink->before_seen(x->sink->context, &seen);
}

/* ---- all of them ---- */

static int read_line(struct results_reading *x)
{
    struct line *l = &x->line;
    if (LINE_HAS(l, "{\"row\":"))
        return x->sink->interval ? damaged(x, "an interval has more rows than it says") : 0;
    if (LINE_HAS(l, "{\"interval\":"))
        return x->sink->interval ? read_interval(x) : 0;
    if (LINE_HAS(l, "{\"execution\":"))
        return x->sink->execution ? read_execution(x) : 0;
    if (LINE_HAS(l, "{\"charges\":"))
        return x->sink->charges ? read_charges(x) : 0;
    if (LINE_HAS(l, "{\"before_seen\":"))
        return x->sink->before_seen ? read_before_seen(x) : 0;
    return damaged(x, "a line that is none of results");
}

int results_read(struct results_reader *r, const char *text, size_t n, uint64_t offset,
                 const struct meter_sink *sink, struct error *err)
{
    struct results_reading x = {
        .reader = r, .sink = sink, .text = text, .n = n, .offset = offset, .err = err};
    int status;
    while ((status = next_line(&x)) > 0)
        if ((status = read_line(&x)) != 0)
            return status;
    return status;
}
