/* What the ordering knows: order.c merges the streams by it, record_time.c judges times by it, step.c clocks. */
#ifndef XENMETER_PARSER_ORDER_STATE_H
#define XENMETER_PARSER_ORDER_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "pace.h"
#include "parser/decode/decoder.h"
#include "silence.h"

/* Windows in succession that do not go with what went before: perhaps another capture was joined on (step.h). */
struct strangers {
    unsigned windows;  /* 0: none */
    bool several;      /* they are of several pCPUs */
    uint16_t pcpu;     /* of the first one, */
    uint64_t offset;   /* of its header, and */
    bool cut;          /* they began in it: a capture was cut there */
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
        foreign_front; /* tsc_last when time first went far back: another capture was joined on; 0: not so */
    /* The trace began with this one's record, alone in its window, so that nothing confirms its time. NULL: it did not. */
    struct stream *lone;
    bool
        lone_doubted; /* the model did not get that record: its time, which counts as implausible, misleads nobody */
    uint64_t lone_tsc;  /* that time */
    uint64_t model_end; /* the model gets nothing later; UINT64_MAX: all */
    uint64_t used_last; /* at the end: of any record that the model is given, if the input is complete */
    bool
        first_sweep_cut; /* the input ended in its first sweep: pCPUs that were to be read after may be missing */
    struct silences silences;
    bool no_memory;            /* what was decided since may be wrong: order_begin fails */
    const struct clock *clock; /* NULL: not known yet */
    struct step *steps;        /* by pCPU number: whether its clock goes with the others' (step.h) */
    uint64_t first_max;        /* the latest time that a window of a pCPU in step began with */
    uint64_t first_max_before; /* the same before first_sweep began, */
    uint64_t first_sweep;      /* the one that is being read */
    struct strangers strangers;
    bool odd_runs;           /* there are some (pace.h) */
    struct pace_all paces;   /* what other runs say, */
    uint64_t skipped_places; /* and the quality's number, when they were looked at last */
    /* the merge */
    struct cursor *cursors; /* of the streams with events to deliver, in the order of their pCPUs */
    unsigned n;             /* how many */
    uint64_t *tree;         /* of their keys; see order.c */
    unsigned leaves;        /* of it: a power of two, 0 when there is nothing to deliver */
    unsigned capacity;      /* of both */
    uint64_t base;          /* tsc that keys count from */
    uint64_t horizon;       /* tsc up to which they do, before `ready` */
    uint64_t sweep_max;     /* largest tsc of the sweeps before the one that ended last */
    uint64_t watermark;     /* tsc up to which everything has arrived; UINT64_MAX at the end of the trace */
    uint64_t ready; /* what is before this tsc is final (order.h): decided, too; not beyond the watermark */
};

#endif
