#include "account/peaks.h"

#include <stdlib.h>
#include <string.h>

#include "metrics/array.h"

static const uint64_t window_ns[2] = {1000000000, 300000000000};

void peaks_begin(struct peaks *p, uint64_t interval_ns)
{
    p->n = 0;
    p->open = false;
    for (int w = 0; w < 2; w++) {
        p->known[w] = interval_ns > 0 && window_ns[w] % interval_ns == 0;
        p->window[w] = 0;
    }
}

void peaks_free(struct peaks *p)
{
    free(p->list);
    *p = (struct peaks){.list = NULL};
}

/* Where that domain is, or belongs. */
static size_t place_of(const struct peaks *p, int32_t domain, uint32_t life)
{
    size_t from = 0, to = p->n;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (life_compare(p->list[middle].domain, p->list[middle].life, domain, life) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

const struct peak *peaks_of(const struct peaks *p, int32_t domain, uint32_t life)
{
    size_t at = place_of(p, domain, life);
    bool there = at < p->n && life_compare(p->list[at].domain, p->list[at].life, domain, life) == 0;
    return there ? &p->list[at] : NULL;
}

/* False: no memory. */
static bool add(struct peaks *p, int32_t domain, uint32_t life, int64_t ns)
{
    size_t at = place_of(p, domain, life);
    if (at == p->n || life_compare(p->list[at].domain, p->list[at].life, domain, life) != 0) {
        if (!array_make_room(&p->list, &p->capacity, p->n + 1, sizeof *p->list))
            return false;
        memmove(p->list + at + 1, p->list + at, (p->n - at) * sizeof *p->list);
        p->list[at] = (struct peak){.domain = domain, .life = life};
        p->n++;
    }
    if (__builtin_add_overflow(p->list[at].now_ns, ns, &p->list[at].now_ns))
        p->list[at].now_ns = 0; /* no such number is possible: the tally of the same rows is refused */
    return true;
}

static void close_window(struct peaks *p, int w)
{
    for (size_t i = 0; i < p->n; i++) {
        struct peak *k = &p->list[i];
        if (k->sum_ns[w] > k->most_ns[w])
            k->most_ns[w] = k->sum_ns[w];
        k->sum_ns[w] = 0;
    }
}

/* The interval at hand is complete. */
static void close_interval(struct peaks *p)
{
    for (int w = 0; w < 2 && p->open; w++) {
        uint64_t window = p->at_ns / window_ns[w];
        if (window != p->window[w])
            close_window(p, w);
        p->window[w] = window;
        for (size_t i = 0; i < p->n; i++)
            p->list[i].sum_ns[w] += p->list[i].now_ns > 0 ? (uint64_t)p->list[i].now_ns : 0;
    }
    for (size_t i = 0; i < p->n; i++)
        p->list[i].now_ns = 0;
}

bool peaks_rows(struct peaks *p, uint64_t start_ns, const struct row *rows, size_t n)
{
    close_interval(p);
    p->open = true;
    p->at_ns = start_ns;
    for (size_t i = 0; i < n; i++)
        if (!add(p, rows[i].domain, rows[i].life, rows[i].measures->state_ns[RUNSTATE_RUNNING]))
            return false;
    return true;
}

bool peaks_charges(struct peaks *p, const struct charge_idd *idds, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!add(p, idds[i].domain, idds[i].life, -(int64_t)idds[i].charged_ns))
            return false;
        for (size_t k = 0; k < idds[i].guests_n; k++) {
            const struct charge_guest *g = &idds[i].guests[k];
            if (!add(p, g->domain, g->life, (int64_t)g->charged_ns))
                return false;
        }
    }
    return true;
}

void peaks_end(struct peaks *p)
{
    close_interval(p);
    p->open = false;
    close_window(p, 0);
    close_window(p, 1);
}
