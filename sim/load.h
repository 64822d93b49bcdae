/*
 * load.h - what guests do: each kind of load is one file, which makes tasks of the domain's kernels.
 */
#ifndef XENMETER_SIM_LOAD_H
#define XENMETER_SIM_LOAD_H

#include "sim/host.h"

struct sim_load_ops {
    size_t size; /* of the load's state, which the host allocates (zeroed) and frees */
    /* Makes the tasks; they begin to run when the host starts if load_start() woke them. False: no memory. */
    bool (*create)(struct sim_host *host, struct sim_domain *domain, const struct scenario_load *plan,
                   void *state);
    void (*destroy)(void *state); /* what create() allocated beside the state; NULL: nothing */
};

/* By enum scenario_load_type. */
extern const struct sim_load_ops load_hog;

#endif
