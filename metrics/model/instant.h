/*
 * When did a context switch happen? Xen's schedule() reads its clock once: at that instant one vCPU's running ends and the
 * next one's begins. The records follow 0.1 to some us later, under load more, by different delays for different paths.
 *
 * SWITCH_INFPREV says how long the vCPU ran that is switched out, by Xen's clock. On one pCPU these runs follow each other
 * without a gap: a chain, which gives all instants up to one constant. A record never precedes its instant, so the
 * smallest delay of the last stretch fixes the constant. Xen's clock and the stamps drift apart by some ppm; how fast is
 * learnt from the smallest delays of successive stretches. What the chain is set right by goes to the idle vCPU's runs, so
 * that guests run exactly as long as Xen says; only where the pCPU is never idle does it go to guests, in small parts.
 *
 * Without SWITCH_INFPREV both runstate changes of a switch count as one instant, the time of the first record.
 */
#ifndef XENMETER_METRICS_INSTANT_H
#define XENMETER_METRICS_INSTANT_H

#include <stdbool.h>
#include <stdint.h>

#include "snapshot.h"

/* A record that seems to follow its instant by more contradicts SWITCH_INFPREV, and the time of the record counts. */
#define INSTANT_LAG_NS 8000000u
/* The two runstate changes of a switch are never recorded further apart. */
#define SWITCH_SPAN_NS 10000000u
/* So long before the watermark instants may still lie. */
#define INSTANT_REACH_NS (INSTANT_LAG_NS + SWITCH_SPAN_NS)

/* What is known of a pCPU. */
struct instant {
    uint64_t at_ns;   /* of the last switch, by the chain; never after its record */
    uint64_t out_ns;  /* the instant that was given to it */
    uint64_t seen_ns; /* the time of its record */
    int32_t least
        [2]; /* least delay from instant to record in the stretch before, in this one, as it would be now */
    int16_t drift; /* by how much delays grow: parts of 2^26 */
    uint8_t
        agreed; /* how many switches were recorded soon after their instants; no more is counted than matters */
    bool switched_out; /* the last runstate change ended the running of a vCPU */
    uint32_t runner;   /* who runs since: dom << 16 | vcpu; NO_RUNNER: not known */
};

#define NO_RUNNER UINT32_MAX

void instant_init(struct instant *i);

/* Records were lost: who ran since when is not known. */
void instant_break(struct instant *i);

/* What a pCPU does for others before a switch is recorded before it: so far the chain may lie too early. */
#define INSTANT_EARLY_NS 100000u

/* A run that has ended. */
struct run {
    uint32_t who;    /* dom << 16 | vcpu */
    uint32_t ran_ns; /* modulo 2^32, */
    bool known;      /* if */
};

/*
 * A vCPU was switched out, as was recorded at now_ns. Returns the instant, at most INSTANT_LAG_NS before now_ns, and not before
 * not_before_ns, if that is little later than the chain says. *unused is counted up where the length of the run contradicts
 * the times.
 */
uint64_t instant_switched_out(struct instant *i, struct run run, uint64_t now_ns, uint64_t not_before_ns,
                              uint64_t *unused);

/*
 * `who` was switched in, right after another vCPU was switched out, as was recorded at now_ns. Returns the instant, at most
 * INSTANT_REACH_NS before now_ns.
 */
uint64_t instant_switched_in(struct instant *i, uint32_t who, uint64_t now_ns);

/* Saves it, or restores it. */
void instant_snapshot(struct snapshot *s, struct instant *i);

#endif
