/*
 * The charging stage, between the model and the ledger: settled transitions in; the same transitions out, with I/O
 * records turned into I/O events of pairs (guest, driver domain); and the executions of driver domains as slices that
 * say to whom they are charged. What an execution is charged for is known when its period ends, at most
 * CHARGE_SLICE_NS later: until then the ledger must keep the intervals open in which it lies (charging_safe).
 *
 * charging_state.h has the parts of the stage, charge_period.h the periods and slices.
 */
#ifndef XENMETER_METRICS_CHARGING_H
#define XENMETER_METRICS_CHARGING_H

#include "charging_state.h"

/*
 * The model stays the caller's; option arrays are copied, counters are not. grain_ns > 0: the sink's intervals, too, end at
 * multiples of it; within one, events of a run come as one. NULL: no memory.
 */
struct charging *charging_new(const struct charge_options *options, const struct model *model,
                              const struct charging_sink *sink, uint64_t grain_ns);
void charging_free(struct charging *c);

/* How the outside counters' tsc becomes ns. Call before the first transition. */
void charging_set_clock(struct charging *c, const struct clock *clock);

/* More vCPUs or domains may be in the population: makes room for them. Call before charging_take. */
void charging_make_room(struct charging *c);

/*
 * No transition before settled_ns is to come: ends the periods that end by then. False: not all of them yet, as a trace
 * can have gaps of hours, and the slices wait in memory; call again after the ledger has taken them.
 */
bool charging_advance(struct charging *c, uint64_t settled_ns);

/* The next settled transition, in time order; the model's view is as it leaves it. Call charging_advance before. */
void charging_take(struct charging *c, const struct transition *t);

/* The trace ends at now_ns: all periods end. */
void charging_end(struct charging *c);

/* The slices that began before this are all closed: the ledger may close intervals up to here. */
uint64_t charging_safe(const struct charging *c);

/* How many closed slices wait for the ledger. */
static inline size_t charging_waiting(const struct charging *c)
{
    return c->done_n - c->done_head;
}

/* The next closed slice, or NULL; the caller gives it back: charging_release (charge_shares.h). */
struct run_slice *charging_next_slice(struct charging *c);

/* What was seen by now; the trace was accounted up to end_ns. */
void charging_summarise(const struct charging *c, uint64_t end_ns, struct charge_summary *s);

/*
 * Saves the stage, or restores it into a new one with the same options whose model is restored: all that later charges depend
 * on. The records of marks up to `tsc` are in it, and only these. It cannot be saved where the driver domain's kernel measured
 * time, a load of own work is given, or idle time is shared out: false, and where a bound was broken (s->failed).
 */
bool charging_snapshot(struct charging *c, struct snapshot *s, uint64_t tsc);

/* Bytes held. */
size_t charging_memory(const struct charging *c);

#endif
