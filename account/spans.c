/* Times that were recorded. */
#include <stdlib.h>

#include "account/statement.h"

static int compare_spans(const void *a, const void *b)
{
    const struct account_span *x = a, *y = b;
    return (x->begin_utc_ns > y->begin_utc_ns) - (x->begin_utc_ns < y->begin_utc_ns);
}

/* A span as it lies in the period. */
static struct account_span inside(struct account_span s, const struct account_period *p)
{
    if (s.begin_utc_ns < p->begin_utc_ns + ACCOUNT_SLACK_NS)
        s.begin_utc_ns = p->begin_utc_ns;
    if (s.end_utc_ns > p->end_utc_ns - ACCOUNT_SLACK_NS)
        s.end_utc_ns = p->end_utc_ns;
    return s;
}

size_t account_spans_merge(struct account_span *spans, size_t n, const struct account_period *period)
{
    size_t left = 0;
    if (n > 1)
        qsort(spans, n, sizeof *spans, compare_spans);
    for (size_t i = 0; i < n; i++) {
        const struct account_span s = inside(spans[i], period);
        struct account_span *last = left > 0 ? &spans[left - 1] : NULL;
        if (s.begin_utc_ns >= s.end_utc_ns)
            continue;
        if (!last || s.begin_utc_ns - ACCOUNT_SLACK_NS >= last->end_utc_ns)
            spans[left++] = s;
        else if (s.end_utc_ns > last->end_utc_ns)
            last->end_utc_ns = s.end_utc_ns;
    }
    return left;
}

uint64_t account_spans_lack(const struct account_span *spans, size_t n, const struct account_period *period)
{
    uint64_t lack = (uint64_t)(period->end_utc_ns - period->begin_utc_ns);
    for (size_t i = 0; i < n; i++)
        lack -= (uint64_t)(spans[i].end_utc_ns - spans[i].begin_utc_ns);
    return lack;
}

double account_covered_pct(const struct account_period *period, uint64_t not_recorded_ns)
{
    uint64_t length = (uint64_t)(period->end_utc_ns - period->begin_utc_ns);
    double pct = 100.0 * (double)(length - not_recorded_ns) / (double)length;
    return not_recorded_ns > 0 && pct > 99.99 ? 99.99 : pct;
}
