/*
 * Task slices: a driver domain's running is cut where its kernel switches from one task to another, or returns from an
 * interrupt, as the hypercalls of a PV driver domain tell, and each slice is charged by itself.
 *
 * What the hypercalls of a Linux kernel tell (arch/x86/xen): it calls stack_switch when it switches tasks; iret when it
 * returns from an interrupt, a fault or a system call; and it sets its timer at the end of each timer interrupt, before
 * softirqs. So of the time between two switches, which is one task's:
 *
 *   - a task after which the vCPU sleeps is the idle loop: the driver domain's own;
 *   - a task that returns again and again though nothing interrupted it is a program in user mode: its own, but for the
 *     stretches with I/O (a softirq works there in the program's time);
 *   - any other task is a kernel thread: all it ran between two switches is charged by the I/O in it, also what it ran
 *     before and after its I/O, and across preemptions;
 *   - a stretch that begins when the vCPU wakes, or when a guest notifies it, and ends with iret is an interrupt on top of
 *     the task: charged by its own I/O, else to the guest that notified, else own. So is what follows a timer that is set;
 *   - a kernel thread without I/O, after a notification by a guest, serves its disk if that guest's requests are known to
 *     end without an unmap (persistent grants leave nothing else in a trace). Else it is the driver domain's own.
 *
 * With charge_idle the idle loop's time and the timer's are shared out (idle_share.h).
 */
#ifndef XENMETER_METRICS_CHARGE_TASKS_H
#define XENMETER_METRICS_CHARGE_TASKS_H

#include <stdbool.h>
#include <stdint.h>

#include "charge_pairs.h"
#include "charging_state.h"

#define TASK_USER_RETURNS                                                                                    \
    2 /* a kernel thread returns only from interrupts, and few of these leave no trace */

/* Part of the charging stage (charging.h); of vCPUs for which charging_by_task() holds. */

/* The vCPU runs from now on: its slice is open. Xen is busy with the switch for the first switch_ns. */
void tasks_begin(struct charging *c, uint32_t vcpu, uint32_t switch_ns);
/* It runs no longer: its slice is closed. `slept`: it blocked; `lost`: records are missing. */
void tasks_stop(struct charging *c, uint32_t vcpu, bool slept, bool lost);
/* What it runs is not known any more. */
void tasks_forget(struct charging *c, uint32_t vcpu);
/* What the vCPU, which runs, has done so far belongs to charging periods that end now. */
void tasks_end_stretch(struct charging *c, uint32_t vcpu);
/* All open charging periods end now, after tasks_end_stretch for all that run; these go on in the next ones. */
void tasks_end_periods(struct charging *c);

/* What the hypercalls of the vCPU, which runs, tell: its kernel switches tasks, returns, sets its timer. */
void tasks_switched(struct charging *c, uint32_t vcpu);
void tasks_returned(struct charging *c, uint32_t vcpu);
void tasks_timer_set(struct charging *c, uint32_t vcpu);
/* It is about to sleep in the middle of a task. */
void tasks_polls(struct charging *c, uint32_t vcpu);
/* A device interrupts the vCPU, which runs. */
void tasks_interrupted(struct charging *c, uint32_t vcpu);
/* A guest has notified the vCPU, which may run or not. */
void tasks_arrived(struct charging *c, uint32_t vcpu, uint32_t pair);
/* Another vCPU of its domain has woken it. */
void tasks_sibling_sent(struct charging *c, uint32_t vcpu);
/* It unmaps no pages: what it notifies next in this stretch has its disk request done. */
void tasks_unmapped_none(struct charging *c, uint32_t vcpu);
/* It begins to deal with a batch of packets that a guest sent. */
void tasks_received(struct charging *c, uint32_t vcpu);
/* It deals with a guest. */
static inline void tasks_deal(struct charging *c, const struct io_event *h)
{
    if (h->kind == IO_NOTIFY && c->vcpus[h->acting].task.unmapped) {
        c->pairs[h->pair].completed += charging_scale(c);
        c->idds[c->pairs[h->pair].idd].serves_unmarked = true;
    }
    if ((h->kind == IO_MAP || h->kind == IO_COPY) && c->pairs[h->pair].awaits)
        charging_set_awaits(c, h->pair, false);
}
/* Copies whose guest is not known yet are not a kernel thread's if the stretch ends with a return. */
bool tasks_end_copies(const struct charging *c, uint32_t vcpu);
/*
 * A return of the vCPU, which runs, ends nothing: a program in user mode makes one system call after the other. It is done with
 * then.
 */
static inline bool tasks_goes_on(struct charging *c, uint32_t vcpu)
{
    struct task *t = &c->vcpus[vcpu].task;
    const struct period *p = c->vcpus[vcpu].period;
    bool goes_on = t->begin == AT_RETURN && t->returns >= TASK_USER_RETURNS && !t->timer_ns &&
                   c->vcpus[vcpu].copies == 0 && (!p || (!p->io && !p->arrivals));
    if (goes_on)
        t->from_ns = c->now_ns;
    return goes_on;
}

#endif
