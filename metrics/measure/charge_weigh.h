/* What happened in a period says how its time is shared out. See charge.h. */
#ifndef XENMETER_METRICS_CHARGE_WEIGH_H
#define XENMETER_METRICS_CHARGE_WEIGH_H

#include <stdint.h>

struct charging;
struct period;

/* The period is over at to_ns: who is charged what part of it. Slices that waited for that go to the ledger. */
void charging_weigh_period(struct charging *c, struct period *p, uint64_t to_ns);

#endif
