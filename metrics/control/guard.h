/*
 * ShareGuard (Gupta et al., Middleware 2006): guests that cost a driver domain more CPU than they may are held, which means that
 * their I/O stops, until their average is back at the limit. By what rule: guard_rule.h.
 *
 * It is driven by the rows and charges that a meter hands out, which are final: offline, live, or in a simulated host alike. It
 * hands out decisions with their evidence; whoever controls the host carries them out.
 *
 * - Each driver domain is watched by itself. Of several offenders the one furthest over its limit is held first; before another
 *   one is held, the effect is awaited: until the first one came down to its limit, or for the policy's settle time.
 * - Domains of one name, one after the other or at once, are one guest: one that is made anew while it is held is held again. Where
 *   no name is known a guest is one life of a domain id.
 * - Domain 0, driver domains and guests that the policy exempts are never held.
 */
#ifndef XENMETER_METRICS_CONTROL_GUARD_H
#define XENMETER_METRICS_CONTROL_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "metrics/control/guard_rule.h"
#include "metrics/measure/meter_options.h"

#define GUARD_REASON_BYTES 128
#define GUARD_DONE_BYTES   96

/* A guest at a driver domain in one window. Times are ns. */
struct guard_row {
    int32_t domain; /* of several of one name the youngest */
    uint32_t life;
    int32_t driver_domain;
    uint32_t driver_life;
    struct cpu_share limit;
    uint64_t charged_ns;                           /* what the driver domain ran on its behalf */
    uint64_t measured_ns, certain_ns, inferred_ns; /* what that rests on: they add up to it */
    uint64_t unattributed_ns;                      /* of the driver domain: on whose behalf is not known */
    uint64_t unknown_ns; /* of the driver domain's time: its state is not known, or doubtful */
    uint64_t driver_ns;  /* the driver domain's time in all: that of its vCPUs */
    uint64_t average_ns; /* charged in each second since it was first over; NS_UNKNOWN: it was not */
    struct guard_outcome outcome;
    bool io[GUARD_IOS]; /* which I/O the action is about; of one that is held: that it was held for */
    unsigned step;      /* of one that is held: so often the number of its action is doubled */
    uint64_t windows;   /* 1; of a total: how many */
    uint64_t blocks;    /* 1 if it is held from now on */
    uint64_t held_ns;   /* it was to be held in the window */
    bool total;         /* of all windows: there is no decision */
    char reason[GUARD_REASON_BYTES]; /* "average 8.231% over 2.4 s"; "": nothing to say */
    char action[GUARD_DONE_BYTES];   /* "drop network, pause disk", "let network and disk"; "": none */
};

struct guard_options {
    const struct guard_policy *policy; /* resolved with these names; the caller's, and so are the names */
    domain_name_of name_of;            /* NULL: no names are known */
    const void *names;
    void *context;
    /*
     * One window: the guests with a limit that were charged, are held, or were over it, by domain and driver domain. Non-zero
     * ends the work.
     */
    int (*rows)(void *context, const struct interval *interval, const struct guard_row *rows, size_t n);
};

struct guard;

/* NULL: no memory. Options are copied. */
struct guard *guard_new(const struct guard_options *options);
void guard_free(struct guard *g);

/*
 * What the meter that drives it is asked for: rows by domain and charges of each window, to `g`. How it charges is left to
 * the caller. The sink ends the work when `rows` does, or when memory runs out.
 */
void guard_wants(struct guard *g, struct meter_options *meter);

/*
 * From the next window on this policy holds, which is resolved, and has the same window; guests that are held stay so while it has a
 * limit for them. The former one is not used any more. False: no memory, and nothing has changed.
 */
bool guard_take_policy(struct guard *g, const struct guard_policy *policy);

/* The first guest or driver domain with a limit of its own that has not appeared yet; NULL: all have. */
const struct subject *guard_missing(const struct guard *g);

/* How often a guest was held. */
uint64_t guard_blocks(const struct guard *g);

/* The sums of all rows, one for each guest and driver domain: *n rows of the interval *whole. As debt_totals. */
const struct guard_row *guard_totals(struct guard *g, struct interval *whole, size_t *n);

/* Bytes held. */
size_t guard_memory(const struct guard *g);

#endif
