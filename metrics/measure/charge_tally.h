/* What happens in a charging period is tallied by pair. See charge.h. */
#ifndef XENMETER_METRICS_CHARGE_TALLY_H
#define XENMETER_METRICS_CHARGE_TALLY_H

#include <stdint.h>

#include "charging_state.h"

/* As charging_period, which is quick. */
struct period *charging_find_period(struct charging *c, uint32_t vcpu);
/* The period that what happens now with this vCPU of a driver domain belongs to. NULL: no memory. */
static inline struct period *charging_period(struct charging *c, uint32_t vcpu)
{
    struct period *p = c->vcpus[vcpu].period; /* none where T is an interval */
    return p ? p : charging_find_period(c, vcpu);
}

/* The driver domain is charged by an I/O event at c->now_ns. */
void charging_tally_event(struct charging *c, const struct io_event *h);
/* `count` events of the driver domain's vCPU, which runs on the pCPU, whose guest is not known. */
void charging_unattributed(struct charging *c, uint32_t idd_vcpu, uint16_t pcpu, enum io_kind kind,
                           uint32_t count);
/* The guest of the pair notified the vCPU. */
void charging_tally_arrival(struct charging *c, uint32_t vcpu, uint32_t pair);

/* What happened in `from`, which is nothing then, happened in `into`, of the same driver domain. */
void charging_merge_period(struct charging *c, struct period *into, struct period *from);

#endif
