/* What happens in a charging period is tallied by pair. See charge.h. */
#ifndef XENMETER_METRICS_CHARGE_TALLY_H
#define XENMETER_METRICS_CHARGE_TALLY_H

#include <stdint.h>

#include "io.h"

struct charging;
struct io_event;
struct period;

/* The period that what happens now with this vCPU of a driver domain belongs to. NULL: no memory. */
struct period *charging_period(struct charging *c, uint32_t vcpu);

/* An I/O event at c->now_ns: it is counted, and goes to the ledger. */
void charging_see_event(struct charging *c, const struct io_event *h);
/* The driver domain is charged by it. */
void charging_tally_event(struct charging *c, const struct io_event *h);
/* `count` events of the driver domain's vCPU, which runs on the pCPU, whose guest is not known. */
void charging_unattributed(struct charging *c, uint32_t idd_vcpu, uint16_t pcpu, enum io_kind kind,
                           uint32_t count);
/* The guest of the pair notified the vCPU. */
void charging_tally_arrival(struct charging *c, uint32_t vcpu, uint32_t pair);

/* What happened in `from`, which is nothing then, happened in `into`, of the same driver domain. */
void charging_merge_period(struct charging *c, struct period *into, struct period *from);

#endif
