#include "account/tally.h"

#include <stdlib.h>

#include "archive/results.h"
#include "archive/summary.h"
#include "metrics/min_max.h"

struct adding {
    struct tally *tally;
    const struct recorded *recorded;
    const struct tally_part *part;
    const struct host_facts *facts;
    struct clock clock;
    enum by by;
    bool counts;                /* the last interval */
    uint64_t first_ns, last_ns; /* those that count begin and end there */
    bool peaks;                 /* not the sums, but the peaks */
    bool no_memory;
    const char *wrong; /* NULL: nothing */
};

void tally_clear(struct tally *t)
{
    if (!t->made) {
        aggregate_init(&t->domains);
        aggregate_init(&t->pcpus);
    }
    aggregate_clear(&t->domains);
    aggregate_clear(&t->pcpus);
    t->made = true;
    t->any = t->peaks_known = false;
    t->recorded_ns = t->idle_ns = 0;
    t->begin_utc_ns = t->end_utc_ns = 0;
}

void tally_free(struct tally *t)
{
    if (!t->made)
        return;
    aggregate_free(&t->domains);
    aggregate_free(&t->pcpus);
    peaks_free(&t->peaks);
    t->made = false;
}

/* What a reader of results ended with. */
static int result_of(int status, const struct adding *x, struct error *err)
{
    if (x->no_memory)
        return error_no_memory(err, "the rows of a capture");
    return x->wrong ? error_set(err, ERROR_FORMAT, "%s", x->wrong) : status;
}

static int no_memory(struct adding *x)
{
    x->no_memory = true;
    return -1;
}

/* ---- the whole ---- */

static int add_whole(void *context, const struct interval *interval, const struct row *rows, size_t n)
{
    struct adding *x = context;
    (void)interval;
    return aggregate_add_rows(&x->tally->domains, rows, n) ? 0 : no_memory(x);
}

static int add_whole_charges(void *context, const struct interval *interval, const struct charge_idd *idds,
                             size_t n)
{
    struct adding *x = context;
    (void)interval;
    return aggregate_add_charges(&x->tally->domains, idds, n) ? 0 : no_memory(x);
}

int tally_whole(struct tally *t, const struct recorded *r, const char *rows, size_t n, struct error *err)
{
    struct adding x = {.tally = t};
    const struct meter_sink sink = {.context = &x, .interval = add_whole, .charges = add_whole_charges};
    struct results_reader *reader = results_reader_new(NULL, 0);
    tally_clear(t);
    if (!reader)
        return error_no_memory(err, "the rows of a capture");
    int status = results_read(reader, rows, n, 0, &sink, err);
    results_reader_free(reader);
    t->recorded_ns = r->length_ns;
    t->idle_ns = r->idle_ns;
    t->any = true;
    t->begin_utc_ns = r->begin_utc_ns;
    t->end_utc_ns = r->end_utc_ns;
    return result_of(status, &x, err);
}

/* ---- intervals ---- */

static bool utc_of(const struct adding *x, uint64_t ns, int64_t *utc_ns)
{
    return host_facts_utc(x->facts, x->clock.cpu_hz, clock_tsc(&x->clock, ns), utc_ns, NULL);
}

/* Whether the interval [start, end) of the capture counts. */
static bool is_of_part(const struct adding *x, uint64_t start_ns, uint64_t end_ns)
{
    int64_t middle;
    uint64_t end_tsc = min64(clock_tsc(&x->clock, end_ns), x->recorded->to_tsc);
    return clock_tsc(&x->clock, start_ns) >= x->part->from_tsc && end_tsc <= x->part->to_tsc &&
           utc_of(x, start_ns + (end_ns - start_ns) / 2, &middle) &&
           account_period_has(&x->part->period, middle);
}

static void count_time(struct adding *x, const struct interval *i)
{
    struct tally *t = x->tally;
    int64_t begin, end;
    t->recorded_ns += i->end_ns - i->start_ns;
    if (!utc_of(x, i->start_ns, &begin) || !utc_of(x, i->end_ns, &end))
        return;
    t->begin_utc_ns = t->any && t->begin_utc_ns < begin ? t->begin_utc_ns : begin;
    t->end_utc_ns = t->any && t->end_utc_ns > end ? t->end_utc_ns : end;
    t->any = true;
}

static int add_interval(void *context, const struct interval *interval, const struct row *rows, size_t n)
{
    struct adding *x = context;
    x->counts = interval->granularity_ns == x->recorded->shortest_ns &&
                interval->end_ns <= x->recorded->length_ns &&
                is_of_part(x, interval->start_ns, interval->end_ns);
    if (!x->counts)
        return 0;
    if (interval->start_ns < x->last_ns) {
        x->wrong = "intervals are not in the order of time";
        return -1;
    }
    x->first_ns = min64(x->first_ns, interval->start_ns);
    x->last_ns = interval->end_ns;
    if (x->by == BY_DOMAIN)
        count_time(x, interval);
    return aggregate_add_rows(x->by == BY_DOMAIN ? &x->tally->domains : &x->tally->pcpus, rows, n)
               ? 0
               : no_memory(x);
}

static int add_charges(void *context, const struct interval *interval, const struct charge_idd *idds,
                       size_t n)
{
    struct adding *x = context;
    if (!x->counts || interval->granularity_ns != x->recorded->shortest_ns)
        return 0;
    return aggregate_add_charges(&x->tally->domains, idds, n) ? 0 : no_memory(x);
}

/*
 * Somebody was there in intervals that were handed out without him: adds his time in those that count, which follow each other unless
 * the time of day was set meanwhile.
 */
static int add_before_seen(void *context, const struct before_seen *s)
{
    struct adding *x = context;
    struct aggregate *g = x->by == BY_DOMAIN ? &x->tally->domains : &x->tally->pcpus;
    const uint64_t from_ns = max64(s->from_ns, x->first_ns), to_ns = min64(s->seen_ns, x->last_ns);
    if (from_ns >= to_ns)
        return 0;
    const uint64_t ns = to_ns - from_ns;
    const struct charge_idd idd = {
        .domain = s->row.domain, .life = s->row.life, .running_ns = ns, .unattributed_ns = ns};
    struct measures *m = aggregate_row(g, &s->row);
    if (!m)
        return no_memory(x);
    if (x->by == BY_DOMAIN && !s->idle)
        before_seen_add_to_domain(s, m->domain_ns, ns);
    before_seen_add(s, m, from_ns, to_ns);
    if (x->by == BY_DOMAIN && s->driver_domain && !aggregate_add_charges(g, &idd, 1))
        return no_memory(x);
    return 0;
}

/* ---- peaks ---- */

static int peak_interval(void *context, const struct interval *interval, const struct row *rows, size_t n)
{
    struct adding *x = context;
    x->counts = interval->granularity_ns == x->recorded->shortest_ns &&
                interval->end_ns <= x->recorded->length_ns &&
                (!x->part || is_of_part(x, interval->start_ns, interval->end_ns));
    return !x->counts || peaks_rows(&x->tally->peaks, interval->start_ns, rows, n) ? 0 : no_memory(x);
}

static int peak_charges(void *context, const struct interval *interval, const struct charge_idd *idds,
                        size_t n)
{
    struct adding *x = context;
    bool counts = x->counts && interval->granularity_ns == x->recorded->shortest_ns;
    return !counts || peaks_charges(&x->tally->peaks, idds, n) ? 0 : no_memory(x);
}

/* ---- members ---- */

static int add_member(struct adding *x, struct results_reader *reader, const struct member *m,
                      const char *text, struct error *err)
{
    const struct meter_sink peaks = {.context = x, .interval = peak_interval, .charges = peak_charges};
    const struct meter_sink sums = {.context = x,
                                    .interval = add_interval,
                                    .charges = x->by == BY_DOMAIN ? add_charges : NULL,
                                    .before_seen = add_before_seen};
    const struct meter_sink sink = x->peaks ? peaks : sums;
    struct error why = {0};
    int status = results_read(reader, text, m->bytes, 0, &sink, &why);
    if (status != 0 && why.code != ERROR_NONE)
        error_set(err, why.code, "%s: %s", m->name, why.message);
    return result_of(status, x, err);
}

static int add_members(struct adding *x, struct archive *a, const struct capture *p, struct error *err)
{
    struct results_reader *reader = results_reader_new(NULL, 0);
    int status = reader ? 0 : error_no_memory(err, "the rows of a capture");
    x->first_ns = UINT64_MAX;
    x->last_ns = 0;
    for (const struct member *m = p->members; m < p->members + p->members_n && status == 0; m++) {
        const uint8_t *text;
        if (m->kind != MEMBER_RESULTS || m->by != x->by)
            continue;
        status = archive_read(a, p, m, &text, err);
        if (status == 0)
            status = add_member(x, reader, m, (const char *)text, err);
    }
    results_reader_free(reader);
    return status;
}

static int read_clock(struct archive *a, const struct capture *p, struct clock *clock, struct error *err)
{
    const struct member *m = capture_member(p, "summary.json");
    struct summary s = {0};
    const uint8_t *text;
    if (!m)
        return error_set(err, ERROR_FORMAT, "capture %s has no summary", p->id);
    int status = archive_read(a, p, m, &text, err);
    if (status == 0)
        status = summary_read(&s, (const char *)text, m->bytes, err);
    *clock = s.clock;
    summary_free(&s);
    return status;
}

int tally_intervals(struct tally *t, struct archive *a, const struct capture *p, const struct host_facts *f,
                    const struct recorded *r, const struct tally_part *part, struct error *err)
{
    struct adding x = {.tally = t, .recorded = r, .part = part, .facts = f};
    tally_clear(t);
    if (read_clock(a, p, &x.clock, err) != 0)
        return -1;
    for (x.by = BY_DOMAIN; x.by <= BY_PCPU; x.by += BY_PCPU)
        if (p->options.bys >> x.by & 1 && add_members(&x, a, p, err) != 0)
            return -1;
    const struct row *pcpus = aggregate_rows(&t->pcpus);
    for (size_t i = 0; i < t->pcpus.rows.n; i++)
        t->idle_ns += min64((uint64_t)pcpus[i].measures->idle_ns, t->recorded_ns);
    return 0;
}

int tally_peaks(struct tally *t, struct archive *a, const struct capture *p, const struct host_facts *f,
                const struct recorded *r, const struct tally_part *part, struct error *err)
{
    struct adding x = {.tally = t, .recorded = r, .part = part, .facts = f, .by = BY_DOMAIN, .peaks = true};
    peaks_begin(&t->peaks, r->shortest_ns);
    if (r->shortest_ns == 0)
        return 0;
    if (read_clock(a, p, &x.clock, err) != 0 || add_members(&x, a, p, err) != 0)
        return -1;
    peaks_end(&t->peaks);
    t->peaks_known = true;
    return 0;
}
