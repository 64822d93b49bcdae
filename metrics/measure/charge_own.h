/*
 * A known load of a driver domain's own work, given as a share of one pCPU, for traces that do not tell its own work from
 * what it does for guests.
 *
 * Time is taken in stretches, from the trace's start: of a second, or of one charging interval where that is longer, as
 * near as whole charging periods allow. A stretch has units: 100 ms, or one charging interval. The load of a stretch or unit
 * is its length times the share, as far as the states of the domain's vCPUs are known in it. What the model says is own
 * counts towards the load: it is surely own. For the rest
 *
 *   a stretch is own up to its load, and all of it where the domain ran less;
 *   so is each unit: what is taken there counts for the stretch, and what the stretch still lacks is taken from its units in
 *   proportion to what they have left;
 *   in a unit every charging period gives the same part of what it charges to guests, or leaves unattributed. Time that the
 *   domain's own kernel measured (thread_times.h) is never taken.
 *
 * A period's shares are final at the end of its stretch: until then its slices wait.
 */
#ifndef XENMETER_METRICS_CHARGE_OWN_H
#define XENMETER_METRICS_CHARGE_OWN_H

#include <stdint.h>

/* Part of the charging stage (charging.h); where no load is given nothing is done. */

struct charging;
struct own_loads;
struct period;

/* NULL: no load is given, or there is no memory (c->failed). */
struct own_loads *own_load_new(struct charging *c);
void own_load_free(struct own_loads *o);

/* A vCPU of the driver domain has come or gone, or its state is unknown from now on, or known again. */
void own_load_count_vcpus(struct charging *c, uint32_t idd);

/* Where loads are given, the shares of the period are known but for that: they are final, or it is kept until its stretch ends. */
void own_load_settle(struct charging *c, struct period *p);

/* All periods that begin before until_ns, a boundary of charging periods, are held or closed: ends the stretches before. */
void own_load_advance(struct charging *c, uint64_t until_ns);

/* No periods are to come, and the trace ends at end_ns. */
void own_load_end(struct charging *c, uint64_t end_ns);

/* When the stretch of the held period began; UINT64_MAX: none is held. */
uint64_t own_load_since(const struct charging *c);

#endif
