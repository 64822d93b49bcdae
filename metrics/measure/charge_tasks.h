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

struct charging;
struct period;

#define TASK_USER_RETURNS                                                                                    \
    2 /* a kernel thread returns only from interrupts, and few of these leave no trace */

/* Part of the charging stage (charging.h); of vCPUs for which charging_by_task() holds. */

struct task_marks;

/* Takes the next marks of a pCPU, which lie at or after what charging_take gets next. */
void tasks_take_marks(struct charging *c, const struct task_marks *marks);
/* For tasks_catch_up: the vCPU runs, and there are such marks. */
void tasks_apply_marks(struct charging *c, uint32_t vcpu);
/* A vCPU of a driver domain begins to run on the pCPU: earlier marks there are nobody's. */
void tasks_skip_marks(struct charging *c, uint16_t pcpu);

/* The vCPU runs from now on: its slice is open. */
void tasks_begin(struct charging *c, uint32_t vcpu);
/* It runs no longer: its slice is closed. `slept`: it blocked; `lost`: records are missing. */
void tasks_stop(struct charging *c, uint32_t vcpu, bool slept, bool lost);
/* What it runs is not known any more. */
void tasks_forget(struct charging *c, uint32_t vcpu);
/* All open charging periods end now; who runs goes on in the next ones. */
void tasks_end_periods(struct charging *c);

/* What the hypercalls of the vCPU, which runs, tell: its kernel switches tasks, returns, sets its timer. */
void tasks_switched(struct charging *c, uint32_t vcpu);
void tasks_returned(struct charging *c, uint32_t vcpu);
void tasks_timer_set(struct charging *c, uint32_t vcpu);
/* A device interrupts the vCPU, which runs. */
void tasks_interrupted(struct charging *c, uint32_t vcpu);
/* A guest has notified the vCPU, which may run or not. */
void tasks_arrived(struct charging *c, uint32_t vcpu, uint32_t pair);
/* Another vCPU of its domain has woken it. */
void tasks_sibling_sent(struct charging *c, uint32_t vcpu);
/* The period of the vCPU is over now; its reference is given back. */
void tasks_close_period(struct charging *c, uint32_t vcpu, struct period *p);
/* Copies whose guest is not known yet are not a kernel thread's if the stretch ends with a return. */
bool tasks_end_copies(const struct charging *c, uint32_t vcpu);

#endif
