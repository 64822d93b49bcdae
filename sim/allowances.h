/* allowances.h - what somebody outside of the host has decided about domains, until the scheduler is given it. */
#ifndef XENMETER_SIM_ALLOWANCES_H
#define XENMETER_SIM_ALLOWANCES_H

#include "sim/host.h"

struct allowance {
    uint64_t due_ns;
    const struct sim_domain *domain;
    uint64_t part_ns, of_ns; /* as set_allowance() of scheduler_ops.h takes it */
};

struct allowances {
    struct sim_timer timer;
    struct allowance *waiting; /* by due_ns; of one moment in the order in which they were decided */
    size_t n, capacity;
};

/* None is waiting. Before the host starts; `a` must not move then. False: no memory. Free in both cases. */
bool allowances_init(struct allowances *a, struct sim_host *host);
void allowances_free(struct allowances *a);

/* Has the host's scheduler set one at a->due_ns, which is not before the host's time. False: no memory. */
bool allowances_add(struct allowances *a, struct sim_host *host, const struct allowance *allowance);

#endif
