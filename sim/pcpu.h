/* pcpu.h - who runs where: the part of Xen that all its schedulers share (common/sched/core.c). */
#ifndef XENMETER_SIM_PCPU_H
#define XENMETER_SIM_PCPU_H

#include "sim/scheduler_ops.h"

/* The timer of a pCPU, `context`, is due. */
void pcpu_due(struct sim_host *host, void *context, uint64_t now_ns);

/* Xen's vcpu_wake() by an act on the pCPU `on`, which was entered: recorded always, changes something only if the vCPU sleeps. */
void vcpu_wake(struct sim_pcpu *on, struct sim_vcpu *v);

/* The running vCPU calls SCHEDOP_block, or SCHEDOP_yield; its pCPU enters the scheduler after the present act. */
void vcpu_block(struct sim_vcpu *v);
void vcpu_yield(struct sim_vcpu *v);

/* The toolstack pauses and continues a vCPU, by an act on `on`: it is offline meanwhile. */
void vcpu_pause(struct sim_pcpu *on, struct sim_vcpu *v);
void vcpu_unpause(struct sim_pcpu *on, struct sim_vcpu *v);

/* The vCPU's interrupt arrives at the vCPU by an act on `on`: wakes it, or interrupts what it runs. */
void vcpu_kick(struct sim_pcpu *on, struct sim_vcpu *v);

/* The truth up to `end_ns`: all open runstates and charges. */
void vcpu_close_account(struct sim_vcpu *v, uint64_t end_ns);

/* Up to now the vCPU worked for its cell; from now on for `cell`. */
void vcpu_charge(struct sim_vcpu *v, uint64_t now_ns, uint32_t cell);

#endif
