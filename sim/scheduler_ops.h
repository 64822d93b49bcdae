/*
 * scheduler_ops.h - the face of a scheduler: one file each. The host (pcpu.h) calls these functions as Xen's
 * common/sched/core.c calls those of struct scheduler.
 *
 * A vCPU is handed to the scheduler when it becomes runnable (wake), and taken back when it blocks, which schedule() and
 * switched_out() find out by vcpu_is_runnable().
 */
#ifndef XENMETER_SIM_SCHEDULER_OPS_H
#define XENMETER_SIM_SCHEDULER_OPS_H

#include "sim/host.h"

#define SIM_US 1000u
#define SIM_MS 1000000u

/* Whom a pCPU runs next, &pcpu->idle for nobody, and after how many ns it asks again (SIM_NEVER: not by itself). */
struct sim_decision {
    struct sim_vcpu *next;
    uint64_t slice_ns;
};

struct sim_scheduler_ops {
    const char *name; /* as in a scenario */

    /* All vCPUs of the host are there, none of them has run. Timers are added here. NULL: no memory. */
    void *(*create)(struct sim_host *host);
    void (*destroy)(void *scheduler);

    /* The host's time begins: arms timers. NULL: there are none. */
    void (*start)(void *scheduler);

    /* The vCPU has become runnable, by an act on the pCPU `on`; v->pcpu may change here while it does not run. */
    void (*wake)(void *scheduler, struct sim_pcpu *on, struct sim_vcpu *v);

    /* A runnable vCPU that does not run is no longer runnable, by an act on `on`: it was parked, or paused. */
    void (*sleep)(void *scheduler, struct sim_pcpu *on, struct sim_vcpu *v);

    /* The vCPU's domain is removed, by an act on `on`: nothing of it remains. NULL: of no interest. */
    void (*remove)(void *scheduler, struct sim_pcpu *on, struct sim_vcpu *v);

    /*
     * Decides for the pCPU at now_ns. The current vCPU may not be runnable any more; v->yields says that it asked to yield.
     * The vCPU that is chosen runs on no other pCPU.
     */
    struct sim_decision (*schedule)(void *scheduler, struct sim_pcpu *pcpu, uint64_t now_ns);

    /* The switch away from the vCPU is complete: others may run it from now on. NULL: of no interest. */
    void (*switched_out)(void *scheduler, struct sim_pcpu *pcpu, struct sim_vcpu *v);

    /*
     * Whether the rules keep a runnable vCPU from running though nobody else wants its pCPU: its budget is used up, say. NULL: they
     * never do.
     */
    bool (*withholds)(const void *scheduler, const struct sim_vcpu *v);

    /*
     * Sets the allowance of SEDF-DC: the domain may run part_ns of every of_ns (> 0) of one pCPU's time, its vCPUs equal parts
     * of it. It takes the place of the slices, the budgets or the cap, from their next period on. Never 0 for a vCPU: it
     * must not starve. NULL: the scheduler has no such parameter.
     */
    void (*set_allowance)(void *scheduler, const struct sim_domain *d, uint64_t part_ns, uint64_t of_ns);
};

extern const struct sim_scheduler_ops scheduler_credit, scheduler_credit2, scheduler_null, scheduler_sedf,
    scheduler_rtds;

/* One vCPU's part of an allowance in a period: from least_ns, the least that Xen takes, to the whole period. */
static inline uint64_t allowance_in_period(const struct sim_domain *d, uint64_t part_ns, uint64_t of_ns,
                                           uint64_t period_ns, uint64_t least_ns)
{
    uint128 ns = (uint128)part_ns * period_ns / of_ns / d->plan->vcpus;
    uint64_t most = ns < period_ns ? (uint64_t)ns : period_ns;
    return most > least_ns ? most : least_ns;
}

/* Whether the vCPU may run on the pCPU. */
static inline bool vcpu_may_run_on(const struct sim_vcpu *v, const struct sim_pcpu *pcpu)
{
    return v->pin < 0 || (uint32_t)v->pin == pcpu->id;
}

/* Asks the pCPU to enter its scheduler, by an interrupt from `on` (which may be the same pCPU). */
void pcpu_tickle(struct sim_pcpu *on, struct sim_pcpu *pcpu);

/* Pauses and continues a vCPU, by an act on the pCPU `on` (Xen: vcpu_pause_nosync, vcpu_unpause). */
void vcpu_park(struct sim_pcpu *on, struct sim_vcpu *v);
void vcpu_unpark(struct sim_pcpu *on, struct sim_vcpu *v);

/* The pCPU comes to now_ns: its current vCPU has worked till then. Before any act on it; pcpu_leave() after. */
void pcpu_enter(struct sim_pcpu *pcpu, uint64_t now_ns);
void pcpu_leave(struct sim_pcpu *pcpu);

#endif
