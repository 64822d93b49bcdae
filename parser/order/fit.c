#include "fit.h"

#include <stdlib.h>

#include "parser/decode/record_format.h"

#define CLEARLY 2 /* fewer by more than this factor */

struct change {
    uint64_t tsc;
    size_t number; /* in the order of the pCPUs' records */
    uint32_t who;  /* dom << 16 | vcpu */
    uint8_t old, new;
};

static bool is_change(const struct event *e, uint64_t from)
{
    return e->slot == EVENT_RUNSTATE_CHANGE && e->flags & EVENT_MODEL && e->tsc >= from;
}

/* In `to`, if there is room; returns how many there are. */
static size_t collect(const struct decoder *d, uint64_t from, uint16_t pcpu, int64_t cycles,
                      struct change *to)
{
    size_t n = 0;
    for (unsigned i = 0; i < d->pcpus_n; i++) {
        const struct stream *s = d->streams[d->pcpus[i]];
        uint64_t earlier = s->pcpu == pcpu ? (uint64_t)cycles : 0;
        for (const struct event *e = s->events + s->head; e < s->events + s->n; e++) {
            if (!is_change(e, from))
                continue;
            if (to)
                to[n] = (struct change){e->tsc - earlier, n, e->w[0], (uint8_t)runstate_old(e->header),
                                        (uint8_t)runstate_new(e->header)};
            n++;
        }
    }
    return n;
}

static int by_vcpu_and_time(const void *a, const void *b)
{
    const struct change *x = a, *y = b;
    if (x->who != y->who)
        return x->who < y->who ? -1 : 1;
    if (x->tsc != y->tsc)
        return x->tsc < y->tsc ? -1 : 1;
    return x->number < y->number ? -1 : 1;
}

static size_t contradictions(struct change *changes, size_t n)
{
    size_t found = 0;
    qsort(changes, n, sizeof *changes, by_vcpu_and_time);
    for (size_t i = 1; i < n; i++)
        found += changes[i].who == changes[i - 1].who && changes[i].old != changes[i - 1].new;
    return found;
}

bool fit_is_better(const struct decoder *d, uint16_t pcpu, uint64_t from, int64_t cycles)
{
    size_t n = collect(d, from, pcpu, 0, NULL);
    struct change *changes = malloc((n + 1) * sizeof *changes);
    if (!changes)
        return false;
    collect(d, from, pcpu, 0, changes);
    size_t before = contradictions(changes, n);
    collect(d, from, pcpu, cycles, changes);
    size_t after = contradictions(changes, n);
    free(changes);
    return before > CLEARLY * after;
}
