/*
 * The meter: a model's transitions in, rows out, by whatever is asked for: all of them come from one accounting.
 *
 *     meter_new(&options, model) -> (meter_take* meter_advance)* -> meter_finish(end)
 *
 * Rows of an interval are handed to the sink as soon as nothing can change them any more; memory does not grow with
 * the length of the trace.
 */
#ifndef XENMETER_METRICS_METER_H
#define XENMETER_METRICS_METER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parser/error.h"
#include "metrics/model/model.h"
#include "parser/trace.h"
#include "metrics/measure/meter_options.h"

struct meter;

/* Whether rows tell of idle vCPUs: the model has to show them then (model_show_idle). */
bool meter_wants_idle(const struct meter_options *options);

/* Asks for the records of I/O if the meter accounts charges, and for the slices granted. */
void meter_wants(const struct meter_options *options, struct trace_options *trace);

/*
 * NULL with `err` filled when memory ran out or the options make no sense. Options are copied, the arrays too; the
 * model stays the caller's.
 */
struct meter *meter_new(const struct meter_options *options, const struct model *model, struct error *err);
void meter_free(struct meter *m);

/* How cycles become ns. Call once, before the first transition. */
void meter_set_clock(struct meter *m, const struct clock *clock);

/* What of the batch concerns rows: the pCPUs that wrote, the end of the trace. Call before its transitions. */
void meter_take_batch(struct meter *m, const struct event_batch *batch, const struct clock *clock);

/* The next settled transition of the model, which is the last one that model_next returned. */
void meter_take(struct meter *m, const struct transition *t);

/*
 * No transition before settled_ns is to come: closes the intervals that are complete. -1 with `err` filled when memory
 * ran out, or -1 when the sink asked to end.
 */
int meter_advance(struct meter *m, uint64_t settled_ns, struct error *err);

/* The trace ends at end_ns, all transitions were taken: hands out everything that is left. -1 as meter_advance. */
int meter_finish(struct meter *m, uint64_t end_ns, struct error *err);

/*
 * Ends the last complete interval: what is younger is dropped, but the whole-trace rows are handed out as far as
 * they are accounted. For a live run that is told to stop.
 */
int meter_stop(struct meter *m, struct error *err);

/* Of a part of a recording (meter_options.part): it ends at to_ns. False: it is accounted up to there already, or over. */
bool meter_end_at(struct meter *m, uint64_t to_ns);

/* What was seen of I/O by now, and what the charges rest on. All 0 without options.charge.wanted. */
void meter_charge_summary(const struct meter *m, struct charge_summary *s);

/* The part to be reported on has ended, and all of it was handed out: nothing more comes of what is fed. */
bool meter_is_over(const struct meter *m);

/*
 * A meter that hands nothing out: it can be saved. `charge`: with charges, if these are wanted (NULL: without). NULL with `err`
 * filled: no memory. The model shows idle vCPUs.
 */
struct meter *meter_new_saver(const struct charge_options *charge, const struct model *model,
                              struct error *err);

/*
 * Saves a saver: what it knows of executions, waits and the like that go on, and who has rows. Or restores that into any new
 * meter of a restored model that reports on a later part of the time.
 */
void meter_snapshot(struct meter *m, struct snapshot *s);

/*
 * The same of its charges, of a time up to which the model had all marks: `tsc`. Call meter_save_charges first, and
 * meter_restore_charges last, with the same charge options; a meter without charges needs none. False: they cannot be saved
 * (charging.h), or the snapshot is damaged.
 */
bool meter_save_charges(struct meter *m, struct snapshot *s, uint64_t tsc);
bool meter_restore_charges(struct meter *m, const struct snapshot *s, uint64_t tsc);

/* Guest vCPU time in the part reported on, and that of it whose state is not known. */
uint64_t meter_vcpu_ns(const struct meter *m);
uint64_t meter_unknown_ns(const struct meter *m);

/* The same, of a state that is known but doubtful. */
uint64_t meter_doubtful_ns(const struct meter *m);

/* Bytes held, without the model. */
size_t meter_memory(const struct meter *m);

/* Time up to which everything was accounted, ns. */
uint64_t meter_accounted(const struct meter *m);

#endif
