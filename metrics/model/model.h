/*
 * The model of the host: who is where, and in which runstate. One for a pass over a trace, whoever wants it.
 *
 *     model_take(batch) -> model_settle(batch) -> model_next()*
 *
 * Events go in, in time order; transitions come out, settled: nothing can change them any more. The view is the host
 * as the transitions handed out so far leave it.
 *
 * What turns out later begins at the settled time, so results depend on when that moves. It moves where all that was read by
 * then was taken, and in between after so many changes of state. Both follow from the trace alone: every model wants the changes of
 * state. It never moves where a batch ends, which follows from what else is wanted of the trace.
 */
#ifndef XENMETER_METRICS_MODEL_MODEL_H
#define XENMETER_METRICS_MODEL_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parser/error.h"
#include "parser/trace.h"
#include "blind.h"
#include "population.h"
#include "runstate.h"

/* A vCPU at the time of the last transition that was handed out. */
struct vcpu_view {
    uint64_t since_ns; /* in its state */
    uint64_t dark_ns;  /* dark time until then: model_view.dark */
    uint16_t pcpu;     /* where it runs or ran last; NO_PCPU: not known */
    uint8_t state;     /* enum runstate */
    bool alive;        /* it appeared, and its domain was not destroyed */
    bool idle;         /* a vCPU of the idle domain */
};

struct model_view {
    const struct vcpu_view *vcpus; /* by vCPU number (population) */
    size_t vcpus_n;
    const uint32_t *current; /* by pCPU, PCPUS_MAX: the vCPU that runs there, NOBODY: not known */
    /* the vCPU of the last transition, before it: its state (RUNSTATE_UNKNOWN: it was not there) and pCPU */
    enum runstate before;
    uint16_t before_pcpu;
    struct dark_clock dark; /* up to the last transition */
};

struct model;

/* A model of a trace, or of a part of it, that begins at start_ns. NULL: no memory. */
struct model *model_new(uint64_t start_ns);
void model_free(struct model *m);

/* Transitions of idle vCPUs are handed out, and the view knows of them, too: without this it knows only guests. */
void model_show_idle(struct model *m);

/* Asks for the events that a model wants. */
void model_wants(struct trace_options *trace);

/* Takes the next events of the trace. -1 with `err` filled: no memory. */
int model_take(struct model *m, const struct event_batch *batch, const struct clock *clock,
               struct error *err);

/* The batch was taken. Returns the time up to which transitions are settled. */
uint64_t model_settle(struct model *m, const struct event_batch *batch, const struct clock *clock);

/* The trace ends at end_ns: everything is settled. -1 with `err` filled: no memory. */
int model_end(struct model *m, uint64_t end_ns, struct error *err);

/*
 * The next settled transition, in time order, or NULL; the view already has it. Valid until the next call of any
 * function here.
 */
const struct transition *model_next(struct model *m);

/* The host at the time of the last transition. The pointer stays valid, its arrays move when vCPUs appear. */
const struct model_view *model_view(const struct model *m);

const struct population *model_population(const struct model *m);

/* The states' part of the quality record, up to the time that is settled (its other fields are 0). */
const struct quality *model_quality(struct model *m);

/* See runstates_count_from, runstates_count_to, runstates_blind_ns, runstates_blind_open_ns and runstates_holes. */
void model_count_from(struct model *m, uint64_t from_ns);
void model_count_to(struct model *m, uint64_t to_ns);
uint64_t model_blind_ns(const struct model *m, uint16_t pcpu);
uint64_t model_blind_open_ns(const struct model *m, uint16_t pcpu);
const struct hole_count *model_holes(const struct model *m);

/* Guest vCPU time up to now_ns, and of it: whose state is not known, or known but doubtful (blind.h). */
uint64_t model_vcpu_ns(const struct model *m, uint64_t now_ns);
uint64_t model_unknown_ns(const struct model *m, uint64_t now_ns);
uint64_t model_doubtful_ns(const struct model *m, uint64_t now_ns);

/*
 * Saves a model, but for its quality: false if it cannot be now, or a bound was broken. Or restores it into a new one; the
 * next batch is the first. Idle vCPUs are in the view if the model shows them; I/O waits in it if it is wanted.
 */
bool model_save(const struct model *m, struct snapshot *s);
void model_restore(struct model *m, struct snapshot *s, bool io_wanted);
bool model_shows_idle(const struct model *m);

/* Up to when transitions were handed out. */
uint64_t model_settled(const struct model *m);

/* The vCPU that runs on a pCPU by the last event that was taken, dom << 16 | vcpu; CURRENT_UNKNOWN. */
uint32_t model_current(const struct model *m, uint16_t pcpu);

/* Bytes held. */
size_t model_memory(const struct model *m);

#endif
