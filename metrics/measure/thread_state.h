/* What the files of thread_times.h share: the open stretch, by pair and by driver domain; and what was measured in it. */
#ifndef XENMETER_METRICS_THREAD_STATE_H
#define XENMETER_METRICS_THREAD_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "charging_state.h"
#include "thread_limits.h"

/* To whom a driver domain's time goes, in the open stretch: a pair, itself, or nobody. */
struct of_party {
    double model_ns;                  /* m */
    double waited_ns, interrupted_ns; /* w */
    double measured_ns;               /* as it was read; then corrected: M */
    double target_ns;                 /* what it is charged */
    double keeps;                     /* of each share that the model gives it, this part stays */
    double gains;                     /* of what all shares give up, this part is added */
    double part;                      /* of its charge, what was measured */
};

/* A driver domain in the open stretch. */
struct of_idd {
    struct of_party own, unattributed;
    double waited_ns, ran_ns;
    double unknown_ns;    /* measured for domains that the trace does not show; then corrected */
    double interrupts_ns; /* counted */
    bool interrupts_known;
    uint64_t impossible_ns; /* of the trace's time: what was read of it is not believed */
    /* These go on from stretch to stretch. */
    double
        beyond_ns; /* by how much what was measured is beyond what the driver domain can have run, lately */
    double credit_ns; /* interrupts that were counted and not charged yet */
    struct thread_limit limit;
};

struct thread_times {
    uint32_t *devices; /* those with CPU times */
    size_t devices_n;
    uint64_t from_ns, end_ns; /* the open stretch */
    struct held_periods held; /* of it */
    struct of_party *pairs;   /* by pair */
    size_t pairs_capacity;
    struct of_idd *idds; /* by driver domain */
    size_t idds_capacity;
};

/* Those of a driver domain, or of a pair, made on first use. NULL: no memory. They move as others are made. */
static inline struct of_idd *thread_times_idd(struct charging *c, uint32_t idd)
{
    struct thread_times *m = c->threads;
    bool made = charging_make_space(c, &m->idds, &m->idds_capacity, idd + 1, sizeof *m->idds);
    return made ? &m->idds[idd] : NULL;
}
static inline struct of_party *thread_times_pair(struct charging *c, uint32_t pair)
{
    struct thread_times *m = c->threads;
    bool made = charging_make_space(c, &m->pairs, &m->pairs_capacity, pair + 1, sizeof *m->pairs);
    return made ? &m->pairs[pair] : NULL;
}

/* The driver domain in which a device was counted, its index: NOBODY, the trace shows none. */
uint32_t thread_device_idd(const struct charging *c, uint32_t device);
/* Whether it counted for a guest; else for the driver domain itself. */
bool thread_device_is_guests(const struct charging *c, uint32_t device);

/* Adds what all devices measured in the open stretch, up to to_ns. */
void thread_measured_add(struct charging *c, uint64_t to_ns);
/*
 * At to_ns, with which the trace may end: takes back what the devices of a driver domain measured in the open stretch, if they
 * measured more than the driver domain can have run. After thread_measured_add.
 */
void thread_measured_doubt(struct charging *c, uint32_t idd, uint64_t to_ns, bool last);

#endif
