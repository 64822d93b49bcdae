/*
 * credit2_load.h - the loads that Credit2 keeps of its run queue and of each vCPU, for balancing between run queues. A simulated
 * host has one run queue, so that nothing depends on them; but each change of one is a record in the trace.
 */
#ifndef XENMETER_SIM_CREDIT2_LOAD_H
#define XENMETER_SIM_CREDIT2_LOAD_H

#include "sim/host.h"

/* An exponentially weighted moving average over about 1 s; zeroed at time 0. */
struct credit2_load {
    int64_t average; /* 2^18 is a load of one vCPU all the time */
    int64_t updated; /* in units of 1024 ns */
    int64_t now;     /* vCPUs that run or wait */
};

/*
 * Records on the pCPU that the run queue's load and the vCPU's own changed: by +1, when the vCPU began to want a pCPU, or by
 * -1, when it stopped.
 */
void credit2_load_change(struct sim_pcpu *on, struct credit2_load *runq, struct credit2_load *vcpu,
                         const struct sim_vcpu *v, int change);

/* The same of the run queue alone, when the pCPU begins to idle: nothing changed. */
void credit2_load_unchanged(struct sim_pcpu *on, struct credit2_load *runq);

/* Records the run queue's load alone, as balancing does. */
void credit2_load_of_runq(struct sim_pcpu *on, struct credit2_load *runq, int change);

#endif
