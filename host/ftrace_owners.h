/*
 * For whom a driver domain's tasks and interrupts work, by the names that Linux' backends give them, and by what a recording
 * says of those whose names do not tell (remarks task, irq, device).
 *
 * Names: io_names.h; interrupts are called as the device or its queue, "vif3.0-q0-tx".
 */
#ifndef XENMETER_HOST_FTRACE_OWNERS_H
#define XENMETER_HOST_FTRACE_OWNERS_H

#include <stdbool.h>
#include <stdint.h>

#include "ftrace_line.h"

/*
 * The owner of an interrupt whose name does not tell (a backend's event channel), until one of its handlers wakes a task of a
 * guest: this number on, one for each.
 */
#define OWNER_FIRST_OPEN 0x20000u

#define IRQS_MAX        (1u << 20) /* numbers are below */
#define FTRACE_PIDS_MAX (1u << 22) /* PID_MAX_LIMIT of Linux: ids of tasks are below */

struct ftrace_owners;

/* NULL: no memory. */
struct ftrace_owners *ftrace_owners_new(void);
void ftrace_owners_free(struct ftrace_owners *o);

/* A recording says: this task is the guest's (WORK_OWN: nobody's) as long as it has this name. False: no memory. */
bool ftrace_owners_set_task(struct ftrace_owners *o, const struct ftrace_task *task, uint32_t owner);

/* The same of an interrupt by its number; WORK_UNKNOWN: it serves several. False: no memory. */
bool ftrace_owners_set_irq(struct ftrace_owners *o, uint32_t irq, uint32_t owner);

/* For whom a task works: a guest, WORK_OWN, WORK_SCHED, WORK_UNKNOWN. A name "<...>", which Linux had forgotten, is that seen last. */
uint32_t ftrace_owners_task(struct ftrace_owners *o, const struct ftrace_task *task);

/* For whom an interrupt works: the same, or one that is open. */
uint32_t ftrace_owners_irq(struct ftrace_owners *o, uint32_t irq, const char *name);

/* Whether a recording has said for whom this interrupt works: it does so of disks. */
bool ftrace_owners_is_disk(const struct ftrace_owners *o, uint32_t irq);

/* A recording says: the interface of that name is the guest's. False: no memory. */
bool ftrace_owners_set_device(struct ftrace_owners *o, const char *name, uint16_t domain);

/* The guest whose interface a name begins with ("vif3.0-q0-tx", "vif3.0 work 1"), WORK_OWN: it is no guest's. */
uint32_t ftrace_owners_device(const struct ftrace_owners *o, const char *name);

/*
 * The handler of interrupt `irq`, of an owner that is or was open, has woken a task of `guest`: it is the guest's, and
 * was since it was seen first. Returns its owner from now on; differs from `owner` if another guest has got its number.
 */
uint32_t ftrace_owners_learn(struct ftrace_owners *o, uint32_t irq, uint32_t owner, uint32_t guest);

/* What an open one turned out to be at last: a guest, or WORK_UNKNOWN; others are themselves. */
uint32_t ftrace_owners_resolve(const struct ftrace_owners *o, uint32_t owner);

/* Memory ran out: what was answered may be wrong. */
bool ftrace_owners_failed(const struct ftrace_owners *o);

#endif
