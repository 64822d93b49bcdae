/*
 * When were records lost? A pCPU is blind while its records are lost; the host is in the dark while any pCPU is blind.
 *
 * What a pCPU that is blind from A to B hides, and how it is accounted:
 *
 * - whom it ran (its own row: unknown): the vCPU that was current at A is unknown from A on, until a record shows it again;
 * - every other vCPU that did not run on a seeing pCPU may have run on the blind one, or was woken, blocked or paused there:
 *   it keeps its state, but that time is doubtful (struct dark_clock);
 * - if the vCPU's next record does not fit, its state is unknown from the first to the last dark moment between its two
 *   records: in between it is in the old state or the new one, nobody can say in which.
 *
 * To say that a pCPU is blind, from a record or from anything else: runstates_blind_begin, runstates_blind_end
 * (runstate_internal.h), in time order with the events; a pCPU that never recorded is one that is blind from the start
 * on and without an end.
 */
#ifndef XENMETER_METRICS_BLIND_H
#define XENMETER_METRICS_BLIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "metrics/min_max.h"
#include "snapshot.h"

#define DARK_STRETCHES 1024 /* remembered one by one; older ones as one stretch */
#define BLIND_NONE     UINT64_MAX

/* A stretch of time in which at least one pCPU was blind. */
struct dark_stretch {
    uint64_t from_ns, to_ns; /* to: UINT64_MAX while it lasts */
};

/* The dark stretches of the host so far: in time order, none touches the next. */
struct darkness {
    struct dark_stretch ring[DARK_STRETCHES]; /* number i is at i % DARK_STRETCHES */
    uint64_t first, n;                        /* [first, n) have a place */
    struct dark_stretch forgotten;            /* all that no longer have a place; from > to: none */
    unsigned blind_pcpus;                     /* now */
};

void darkness_init(struct darkness *d);

/*
 * A pCPU becomes blind, or sees again. That it became blind may be said late, after stretches that ended later. Returns
 * whether a stretch begins there that touches none before it.
 */
bool darkness_begin(struct darkness *d, uint64_t from_ns);
void darkness_end(struct darkness *d, uint64_t to_ns);

/* Number of the first stretch that ends after ns; d->n: there is none. */
uint64_t darkness_after(const struct darkness *d, uint64_t ns);

static inline const struct dark_stretch *darkness_stretch(const struct darkness *d, uint64_t number)
{
    return &d->ring[number % DARK_STRETCHES];
}

/* The stretch from the first to the last dark moment in [from, to]; false: there is none. */
bool darkness_between(const struct darkness *d, uint64_t from_ns, uint64_t to_ns, struct dark_stretch *found);

/* The earliest beginning of the stretches that lasted until after_ns or longer; UINT64_MAX: there is none. */
uint64_t darkness_earliest(const struct darkness *d, uint64_t after_ns);

/* What TRANSITION_DARK says. */
enum dark_change {
    DARK_ENDS,     /* one blind pCPU fewer */
    DARK_BEGINS,   /* one more */
    DARK_ALL_ALONG /* one more, as turns out now: all the time before was dark as well */
};

/* How much of the time so far was dark: of a consumer of transitions, which say when that changes (TRANSITION_DARK). */
struct dark_clock {
    uint64_t dark_ns;  /* of the stretches that ended */
    uint64_t since_ns; /* of the one that lasts */
    unsigned blind;    /* pCPUs that are */
    bool changed;      /* ever; if not, no time was dark */
};

static inline void dark_clock_change(struct dark_clock *c, bool blind, uint64_t now_ns)
{
    if (c->blind > 0)
        c->dark_ns += now_ns - c->since_ns;
    c->changed = true;
    c->since_ns = now_ns;
    c->blind += blind ? 1u : -1u;
}

void dark_clock_snapshot(struct dark_clock *c, struct snapshot *s);

/* Dark time up to now_ns, which is not before the last change. */
static inline uint64_t dark_clock_ns(const struct dark_clock *c, uint64_t now_ns)
{
    return c->blind > 0 ? c->dark_ns + (now_ns - c->since_ns) : c->dark_ns;
}

#endif
