/* The slice of a vCPU that runs: T is a task, or the driver domain is measured. Part of the charging stage (charging.h). */
#ifndef XENMETER_METRICS_CHARGE_SLICES_H
#define XENMETER_METRICS_CHARGE_SLICES_H

#include <stdint.h>

struct charging;
struct period;
struct run_slice;

/* What the vCPU's slice has before to_ns is returned; the slice goes on after that. NULL: no memory. */
struct run_slice *charging_split_slice(struct charging *c, uint32_t vcpu, uint64_t to_ns);
/* What the slice has before to_ns is the period's. */
void charging_part_slice(struct charging *c, uint32_t vcpu, uint64_t to_ns, struct period *p);
/* The same, and it is the driver domain's own for sure. */
void charging_part_own(struct charging *c, uint32_t vcpu, uint64_t to_ns);
/* What the slice has left is the period's: it ends now. */
void charging_end_slice(struct charging *c, uint32_t vcpu, struct period *p);

#endif
