#include "screen/picture.h"

#include <stdlib.h>
#include <string.h>

#define TEN_NS (10 * (uint64_t)SECOND_NS)

static void free_window(struct window *w)
{
    for (size_t by = 0; by < BYS; by++)
        row_set_free(&w->rows[by]);
    charge_set_free(&w->charges);
    free(w->delays);
    *w = (struct window){.delays_n = 0};
}

void picture_free(struct picture *p)
{
    for (size_t i = 0; i < SPANS; i++)
        free_window(&p->windows[i]);
    free(p->executions);
    free(p->waits);
    *p = (struct picture){.any = false};
}

/* ---- delays ---- */

int delay_compare(const void *a, const void *b)
{
    const struct delay *d = a, *e = b;
    int order = life_compare(d->victim, d->victim_life, e->victim, e->victim_life);
    if (order == 0)
        order = (d->victim_vcpu > e->victim_vcpu) - (d->victim_vcpu < e->victim_vcpu);
    if (order == 0)
        order = (int)d->kind - (int)e->kind;
    return order ? order : life_compare(d->culprit, d->culprit_life, e->culprit, e->culprit_life);
}

void delay_add(struct delay *to, const struct delay *from)
{
    to->delayed_ns += from->delayed_ns;
    to->count += from->count;
    if (from->count && from->max_ns > to->max_ns) {
        to->max_ns = from->max_ns;
        to->max_at_ns = from->max_at_ns;
    }
}

static bool append_delays(struct window *w, const struct second *s)
{
    struct delay *all = realloc(w->delays, (w->delays_n + s->delays_n + 1) * sizeof *all);
    if (!all)
        return false;
    w->delays = all;
    if (s->delays_n > 0)
        memcpy(all + w->delays_n, s->delays, s->delays_n * sizeof *all);
    w->delays_n += s->delays_n;
    return true;
}

static void fold_delays(struct window *w)
{
    size_t n = 0;
    if (w->delays_n > 1)
        qsort(w->delays, w->delays_n, sizeof *w->delays, delay_compare);
    for (size_t i = 0; i < w->delays_n; i++)
        if (n > 0 && delay_compare(&w->delays[n - 1], &w->delays[i]) == 0)
            delay_add(&w->delays[n - 1], &w->delays[i]);
        else
            w->delays[n++] = w->delays[i];
    w->delays_n = n;
}

/* ---- windows ---- */

static bool add_second(struct window *w, const struct second *s, unsigned parts)
{
    bool fine = true;
    w->parts &= s->parts;
    for (size_t by = 0; by < BYS; by++)
        if (parts & 1u << by)
            fine = fine && row_set_add(&w->rows[by], &s->rows[by]);
    if (parts & PART_CHARGES)
        fine = fine && charge_set_add(&w->charges, s->charges.idds, s->charges.n);
    if (parts & PART_DELAYS)
        fine = fine && append_delays(w, s);
    return fine;
}

/* The seconds up to number `last` that begin at from_ns or later. Time before the first second that was recorded at all is not in it. */
static bool make_window(struct window *w, const struct history *h, size_t last, uint64_t from_ns,
                        unsigned parts)
{
    const struct second *end = history_second(h, last);
    uint64_t covered_ns = 0;
    size_t first = last;
    while (first > 0 && history_second(h, first - 1)->start_ns >= from_ns)
        first--;
    *w = (struct window){.interval = {.start_ns = history_second(h, first)->start_ns, .end_ns = end->end_ns},
                         .parts = ~0u};
    for (size_t i = first; i <= last; i++) {
        const struct second *s = history_second(h, i);
        if (!second_has_details(s))
            continue;
        covered_ns += s->end_ns - s->start_ns;
        if (!add_second(w, s, parts))
            return false;
    }
    w->interval.gap_ns = w->interval.end_ns - w->interval.start_ns - covered_ns;
    fold_delays(w);
    return true;
}

static struct execution *copy_executions(const struct execution *at, size_t n)
{
    struct execution *copy = malloc((n + 1) * sizeof *copy);
    if (copy && n > 0)
        memcpy(copy, at, n * sizeof *copy);
    return copy;
}

static bool make(struct picture *p, const struct history *h, const struct second *s, size_t at,
                 unsigned parts)
{
    uint64_t from_ns = s->end_ns > TEN_NS ? s->end_ns - TEN_NS : 0;
    p->any = true;
    p->now_ns = s->end_ns;
    p->executions = copy_executions(s->executions, s->executions_n);
    p->waits = copy_executions(s->waits, s->waits_n);
    if (!p->executions || !p->waits)
        return false;
    p->executions_n = s->executions_n;
    p->waits_n = s->waits_n;
    p->executions_left_out = s->executions_left_out;
    p->watched = s->watched;
    p->host = s->host;
    p->counted = s->counted;
    p->has_utc = s->has_utc;
    p->utc_ns = s->utc_ns;
    p->lost_records = s->lost_records;
    p->records = s->records;
    p->arrived_ns = s->arrived_ns;
    p->judgement = s->judgement;
    return make_window(&p->windows[SPAN_ONE], h, at, s->start_ns, parts | PART_PCPUS) &&
           make_window(&p->windows[SPAN_TEN], h, at, from_ns, parts);
}

bool picture_make(struct picture *p, struct history *h, uint64_t now_ns, unsigned parts)
{
    size_t at;
    bool fine = true;
    picture_free(p);
    history_lock(h);
    const struct second *s = history_at(h, now_ns, &at);
    if (s)
        fine = make(p, h, s, at, parts);
    history_unlock(h);
    if (!fine)
        picture_free(p);
    return fine;
}
