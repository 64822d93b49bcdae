#include "account/overlap.h"

#include <stdlib.h>
#include <string.h>

#include "metrics/min_max.h"

static uint64_t length_of(const struct overlap_claim *c)
{
    return c->to - c->from;
}

/* <0: a is better. Never 0, unless they have one file name. */
static int compare_quality(const struct overlap_claim *a, const struct overlap_claim *b)
{
    if (a->verdict != b->verdict)
        return a->verdict < b->verdict ? -1 : 1;
    if (length_of(a) != length_of(b))
        return length_of(a) > length_of(b) ? -1 : 1;
    if (a->lost_records != b->lost_records)
        return a->lost_records < b->lost_records ? -1 : 1;
    return strcmp(a->file, b->file);
}

/* By beginning; of those that begin together the longest first, of equal ones the best. */
static int compare_places(const void *a, const void *b)
{
    const struct overlap_claim *x = a, *y = b;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    if (x->to != y->to)
        return x->to > y->to ? -1 : 1;
    return compare_quality(x, y);
}

/*
 * Those that lie in others, which come before them, are set aside: the rest, whose indices go to `left`, begins and ends in one order.
 * Returns how many these are.
 */
static size_t set_contained_aside(struct overlap_claim *claims, size_t n, size_t *left)
{
    size_t left_n = 0;
    uint64_t reached = 0;
    for (size_t i = 0; i < n; i++) {
        struct overlap_claim *c = &claims[i];
        c->counts_from = c->counts_to = c->from;
        if (left_n > 0 && c->to <= reached)
            continue;
        c->counts_to = reached = c->to;
        left[left_n++] = i;
    }
    return left_n;
}

/* What better ones before it have of its time is a beginning of it, what those after it have is an end. */
static void cut(struct overlap_claim *claims, const size_t *left, size_t n, size_t i)
{
    struct overlap_claim *c = &claims[left[i]];
    uint64_t from = c->from, to = c->to;
    for (size_t k = i; k-- > 0 && claims[left[k]].to > c->from;)
        if (compare_quality(&claims[left[k]], c) < 0)
            from = max64(from, claims[left[k]].to);
    for (size_t k = i + 1; k < n && claims[left[k]].from < c->to; k++)
        if (compare_quality(&claims[left[k]], c) < 0)
            to = min64(to, claims[left[k]].from);
    c->counts_from = from < to ? from : c->from;
    c->counts_to = from < to ? to : c->from;
}

bool overlap_resolve(struct overlap_claim *claims, size_t n)
{
    size_t *left = calloc(n + 1, sizeof *left);
    if (!left)
        return false;
    qsort(claims, n, sizeof *claims, compare_places);
    size_t left_n = set_contained_aside(claims, n, left);
    for (size_t i = 0; i < left_n; i++)
        cut(claims, left, left_n, i);
    free(left);
    return true;
}
