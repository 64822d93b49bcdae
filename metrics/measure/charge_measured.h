/*
 * Driver domains whose own kernel recorded whose work they did (dom0_trace.h): their running is cut where the owner changes,
 * and each part goes to its owner. It is cut when a slice ends, as the recording is known beforehand.
 */
#ifndef XENMETER_METRICS_CHARGE_MEASURED_H
#define XENMETER_METRICS_CHARGE_MEASURED_H

#include <stdint.h>

struct charging;

/* The slice of a vCPU whose driver domain is measured ends. */
void charging_close_measured(struct charging *c, uint32_t vcpu, uint64_t end_ns);

#endif
