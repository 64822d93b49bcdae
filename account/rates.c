#include "rates.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "metrics/array.h"

#define SECOND_NS UINT64_C(1000000000)

const char *const price_names[] = {"vcpu_second_run", "cpu_second_charged", "vcpu_hour_allocated",
                                   "pcpu_hour", NULL};

uint64_t price_unit_ns(enum price p)
{
    return p == PRICE_RUN || p == PRICE_CHARGED ? SECOND_NS : 3600 * SECOND_NS;
}

void rate_free(struct rate *rate)
{
    for (enum price p = 0; p < PRICES; p++)
        if (rate->given[p])
            mpq_clear(rate->prices[p]);
    for (size_t i = 0; rate->tags && i < rate->tags_n; i++)
        free(rate->tags[i]);
    free(rate->tags);
    free(rate->vm);
    free(rate->host);
}

void rates_free(struct rates *r)
{
    for (size_t i = 0; i < r->n; i++)
        rate_free(&r->at[i]);
    free(r->at);
    free(r->currency);
    free(r->provider);
    free(r->billing_account);
    *r = (struct rates){0};
}

/* ---- adding ---- */

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_tags(const struct rate *a, const struct rate *b)
{
    if (!a->tags || !b->tags)
        return a->tags == b->tags;
    for (size_t i = 0; i < a->tags_n; i++)
        if (!same_text(a->tags[i], b->tags[i]))
            return false;
    return true;
}

static bool at_one_time(const struct rate *a, const struct rate *b)
{
    return a->from_ns < b->to_ns && b->from_ns < a->to_ns;
}

int rates_add(struct rates *r, struct rate *rate, struct error *err)
{
    const struct rate *other = NULL;
    enum price both = 0;
    for (size_t i = 0; i < r->n && !other; i++)
        for (enum price p = 0; p < PRICES && !other; p++)
            if (r->at[i].given[p] && rate->given[p] && at_one_time(&r->at[i], rate) &&
                same_text(r->at[i].vm, rate->vm) && same_text(r->at[i].host, rate->host) &&
                same_tags(&r->at[i], rate)) {
                other = &r->at[i];
                both = p;
            }
    if (!other && array_make_room(&r->at, &r->capacity, r->n + 1, sizeof *r->at)) {
        r->at[r->n++] = *rate;
        return 0;
    }
    if (other)
        error_set(err, ERROR_FORMAT, "%s: overlaps %s: both have a %s for the same at one time", rate->where,
                  other->where, price_names[both]);
    else
        error_no_memory(err, "the rates");
    rate_free(rate);
    return -1;
}

/* ---- finding ---- */

bool rates_is_pattern(const char *text)
{
    return text[strcspn(text, "*?[\\")] != '\0';
}

bool rate_names_vm(const struct rate *rate, const char *vm_uuid, const char *vm_name)
{
    return !rate->vm || (*vm_uuid && fnmatch(rate->vm, vm_uuid, FNM_CASEFOLD) == 0) ||
           (*vm_name && fnmatch(rate->vm, vm_name, 0) == 0);
}

static bool has_tags(const struct rate *rate, const char *const *tags)
{
    for (size_t i = 0; rate->tags && i < rate->tags_n; i++)
        if (rate->tags[i] && (!tags || fnmatch(rate->tags[i], tags[i], 0) != 0))
            return false;
    return true;
}

static bool matches(const struct rate *rate, const struct rate_subject *s)
{
    if (rate->host && fnmatch(rate->host, s->host, 0) != 0)
        return false;
    if (!s->vm_uuid)
        return !rate->vm && !rate->tags;
    return rate_names_vm(rate, s->vm_uuid, s->vm_name) && has_tags(rate, s->tags);
}

static unsigned rank(const struct rate *rate)
{
    return (rate->vm ? 4u : 0) + (rate->tags ? 2u : 0) + (rate->host ? 1u : 0);
}

const struct rate *rates_find(const struct rates *r, enum price p, const struct rate_subject *s,
                              int64_t from_ns, struct error *err)
{
    const struct rate *best = NULL, *equal = NULL;
    for (size_t i = 0; i < r->n; i++) {
        const struct rate *rate = &r->at[i];
        if (!rate->given[p] || from_ns < rate->from_ns || from_ns >= rate->to_ns || !matches(rate, s) ||
            (best && rank(rate) < rank(best)))
            continue;
        equal = best && rank(rate) == rank(best) ? rate : NULL;
        best = equal ? best : rate;
    }
    if (!equal)
        return best;
    error_set(err, ERROR_FORMAT, "%s: overlaps %s: both have a %s for %s '%.80s'", equal->where, best->where,
              price_names[p], s->vm_uuid ? "VM" : "host",
              s->vm_uuid ? (*s->vm_name ? s->vm_name : s->vm_uuid) : s->host);
    return NULL;
}

bool rates_have(const struct rates *r, enum price p)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->at[i].given[p])
            return true;
    return false;
}

/* ---- changes ---- */

static int by_time(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

size_t rates_changes(const struct rates *r, int64_t from_ns, int64_t to_ns, int64_t *moments)
{
    size_t n = 0, kept = 0;
    for (size_t i = 0; i < r->n; i++) {
        const int64_t ends[] = {r->at[i].from_ns, r->at[i].to_ns};
        for (size_t k = 0; k < 2; k++)
            if (ends[k] > from_ns && ends[k] < to_ns)
                moments[n++] = ends[k];
    }
    qsort(moments, n, sizeof *moments, by_time);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || moments[i] != moments[i - 1])
            moments[kept++] = moments[i];
    return kept;
}
