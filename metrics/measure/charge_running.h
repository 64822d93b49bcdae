/* Driver domains as they turn out to be such, and their vCPUs as they run. Part of the charging stage (charging.h). */
#ifndef XENMETER_METRICS_CHARGE_RUNNING_H
#define XENMETER_METRICS_CHARGE_RUNNING_H

#include <stdbool.h>
#include <stdint.h>

struct charging;

/* A domain turns out to be a driver domain. Its index; NOBODY: no memory. */
uint32_t charging_make_idd(struct charging *c, uint32_t life);
/* Records distinguish the tasks of the driver domain from now on: open executions end, and tasks begin. */
void charging_see_tasks(struct charging *c, uint32_t idd);

/* The vCPU of a driver domain runs from now on. */
void charging_begin_running(struct charging *c, uint32_t vcpu);
/* The vCPU, which has a slice, runs no longer, but is in the state `to`; `lost`: records may be missing before. */
void charging_end_running(struct charging *c, uint32_t vcpu, unsigned to, bool lost);

/* A slice of the vCPU, which runs on the pCPU, begins now. */
void charging_open_slice(struct charging *c, uint32_t vcpu, uint16_t pcpu);
/* The slice of an execution, or of one in an interval, goes to the ledger; the shares are known when its period is over. */
void charging_close_slice(struct charging *c, uint32_t vcpu, bool lost);
/* The slice of an execution ends; the next one goes on at once. */
void charging_cut_slice(struct charging *c, uint32_t vcpu);

#endif
