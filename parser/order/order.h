/*
 * Time order across pCPUs.
 *
 * xentrace reads the rings in ascending pCPU order and again from the start: a sweep. When sweep k+1 has ended, every
 * ring has been read after the last record of sweep k was written: what is not younger than that record has arrived.
 * That is the watermark, up to which the streams are merged. It waits, besides, for each pCPU that is writing: a
 * LOST_RECORDS record reports blind time that began right after the pCPU's last record, and is written late.
 *
 * The time and the place of a record follow from the bytes of the trace alone, never from how much was read ahead or from
 * which events are wanted. So nothing here looks at what is queued, or at what was delivered, to tell a time:
 *
 * - The watermark moves at the end of a sweep, whether or not anything is delivered then. A record that is older than the
 *   watermark was at the beginning of its window comes at that time.
 * - Where the clock of a pCPU went back, its events beyond that time move back to it, if that is not before the watermark.
 * - An event without a time, of a pCPU that had none by then, waits for the pCPU's first time, or the trace's end. At the
 *   end of a sweep before any record of the trace had a time, it gets time 0.
 * - Time 0 is where the trace begins. That is known once the watermark is not before it; until then nothing is delivered.
 *
 * What the lengths of runs say (pace.h) is known only where the model's events are wanted. It decides what the model gets of
 * a pCPU, and for how long events wait below the watermark; it moves no record.
 */
#ifndef XENMETER_PARSER_ORDER_H
#define XENMETER_PARSER_ORDER_H

#include <stddef.h>
#include <stdint.h>

#include "parser/decode/window.h"
#include "pace.h"
#include "silence.h"

/* Windows in succession that do not go with what went before: perhaps another capture was joined on (step.h). */
struct strangers {
    unsigned windows;  /* 0: none */
    bool several;      /* they are of several pCPUs */
    uint16_t pcpu;     /* of the first one, */
    uint64_t offset;   /* of its header, and */
    uint64_t sweep;    /* the sweep in which it was read */
    int pcpu_before;   /* of the window before it, -1: none */
    bool begins_sweep; /* that one was of an earlier sweep */
    /* of the quality, before it */
    uint64_t unplaced_bytes, tsc_jumps, tsc_jump_max_cycles;
};

struct order {
    struct decoder *decoder; /* whose streams are merged */
    /* times: see record_time.c */
    uint64_t tsc_first; /* of any record; UINT64_MAX before the first */
    uint64_t tsc_last;  /* of any record of the windows that ended */
    uint64_t
        foreign_front;  /* tsc_last when time first went far back: another capture was joined on; 0: not so */
    uint64_t model_end; /* the model gets nothing later; UINT64_MAX: all */
    uint64_t used_last; /* at the end: of any record that the model is given, if the input is complete */
    bool
        first_sweep_cut; /* the input ended in its first sweep: pCPUs that were to be read after may be missing */
    struct silences silences;
    const struct clock *clock; /* NULL: not known yet */
    struct step *steps;        /* by pCPU number: whether its clock goes with the others' (step.h) */
    uint64_t first_max;        /* the latest time that a window of a pCPU in step began with */
    uint64_t first_max_before; /* the same before first_sweep began, */
    uint64_t first_sweep;      /* the one that is being read */
    struct strangers strangers;
    bool odd_runs;                /* there are some (pace.h) */
    struct pace_usual usual_pace; /* of other runs, */
    uint64_t skipped_places;      /* and of the quality, when they were looked at last */
    /* the merge */
    struct cursor *cursors; /* of the streams with events to deliver, in the order of their pCPUs */
    unsigned n;             /* how many */
    uint64_t *tree;         /* of their keys; see order.c */
    unsigned leaves;        /* of it: a power of two, 0 when there is nothing to deliver */
    unsigned capacity;      /* of both */
    uint64_t base;          /* tsc that keys count from */
    uint64_t horizon;       /* tsc up to which they do, not beyond `ready` */
    uint64_t sweep_max;     /* largest tsc of the sweeps before the one that ended last */
    uint64_t watermark;     /* tsc up to which everything has arrived; UINT64_MAX at the end of the trace */
    uint64_t ready; /* tsc up to which all is decided, too, and can be delivered; not beyond the watermark */
};

/* Becomes the decoder's judge of times. False when there is no memory; order_free in both cases. */
bool order_init(struct order *o, struct decoder *d);
void order_free(struct order *o);

/* How cycles become ns is known from here on; the clock stays the caller's. -1 when there is no memory. */
int order_use_clock(struct order *o, const struct clock *clock);

/* Fresh events of a stream's window were decoded, all of them if the window has `ended`. They are fresh no longer. */
void order_window(struct order *o, struct stream *s, bool ended);

/* A sweep has ended: moves the watermark. -1 when there is no memory. */
int order_sweep(struct order *o);

/*
 * The input has ended: everything has arrived. If it was cut in the middle of a sweep (or windows are missing that every
 * sweep has), the pCPUs' records end at different times: the model gets those up to where the first one ends.
 * -1 when there is no memory.
 */
int order_end(struct order *o, bool cut);

/* Whether it is known when the trace begins: no record that is still to come is older. */
static inline bool order_beginning_is_known(const struct order *o)
{
    return o->tsc_first != UINT64_MAX && o->watermark >= o->tsc_first;
}

/* Whether anything can be delivered: when the trace begins is known, or nothing in it had a time so far. */
static inline bool order_can_deliver(const struct order *o)
{
    return order_beginning_is_known(o) || o->tsc_first == UINT64_MAX;
}

/* Collects the streams to merge, up to `ready`. -1 when there is no memory. */
int order_begin(struct order *o);

/*
 * Moves up to `room` events, in order, to `to`, and the ones attached to the last: at most ORDER_ATTACHED. Returns how
 * many. Less than `room`: all up to `ready` are delivered.
 */
size_t order_take(struct order *o, struct event *to, size_t room);
#define ORDER_ATTACHED 1

#endif
