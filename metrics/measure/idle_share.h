/*
 * charge_idle, where T is a task: time of the idle loop and of the timer's interrupts goes to those whose work surrounds it.
 *
 * A vCPU wakes up, works, and sleeps again; all that it runs in between, also across preemptions, but at most to the end of
 * the charging period (CHARGE_SLICE_NS), is one group. The group's idle time is shared out in proportion to what each guest is
 * charged of the rest of the group, own and unattributed time included. Without any other work it stays the driver domain's own.
 *
 * So idle time gets its shares when all the rest of the group has them: its slices wait for that.
 */
#ifndef XENMETER_METRICS_IDLE_SHARE_H
#define XENMETER_METRICS_IDLE_SHARE_H

#include <stdint.h>

struct charging;
struct period;
struct idle_group;

/* Part of the charging stage (charging.h). The options ask for charge_idle, and T is a task for the vCPU. */

/* The period that gathers the idle time of the vCPU's group: its slices wait in it. NULL: no memory. */
struct period *idle_share_period(struct charging *c, uint32_t vcpu);

/* All the slices of a period, of the vCPU and not closed, turn out to be idle time. */
void idle_share_take(struct charging *c, uint32_t vcpu, struct period *p);

/* The period is the rest of the vCPU's group. Call before it is closed. */
void idle_share_join(struct charging *c, uint32_t vcpu, struct period *p);

/* The shares of a period, which is of a group, are final. */
void idle_share_settle(struct charging *c, struct period *p);

/* The vCPU's group ends. */
void idle_share_end(struct charging *c, uint32_t vcpu);

/* Frees the groups. */
void idle_share_free(struct charging *c);

#endif
