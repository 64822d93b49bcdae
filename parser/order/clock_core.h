/*
 * Marks from pCPUs that write for others of their core (sched-gran=core or socket).
 *
 * There a switch of all pCPUs of a core is written by the one that decided it, in its own ring: a run may end in another ring
 * than it began in. So runs are followed by who runs, in the order of time, over all such pCPUs.
 */
#ifndef XENMETER_PARSER_CLOCK_CORE_H
#define XENMETER_PARSER_CLOCK_CORE_H

#include <stdbool.h>
#include <stdint.h>

#include "clock_marks.h"

#define CLOCK_NOBODY UINT32_MAX

struct clock_core;

/* NULL when there is no memory. */
struct clock_core *clock_core_new(void);
void clock_core_free(struct clock_core *core);

/* Forgets all switches. */
void clock_core_restart(struct clock_core *core);

/* At `tsc` the run of `prev` ended after `ns` (low 32 bits) and that of `next` began: dom << 16 | vcpu, CLOCK_NOBODY. */
void clock_core_switch(struct clock_core *core, uint64_t tsc, uint32_t prev, uint32_t ns, uint32_t next);

/* Records were lost up to `tsc`, or up to the last switch if that is later: no run goes on. */
void clock_core_break(struct clock_core *core, uint64_t tsc);

/* How many are kept. */
uint32_t clock_core_switches(const struct clock_core *core);

/* Appends marks for all switches, as far as there is room. */
void clock_core_marks(struct clock_core *core, struct clock_marks *m);

#endif
