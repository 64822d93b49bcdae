#include "account/recorded.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account/lives.h"
#include "account/period.h"
#include "archive/results.h"
#include "archive/summary.h"
#include "metrics/min_max.h"

/* Rows of the whole capture begin so, and nothing else does. */
#define WHOLE_INTERVAL "{\"interval\":{\"granularity_ns\":0,"

struct reading_whole {
    struct recorded *recorded;
    struct recorded_rows *rows;
    uint64_t end_ns;
    bool any;
};

void recorded_rows_free(struct recorded_rows *rows)
{
    buffer_free(&rows->lives);
    buffer_free(&rows->whole);
}

static int member_wrong(const struct archive *a, const struct capture *p, const struct member *m,
                        const struct error *why, struct error *err)
{
    return error_set_at(err, why->code, archive_frames(a)->list[p->first_frame + m->frame].offset, "%s: %s",
                        m->name, why->message);
}

/* ---- facts ---- */

static int read_facts_of(struct archive *a, const struct capture *p, const struct member *m,
                         struct host_facts *facts, struct error *err)
{
    const uint8_t *text;
    struct error why = {0};
    if (archive_read(a, p, m, &text, err) != 0)
        return -1;
    return host_facts_read(facts, (const char *)text, m->bytes, &why) == 0 ? 0
                                                                           : member_wrong(a, p, m, &why, err);
}

/* Copies what a capture without times of day of its own lacks. */
static int take_given(struct host_facts *facts, const struct host_facts *given, struct error *err)
{
    struct buffer lines = {0};
    struct fact f = {.kind = FACT_BOOT, .boot = given->boot};
    if (*given->boot.boot_id)
        fact_put(&lines, &f);
    for (size_t i = 0; i < given->clocks_n; i++) {
        f = (struct fact){.kind = FACT_CLOCK, .clock = given->clocks[i]};
        fact_put(&lines, &f);
    }
    for (size_t i = 0; i < given->domains_n; i++) {
        f = (struct fact){.kind = FACT_DOMAIN, .domain = given->domains[i]};
        fact_put(&lines, &f);
    }
    int status = lines.failed ? error_no_memory(err, "facts about the host")
                              : host_facts_read(facts, lines.at, lines.n, err);
    buffer_free(&lines);
    return status;
}

/* The facts of its first and its last member, or of all. 0; 1: they are those that were given; -1. */
static int read_facts(struct archive *a, const struct capture *p, bool all, const struct host_facts *given,
                      struct host_facts *facts, struct error *err)
{
    const struct member *first = NULL, *last = NULL;
    for (const struct member *m = p->members; m < p->members + p->members_n; m++) {
        if (m->kind != MEMBER_HOST)
            continue;
        first = first ? first : m;
        last = m;
    }
    for (const struct member *m = first; m && m <= last; m++)
        if (m->kind == MEMBER_HOST && (all || m == first || m == last) &&
            read_facts_of(a, p, m, facts, err) != 0)
            return -1;
    if (facts->clocks_n > 0 || !given)
        return 0;
    return take_given(facts, given, err) == 0 ? 1 : -1;
}

int recorded_facts(struct archive *a, const struct capture *p, const struct host_facts *given,
                   struct host_facts *facts, struct error *err)
{
    return read_facts(a, p, true, given, facts, err) < 0 ? -1 : 0;
}

/* ---- rows of the whole ---- */

/* Rows as they are kept: of histograms only that of waits. */
static void keep_rows(struct buffer *b, const struct interval *interval, const struct row *rows, size_t n)
{
    struct row *kept = calloc(n + 1, sizeof *kept);
    struct measures *measures = calloc(n + 1, sizeof *measures);
    b->failed |= !kept || !measures;
    for (size_t i = 0; i < n && !b->failed; i++) {
        measures[i] = *rows[i].measures;
        histogram_init(&measures[i].run); /* those of `rows` stay theirs */
        histogram_init(&measures[i].block);
        kept[i] = rows[i];
        kept[i].measures = &measures[i];
    }
    if (!b->failed)
        results_put_interval(b, interval, kept, n, NULL);
    free(kept);
    free(measures);
}

static int take_whole(void *context, const struct interval *interval, const struct row *rows, size_t n)
{
    struct reading_whole *x = context;
    if (interval->granularity_ns != 0 || interval->start_ns != 0 || interval->end_ns != x->end_ns)
        return 0;
    x->any = true;
    keep_rows(&x->rows->whole, interval, rows, n);
    return 0;
}

static int take_charges(void *context, const struct interval *interval, const struct charge_idd *idds,
                        size_t n)
{
    struct reading_whole *x = context;
    if (x->any && interval->granularity_ns == 0)
        results_put_charges(&x->rows->whole, interval, idds, n, NULL);
    return 0;
}

static int take_pcpus(void *context, const struct interval *interval, const struct row *rows, size_t n)
{
    struct reading_whole *x = context;
    if (interval->granularity_ns != 0 || interval->start_ns != 0 || interval->end_ns != x->end_ns)
        return 0;
    x->any = true;
    for (size_t i = 0; i < n; i++)
        x->recorded->idle_ns += min64((uint64_t)rows[i].measures->idle_ns, x->end_ns);
    return 0;
}

/* The last member with such results: rows of the whole come last. */
static const struct member *last_results(const struct capture *p, enum by by)
{
    for (size_t i = p->members_n; i-- > 0;)
        if (p->members[i].kind == MEMBER_RESULTS && p->members[i].by == by)
            return &p->members[i];
    return NULL;
}

/* Reads the rows of the whole, if they are kept: x->any. */
static int read_whole(struct archive *a, const struct capture *p, enum by by, struct reading_whole *x,
                      struct error *err)
{
    const struct member *m = last_results(p, by);
    const struct meter_sink sink = {.context = x,
                                    .interval = by == BY_DOMAIN ? take_whole : take_pcpus,
                                    .charges = by == BY_DOMAIN ? take_charges : NULL};
    const uint8_t *text;
    struct error why = {0};
    x->any = false;
    if (!m)
        return 0;
    if (archive_read(a, p, m, &text, err) != 0)
        return -1;
    const char *end = (const char *)text + m->bytes;
    const char *from = memmem(text, m->bytes, WHOLE_INTERVAL, sizeof WHOLE_INTERVAL - 1);
    if (!from)
        return 0;
    struct results_reader *reader = results_reader_new(NULL, 0);
    if (!reader)
        return error_no_memory(err, "reading the archive");
    int status = results_read(reader, from, (size_t)(end - from), 0, &sink, &why);
    results_reader_free(reader);
    if (status == 0 && x->rows->whole.failed)
        return error_no_memory(err, "reading the archive");
    return status == 0 ? 0 : member_wrong(a, p, m, &why, err);
}

/* ---- the summary ---- */

static void judge(struct recorded *r, const struct capture *p, const struct summary *s)
{
    struct judgement j;
    uint64_t all_ns = clock_ns(&s->clock, s->trace.tsc_last);
    verdict_judge(&j, &s->quality, &s->clock, all_ns, s->trace.pcpus, s->trace.has_runstates);
    if (s->charged)
        verdict_judge_charges(&j, &s->charges, &p->options.charge, all_ns);
    r->verdict = j.verdict;
    r->lost_records = s->quality.lost_records;
    snprintf(r->why, sizeof r->why, "%s", j.reasons ? j.why[0] : "");
}

static int read_summary(struct archive *a, const struct capture *p, struct recorded *r, struct summary *s,
                        struct error *err)
{
    const struct member *m = capture_member(p, "summary.json");
    const uint8_t *text;
    struct error why = {0};
    if (!m)
        return error_set(err, ERROR_FORMAT, "capture %s has no summary", p->id);
    if (archive_read(a, p, m, &text, err) != 0)
        return -1;
    if (summary_read(s, (const char *)text, m->bytes, &why) != 0)
        return member_wrong(a, p, m, &why, err);
    r->from_tsc = s->clock.tsc_first;
    r->length_ns = s->end_ns;
    r->to_tsc = max64(r->from_tsc, min64(s->trace.tsc_last, clock_tsc(&s->clock, s->end_ns)));
    r->pcpus = s->trace.pcpus;
    judge(r, p, s);
    return 0;
}

/* ---- all of it ---- */

uint64_t recorded_shortest(const struct capture *p)
{
    uint64_t shortest = 0;
    for (size_t i = 0; i < p->options.granularities; i++) {
        uint64_t ns = p->options.granularities_ns[i];
        if (ns && (!shortest || ns < shortest))
            shortest = ns;
    }
    return shortest;
}

static void place(struct recorded *r, const struct host_facts *f, const struct summary *s)
{
    uint64_t error_ns = 0;
    double hz = s->clock.cpu_hz;
    r->timed = host_facts_utc(f, hz, r->from_tsc, &r->begin_utc_ns, &r->error_ns) &&
               host_facts_utc(f, hz, r->to_tsc, &r->end_utc_ns, &error_ns) && r->begin_utc_ns >= 0 &&
               r->end_utc_ns <= ACCOUNT_UTC_MAX;
    r->error_ns = max64(r->error_ns, error_ns);
    if (!r->timed)
        r->begin_utc_ns = r->end_utc_ns = 0;
    snprintf(r->boot_id, sizeof r->boot_id, "%s", f->boot.boot_id);
    if (f->boot.pcpus > r->pcpus)
        r->pcpus = f->boot.pcpus;
}

static int read_rows(struct archive *a, const struct capture *p, struct recorded *r,
                     struct recorded_rows *rows, struct error *err)
{
    struct reading_whole x = {.recorded = r, .rows = rows, .end_ns = r->length_ns};
    if (read_whole(a, p, BY_DOMAIN, &x, err) != 0)
        return -1;
    r->whole = x.any;
    if (read_whole(a, p, BY_PCPU, &x, err) != 0)
        return -1;
    r->by_pcpu = p->options.bys >> BY_PCPU & 1;
    r->whole &= x.any || !r->by_pcpu;
    if (!r->whole)
        rows->whole.n = r->idle_ns = 0;
    return 0;
}

int recorded_read(struct archive *a, const struct capture *p, const struct host_facts *given,
                  struct recorded *r, struct recorded_rows *rows, struct error *err)
{
    struct summary s = {0};
    struct host_facts facts = {0};
    *r = (struct recorded){.goes_on = p->goes_on, .shortest_ns = recorded_shortest(p)};
    snprintf(r->host, sizeof r->host, "%s", p->host);
    snprintf(r->id, sizeof r->id, "%s", p->id);
    int status = read_summary(a, p, r, &s, err);
    if (status == 0)
        status = read_facts(a, p, false, given, &facts, err);
    r->given = status > 0;
    status = status < 0 ? -1 : 0;
    if (status == 0 && !(p->options.bys & 1u << BY_DOMAIN))
        status = error_set(err, ERROR_FORMAT, "capture %s has no rows by domain", p->id);
    if (status == 0)
        place(r, &facts, &s);
    if (status == 0)
        status = read_rows(a, p, r, rows, err);
    if (status == 0 && lives_need_more(&facts, &s)) {
        host_facts_free(&facts);
        facts = (struct host_facts){0};
        status = recorded_facts(a, p, given, &facts, err);
    }
    if (status == 0)
        status = lives_identify(a, p, &facts, &s, &rows->lives, err);
    host_facts_free(&facts);
    summary_free(&s);
    return status;
}
