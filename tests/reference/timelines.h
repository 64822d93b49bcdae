/*
 * Which state each vCPU was in, and when, as the records of a capture say: from the meaning of the numbers (the program's
 * contract for runstates and lost records) in the plainest way, over arrays, with no regard for speed.
 */
#ifndef XENMETER_TESTS_REFERENCE_TIMELINES_H
#define XENMETER_TESTS_REFERENCE_TIMELINES_H

#include "tests/reference/records.h"

enum ref_state { REF_RUNNING, REF_RUNNABLE, REF_BLOCKED, REF_OFFLINE, REF_UNKNOWN, REF_STATES };
#define REF_IS(state) (1u << (state))
#define REF_ANY       (REF_IS(REF_STATES) - 1)
#define REF_IDLE      32767u

/* A stretch of a vCPU's time: [from, to) in cycles from the trace's start. */
struct ref_piece {
    uint64_t from, to;
    unsigned states; /* REF_IS of those that it may be in: one, where the records decide it */
    int pcpu;        /* where it ran, if it can only have been running; else -1 */
};

/* What one record, or the record of a loss, says of a vCPU. */
struct ref_change {
    uint64_t at; /* cycles from the trace's start */
    uint16_t pcpu;
    uint8_t from, to; /* enum ref_state */
    bool named;       /* no change: the record of a loss says that it runs, */
    bool goes_on;     /* or another one, that it goes on */
    bool yields;      /* it leaves by its own will: a YIELD came before */
};

struct ref_vcpu {
    uint32_t domain, id;
    struct ref_change *changes;
    size_t changes_n;
    bool starts_known; /* the first change says what was before it, back to the trace's start */
    struct ref_piece *pieces;
    size_t pieces_n;
    uint64_t yields; /* YIELD records */
};

/* Records of a pCPU were lost from `from` to `to`. */
struct ref_loss {
    uint64_t from, to;
    uint16_t pcpu;
};

struct ref_host {
    struct ref_vcpu *vcpus; /* in any order; the idle domain's too */
    size_t vcpus_n;
    struct ref_loss *losses;
    size_t losses_n;
    uint64_t length;   /* of the trace, in cycles */
    bool by_runstates; /* else the states follow from switches, wakes, blocks and sleeps */
};

/* Free with ref_host_free. The records stay the caller's. */
void ref_host_make(struct ref_host *h, const struct ref_records *r);
void ref_host_free(struct ref_host *h);

#endif
