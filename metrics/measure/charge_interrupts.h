/*
 * Interrupts of a driver domain of which a trace does not tell all: where they began, or for whom they were.
 *
 * A handler leaves records of its I/O and, as it returns, iret. That it begins shows only where it wakes the vCPU or a guest's
 * notification brings it. Else the handler took as long for its I/O as the handlers of the same guest do whose
 * beginning is known; what was before is the interrupted task's.
 *
 * The handler of a network device, and the softirq after it, take packets from the device and leave them to a thread of the
 * guest that they are for, without any record. So an interrupt without I/O, which is no timer's, no guest's and no sibling's,
 * is charged as the first kernel thread with I/O that runs after it, before the vCPU sleeps; without one it is own. If it
 * woke another vCPU of the domain, the thread runs there.
 */
#ifndef XENMETER_METRICS_CHARGE_INTERRUPTS_H
#define XENMETER_METRICS_CHARGE_INTERRUPTS_H

#include <stdbool.h>
#include <stdint.h>

#include "charging_state.h"

/* Part of charging per task (charge_tasks.h). */

/* An interrupt that began at from_ns, surely, ends now with the I/O of the period. */
void interrupt_learn(struct charging *c, const struct period *p, uint64_t from_ns);
/* Where the interrupt began that ends now, with the I/O of the period: at from_ns, or after it. */
uint64_t interrupt_began(const struct charging *c, const struct period *p, uint64_t from_ns);

/*
 * An interrupt without I/O that woke the vCPU, in its idle loop, took so long, from the dispatch on: the hypervisor's switch
 * and the way into the kernel come first, and are no handler's.
 */
void interrupt_learn_entry(struct charging *c, uint32_t vcpu, uint64_t ns);
/* How much of an interrupt of that length is such. */
uint64_t interrupt_entry(const struct charging *c, uint32_t vcpu, uint64_t ns);

/* The period for the time of the vCPU's interrupts that wait for a thread, from_ns at the earliest. NULL: no memory. */
struct period *interrupt_waits(struct charging *c, uint32_t vcpu, uint64_t from_ns);
/* The stretch of the vCPU woke another one of its domain; NOBODY: a stretch begins. */
static inline void interrupt_wakes(struct charging *c, uint32_t vcpu, uint32_t woken)
{
    c->vcpus[vcpu].interrupts.wakes = woken;
}
/* The vCPU's kernel switches to another task. */
static inline void interrupt_next_task(struct charging *c, uint32_t vcpu)
{
    c->vcpus[vcpu].interrupts.switched = true;
}
/* A kernel thread of the vCPU has ended, and `whole` has its shares: interrupts before it, there or where it was woken, are charged alike. */
void interrupt_follows(struct charging *c, uint32_t vcpu, const struct period *whole);
/* No thread follows: the vCPU's interrupts that wait are the driver domain's own. */
void interrupt_ends_waiting(struct charging *c, uint32_t vcpu);
/* The vCPU sleeps: no thread follows there. */
void interrupt_sleeps(struct charging *c, uint32_t vcpu);
/* No thread follows on any vCPU. */
void interrupts_end_waiting(struct charging *c);

#endif
