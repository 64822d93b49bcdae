/*
 * Which events charge a driver domain, where that is left to what is there: those of the trace where records tell its tasks
 * apart, else packets, if they were counted. The first execution of a driver domain can end before its kernel has switched
 * tasks: executions wait until it has, or until open periods end, at most CHARGE_SLICE_NS later.
 */
#ifndef XENMETER_METRICS_CHARGE_CHOICE_H
#define XENMETER_METRICS_CHARGE_CHOICE_H

#include <stdbool.h>
#include <stdint.h>

struct charging;
struct period;

/* The driver domain has just been made: what charges it may depend on whether records tell its tasks apart. */
void charging_begin_choice(struct charging *c, uint32_t idd);
/* Records tell the tasks of a driver domain apart. */
void charging_choose_tasks(struct charging *c, uint32_t idd);
/* No record has distinguished the tasks of the undecided driver domains that have run. */
void charging_choose_executions(struct charging *c);

/* The period is over at to_ns: it is shared out, now or when its driver domain is decided. */
void charging_close_period(struct charging *c, struct period *p, uint64_t to_ns);
/* The same where T is a task, of the vCPU; its reference is given back. */
void charging_end_period(struct charging *c, uint32_t vcpu, struct period *p, uint64_t to_ns);
/* When the first period began that waits; UINT64_MAX: none does. */
uint64_t charging_waiting_since(const struct charging *c);

/* Whether idle time is to be shared out, and no record has distinguished any driver domain's tasks so far. */
bool charging_lacks_tasks(const struct charging *c);

#endif
