/*
 * load.h - what guests do: each kind of load is one file, which makes tasks of the domain's kernels.
 */
#ifndef XENMETER_SIM_LOAD_H
#define XENMETER_SIM_LOAD_H

#include "sim/host.h"

struct sim_load_ops {
    size_t size; /* of the load's state, which the host allocates (zeroed) and frees */
    /* Makes the tasks; those that it wakes begin to run when the host starts. False: no memory. */
    bool (*create)(struct sim_host *host, struct sim_domain *domain, const struct scenario_load *plan,
                   void *state);
    /* The host's time begins, or later its domain's: arms timers. NULL: there are none. */
    void (*start)(struct sim_host *host, void *state, uint64_t now_ns);
    void (*destroy)(void *state); /* what create() allocated beside the state; NULL: nothing */
};

struct sim_load {
    const struct sim_load_ops *ops;
    void *state;
};

/* By enum scenario_load_type. */
extern const struct sim_load_ops load_hog, load_on_off, load_web, load_bulk_out, load_bulk_in, load_disk,
    load_map;

#endif
