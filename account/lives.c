#include "account/lives.h"

#include <stdlib.h>
#include <string.h>

#include "archive/results.h"

/* When an incarnation was there, by the capture's intervals. */
struct life_span {
    int32_t domain;
    uint32_t life;
    uint64_t first_ns, last_ns; /* last 0: not in any interval */
};

struct finding_spans {
    struct life_span *spans; /* by domain, life */
    size_t n;
};

static bool has_several(const struct summary *s, size_t i)
{
    return (i > 0 && s->domains[i - 1].domain == s->domains[i].domain) ||
           (i + 1 < s->domains_n && s->domains[i + 1].domain == s->domains[i].domain);
}

bool lives_need_more(const struct host_facts *f, const struct summary *s)
{
    for (size_t i = 0; i < s->domains_n; i++) {
        const uint32_t domain = (uint32_t)s->domains[i].domain;
        if (has_several(s, i) || (domain != 0 && !host_facts_domain(f, domain, UINT64_MAX)))
            return true;
    }
    return false;
}

static int compare_spans(const void *a, const void *b)
{
    const struct life_span *x = a, *y = b;
    return life_compare(x->domain, x->life, y->domain, y->life);
}

/* An incarnation is there in an interval in which it existed. */
static int take_rows(void *context, const struct interval *interval, const struct row *rows, size_t n)
{
    struct finding_spans *f = context;
    for (size_t i = 0; i < n && interval->granularity_ns > 0; i++) {
        const struct life_span like = {.domain = rows[i].domain, .life = rows[i].life};
        struct life_span *span = bsearch(&like, f->spans, f->n, sizeof like, compare_spans);
        if (!span)
            continue;
        if (span->last_ns == 0)
            span->first_ns = interval->start_ns;
        span->last_ns = interval->end_ns;
    }
    return 0;
}

static int find_spans(struct archive *a, const struct capture *p, struct finding_spans *f, struct error *err)
{
    const struct meter_sink sink = {.context = f, .interval = take_rows};
    struct results_reader *reader = results_reader_new(NULL, 0);
    int status = reader ? 0 : error_no_memory(err, "reading the archive");
    for (const struct member *m = p->members; m < p->members + p->members_n && status == 0; m++) {
        const uint8_t *text;
        if (m->kind != MEMBER_RESULTS || m->by != BY_DOMAIN)
            continue;
        status = archive_read(a, p, m, &text, err);
        if (status == 0)
            status = results_read(reader, (const char *)text, m->bytes, 0, &sink, err);
    }
    results_reader_free(reader);
    return status;
}

static void put_life(struct buffer *lives, const struct fact_domain *d, uint32_t life)
{
    struct fact f = {.kind = FACT_DOMAIN, .domain = *d};
    f.domain.tsc = life;
    fact_put(lives, &f);
}

/* The last fact that names the domain, of those that were learnt from from_tsc to to_tsc. NULL: there is none. */
static const struct fact_domain *fact_between(const struct host_facts *f, int32_t domain, uint64_t from_tsc,
                                              uint64_t to_tsc)
{
    const struct fact_domain *last = NULL;
    for (const struct fact_domain *d = f->domains; d < f->domains + f->domains_n; d++)
        if (d->domain == (uint32_t)domain && (*d->name || *d->uuid) && d->tsc >= from_tsc && d->tsc <= to_tsc)
            last = d;
    return last;
}

/* Who summary domain i was: the last fact; of one of several incarnations, the last that was learnt while it was there. */
static const struct fact_domain *fact_of(const struct host_facts *f, const struct summary *s, size_t i,
                                         const struct finding_spans *spans)
{
    const struct summary_domain *d = &s->domains[i];
    const struct life_span like = {.domain = d->domain, .life = d->life};
    const struct life_span *span = bsearch(&like, spans->spans, spans->n, sizeof like, compare_spans);
    bool is_first = i == 0 || s->domains[i - 1].domain != d->domain;
    if (!has_several(s, i))
        return fact_between(f, d->domain, 0, UINT64_MAX);
    if (!span || span->last_ns == 0)
        return NULL;
    return fact_between(f, d->domain, is_first ? 0 : clock_tsc(&s->clock, span->first_ns),
                        clock_tsc(&s->clock, span->last_ns));
}

int lives_identify(struct archive *a, const struct capture *p, const struct host_facts *f,
                   const struct summary *s, struct buffer *lives, struct error *err)
{
    struct finding_spans spans = {.spans = calloc(s->domains_n + 1, sizeof *spans.spans)};
    int status = spans.spans ? 0 : error_no_memory(err, "the domains");
    for (size_t i = 0; i < s->domains_n && status == 0; i++)
        if (has_several(s, i))
            spans.spans[spans.n++] = (struct life_span){s->domains[i].domain, s->domains[i].life, 0, 0};
    if (status == 0 && spans.n > 0)
        status = find_spans(a, p, &spans, err);
    for (size_t i = 0; i < s->domains_n && status == 0; i++) {
        const struct fact_domain *fact = fact_of(f, s, i, &spans);
        if (fact)
            put_life(lives, fact, s->domains[i].life);
    }
    free(spans.spans);
    if (status == 0 && lives->failed)
        status = error_no_memory(err, "the domains");
    return status;
}
