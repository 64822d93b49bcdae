/*
 * Task slices: a driver domain's running is cut where its kernel switches from one task to another, or returns from an
 * interrupt, and each slice is charged by itself. Where the cuts lie is said by whoever knows: the hypercalls of a PV
 * driver domain in the trace (attribution.c), or a record of task switches that the driver domain's own kernel made.
 */
#ifndef XENMETER_METRICS_CHARGE_TASKS_H
#define XENMETER_METRICS_CHARGE_TASKS_H

#include <stdint.h>

struct charging;

/* Whose time a task's is, as far as the one who cuts knows. */
enum task_owner {
    TASK_UNKNOWN, /* the events of the slice decide */
    TASK_OWN,     /* the driver domain's own */
    TASK_GUEST    /* a guest's */
};

/*
 * From c->now_ns on the vCPU of a driver domain (one whose charging_vcpu.in_driver_domain is set) runs another task: the
 * slice before ends and is charged, and the next one begins, if the vCPU runs; else the next one begins when it runs
 * again. The owner holds until the next cut, also across preemptions and the ends of charging periods. `pair`: of TASK_GUEST
 * (charging_pair), else NOBODY. Cuts of one vCPU come in time order, between the transitions that charging_take gets.
 */
void tasks_cut(struct charging *c, uint32_t vcpu, enum task_owner owner, uint32_t pair);

#endif
