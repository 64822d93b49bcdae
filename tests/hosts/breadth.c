#include "breadth.h"

#include <stdlib.h>

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* What is known at one side of the time between two records. */
struct side {
    uint64_t tsc;
    bool known; /* there is a record */
    bool runs;  /* there, on `pcpu` */
    uint32_t pcpu;
    bool paused; /* there; since when, or until when, no record tells */
    bool waits; /* there: on the other side of a loss it may have been blocked, or paused, for however long */
};

static bool blinds(const struct gap *g, const struct side *side)
{
    return !side->known || !side->runs || g->pcpu == ALL_PCPUS || g->pcpu == side->pcpu;
}

/* Adds what cannot be told between the two sides. */
static bool add_between(struct gaps *to, const struct gaps *blind, const struct side *a, const struct side *b)
{
    uint64_t first = UINT64_MAX, last = 0;
    for (size_t i = 0; i < blind->n; i++) {
        const struct gap *g = &blind->items[i];
        if (g->to < a->tsc || g->from > b->tsc)
            continue;
        if (blinds(g, a))
            first = earlier(first, later(g->from, a->tsc));
        if (blinds(g, b))
            last = later(last, earlier(g->to, b->tsc));
    }
    if (first >= last)
        return true;
    return gaps_add(to, ALL_PCPUS, a->known ? first : a->tsc, b->known ? last : b->tsc);
}

static int by_vcpu_and_time(const void *a, const void *b)
{
    const struct seen_change *x = a, *y = b;
    if (x->domain != y->domain)
        return x->domain < y->domain ? -1 : 1;
    if (x->vcpu != y->vcpu)
        return x->vcpu < y->vcpu ? -1 : 1;
    return x->tsc < y->tsc ? -1 : x->tsc > y->tsc;
}

static bool of_vcpu(const struct seen_change *c, const struct truth_vcpu *t)
{
    return c->domain == t->domain && c->vcpu == t->vcpu && c->tsc >= t->born_tsc && c->tsc <= t->died_tsc;
}

/* Whether the change says who ran on its pCPU: a wake, which an interrupt may bring, does not. */
static bool names_runner(const struct seen_change *c)
{
    return c->from == RUNSTATE_RUNNING || c->to == RUNSTATE_RUNNING;
}

/*
 * Up to when it is not known of some pCPU who ran there first: it wrote no switch before it was blind. Whoever is first seen
 * asleep after that may have run there.
 */
static uint64_t first_run_hidden(const struct view *v)
{
    uint64_t until = 0;
    for (size_t i = 0; i < v->gaps.n; i++) {
        const struct gap *g = &v->gaps.items[i];
        bool told = g->pcpu == ALL_PCPUS;
        for (size_t k = 0; k < v->changes_n && !told; k++)
            told =
                v->changes[k].pcpu == g->pcpu && v->changes[k].tsc < g->from && names_runner(&v->changes[k]);
        until = told ? until : later(until, g->from);
    }
    return until;
}

/* What the trace says of one vCPU. */
struct telling {
    struct gaps *gaps, *open; /* see struct breadth */
    const struct gaps *blind;
    uint64_t first_run_hidden;
};

/* As add_between, of the time before the first record or after the last one. */
static bool add_end(const struct telling *t, const struct side *a, const struct side *b)
{
    size_t n = t->gaps->n;
    if (!add_between(t->gaps, t->blind, a, b))
        return false;
    if (t->gaps->n == n)
        return true;
    const struct gap *g = &t->gaps->items[n];
    bool open = a->runs || b->runs || a->paused || b->paused || a->waits || b->waits;
    uint64_t to = open ? g->to : a->known ? g->from : earlier(g->to, t->first_run_hidden);
    return g->from >= to || gaps_add(t->open, ALL_PCPUS, g->from, to);
}

/*
 * As add_between, of the time between two records. Where it was paused next to a loss, a lost release, or a lost pause, may have made
 * it anything else up to the next loss: a pause may last however long, so no light is too long for that.
 */
static bool add_inner(const struct telling *t, const struct side *a, const struct side *b)
{
    size_t n = t->gaps->n;
    if (!add_between(t->gaps, t->blind, a, b))
        return false;
    if (t->gaps->n == n || !(a->paused || b->paused))
        return true;
    return gaps_add(t->open, ALL_PCPUS, t->gaps->items[n].from, t->gaps->items[n].to);
}

/* `changes` are sorted by vCPU and time. */
static bool make_one(const struct telling *tell, const struct truth_vcpu *t, const struct view *v,
                     const struct seen_change *changes)
{
    struct side a = {.tsc = later(v->first_tsc, t->born_tsc)};
    const struct side end = {.tsc = earlier(v->last_tsc, t->died_tsc)};
    bool seen = false;
    for (size_t i = 0; i < v->changes_n; i++) {
        const struct seen_change *c = &changes[i];
        if (!of_vcpu(c, t))
            continue;
        const struct side b = {c->tsc,
                               true,
                               c->from == RUNSTATE_RUNNING,
                               c->pcpu,
                               c->from == RUNSTATE_OFFLINE,
                               c->from == RUNSTATE_RUNNABLE};
        if (!(seen ? add_inner(tell, &a, &b) : add_end(tell, &a, &b)))
            return false;
        a = (struct side){c->tsc,
                          true,
                          c->to == RUNSTATE_RUNNING,
                          c->pcpu,
                          c->to == RUNSTATE_OFFLINE,
                          c->to == RUNSTATE_RUNNABLE};
        seen = true;
    }
    if (seen)
        return add_end(tell, &a, &end);
    return gaps_add(tell->gaps, ALL_PCPUS, a.tsc, end.tsc) && /* nothing is known of it */
           gaps_add(tell->open, ALL_PCPUS, a.tsc, end.tsc);
}

bool breadth_make(struct breadth *b, const struct recording *r, const struct view *v)
{
    *b = (struct breadth){.vcpus = calloc(r->vcpus_n, sizeof *b->vcpus),
                          .open = calloc(r->vcpus_n, sizeof *b->open),
                          .vcpus_n = r->vcpus_n};
    if (!b->vcpus || !b->open)
        return false;
    uint64_t hidden = first_run_hidden(v);
    qsort(v->changes, v->changes_n, sizeof *v->changes, by_vcpu_and_time);
    for (size_t i = 0; i < r->vcpus_n; i++)
        if (!make_one(&(struct telling){&b->vcpus[i], &b->open[i], &v->gaps, hidden}, &r->vcpus[i], v,
                      v->changes))
            return false;
    return true;
}

void breadth_free(struct breadth *b)
{
    for (size_t i = 0; b->vcpus && i < b->vcpus_n; i++)
        free(b->vcpus[i].items);
    for (size_t i = 0; b->open && i < b->vcpus_n; i++)
        free(b->open[i].items);
    free(b->vcpus);
    free(b->open);
}

uint64_t gaps_within(const struct gaps *g, uint64_t from, uint64_t to)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < g->n; i++) {
        uint64_t begin = later(from, g->items[i].from), end = earlier(to, g->items[i].to);
        sum += end > begin ? end - begin : 0;
    }
    return sum;
}

uint64_t gaps_of_pcpu(const struct gaps *g, uint32_t pcpu, uint64_t from, uint64_t to)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < g->n; i++)
        if (g->items[i].pcpu == pcpu || g->items[i].pcpu == ALL_PCPUS) {
            uint64_t begin = later(from, g->items[i].from), end = earlier(to, g->items[i].to);
            sum += end > begin ? end - begin : 0;
        }
    return sum;
}
