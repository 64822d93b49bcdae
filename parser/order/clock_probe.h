/*
 * Measures the tsc frequency from the runs that SWITCH_INFPREV and SWITCH_INFCONT tell in ns; clock.h has the idea.
 */
#ifndef XENMETER_PARSER_CLOCK_PROBE_H
#define XENMETER_PARSER_CLOCK_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clock.h"
#include "clock_estimate.h"
#include "clock_marks.h"
#include "parser/decode/stream.h"

struct clock_probe {
    struct clock_marks marks;
    struct clock_pcpu *by_pcpu; /* who runs there, by pCPU number */
    size_t pcpus;               /* that may be known to run somebody: their numbers are below */
    struct clock_core *core;    /* switches of pCPUs that write for others of their core */
    struct clock_room *room;    /* for an estimate */
    uint32_t *gaps;             /* cycles from SWITCH_INFPREV to the SWITCH_INFNEXT that follows it */
    size_t gaps_n;
    size_t estimated_at; /* marks when the last estimate was made */
    bool estimated;      /* it says something: */
    struct clock_estimate estimate;
};

/* False when there is no memory; clock_probe_free in both cases. */
bool clock_probe_init(struct clock_probe *p);
void clock_probe_free(struct clock_probe *p);

/* Records of all pCPUs are passed over: no chain goes on. */
void clock_probe_break(struct clock_probe *p);

/*
 * Takes the fresh events of a stream that are wanted for the clock, and removes those that nobody else wants.
 */
void clock_probe_take(struct clock_probe *p, struct stream *s);

/* Forgets all samples. */
void clock_probe_restart(struct clock_probe *p);

/* Nothing more is kept. */
bool clock_probe_is_full(const struct clock_probe *p);

/* An estimate takes time: there is much more to make one of than last time. */
bool clock_probe_has_more(const struct clock_probe *p);

/*
 * Fills cpu_hz, measured, pairs, spread_ppm and error_ppm from what was seen so far. False, with nothing changed: no
 * frequency follows from it.
 */
bool clock_probe_estimate(struct clock_probe *p, struct clock *clock);

/*
 * Compares the clock with what was seen since clock_probe_restart, if that is enough to say anything. Of several comparisons
 * the one that contradicts the clock most stays.
 */
void clock_probe_check(struct clock_probe *p, struct clock *clock);

#endif
