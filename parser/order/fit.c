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

/* In `to`, if there is room; returns how many there are. */
static size_t collect(const struct decoder *d, uint64_t from, uint16_t pcpu, int64_t cycles,
                      struct change *to)
{
    size_t n = 0;
    for (unsigned i = 0; i < d->pcpus_n; i++) {
        const struct stream *s = d->streams[d->pcpus[i]];
        uint64_t earlier = s->pcpu == pcpu ? (uint64_t)cycles : 0;
        for (const struct event *e = s->events + s->head; e < s->events + s->n; e++) {
            uint64_t tsc = e->tsc - earlier;
            if (e->slot != EVENT_RUNSTATE_CHANGE || !(e->flags & EVENT_MODEL) || tsc < from)
                continue;
            if (to)
                to[n] = (struct change){tsc, n, e->w[0], (uint8_t)runstate_old(e->header),
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

/* Changes of one vCPU that may have happened in any order: those before and after are further away. */
struct bundle {
    int left[4]; /* how much oftener each state was left than entered */
    uint8_t first_old;
};

/* The state that the bundle begins with, if `sign` is 1, or ends with (-1). NONE: no order of it fits. */
#define NONE 4
static uint8_t end_of(const struct bundle *b, int sign)
{
    uint8_t found = b->first_old; /* it ends as it began */
    unsigned n = 0;
    for (uint8_t state = 0; state < 4; state++) {
        if (b->left[state] * sign > 1)
            return NONE;
        if (b->left[state] * sign == 1) {
            found = state;
            n++;
        }
    }
    return n > 1 ? NONE : found;
}

/* How often the changes of a vCPU, [c, end), contradict what went before. */
static size_t contradictions_of(const struct change *c, const struct change *end, uint64_t apart)
{
    size_t found = 0;
    uint8_t state = NONE;
    while (c < end) {
        struct bundle b = {.first_old = c->old};
        do {
            b.left[c->old]++;
            b.left[c->new]--;
            c++;
        } while (c < end && c->tsc - (c - 1)->tsc <= apart);
        uint8_t begins = end_of(&b, 1);
        found += begins == NONE || (state != NONE && begins != state);
        state = end_of(&b, -1);
    }
    return found;
}

static size_t contradictions(struct change *changes, size_t n, uint64_t apart)
{
    size_t found = 0;
    qsort(changes, n, sizeof *changes, by_vcpu_and_time);
    for (size_t i = 0, k; i < n; i = k) {
        for (k = i + 1; k < n && changes[k].who == changes[i].who;)
            k++;
        found += contradictions_of(changes + i, changes + k, apart);
    }
    return found;
}

/* SIZE_MAX: no memory. */
static size_t contradictions_if(const struct decoder *d, uint64_t from, uint64_t apart, uint16_t pcpu,
                                int64_t cycles)
{
    size_t n = collect(d, from, pcpu, cycles, NULL);
    struct change *changes = malloc((n + 1) * sizeof *changes);
    if (!changes)
        return SIZE_MAX;
    collect(d, from, pcpu, cycles, changes);
    n = contradictions(changes, n, apart);
    free(changes);
    return n;
}

int fit_is_better(const struct decoder *d, uint16_t pcpu, uint64_t from, uint64_t apart, int64_t cycles)
{
    size_t before = contradictions_if(d, from, apart, pcpu, 0);
    size_t after = contradictions_if(d, from, apart, pcpu, cycles);
    if (before == SIZE_MAX || after == SIZE_MAX)
        return -1;
    return after < before / CLEARLY + before % CLEARLY;
}
