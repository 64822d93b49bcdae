/* Measures the tsc frequency from SWITCH_INFPREV payloads; clock.h has the idea. */
#ifndef XENMETER_PARSER_CLOCK_PROBE_H
#define XENMETER_PARSER_CLOCK_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clock.h"
#include "parser/decode/stream.h"

#define PROBE_SAMPLES 16384 /* kept of each kind; more say nothing new */

struct clock_samples {
    size_t n;
    double cycles_per_ns[PROBE_SAMPLES];
};

struct clock_probe {
    struct chain *by_pcpu;        /* stretches of consecutive runs, by pCPU number */
    struct clock_samples *chains; /* over such stretches */
    struct clock_samples *pairs;  /* of single runs: only when there are hardly any chains */
    size_t estimated_at;          /* chains->n when the last estimate was made */
};

/* False when there is no memory; clock_probe_free in both cases. */
bool clock_probe_init(struct clock_probe *p);
void clock_probe_free(struct clock_probe *p);

/* Records of all pCPUs are passed over: no stretch goes on. */
void clock_probe_break(struct clock_probe *p);

/*
 * Takes the fresh events of a stream that are wanted for the clock, and removes those that nobody else wants.
 */
void clock_probe_take(struct clock_probe *p, struct stream *s);

/* Forgets all samples. */
void clock_probe_restart(struct clock_probe *p);

/*
 * Fills cpu_hz, measured, pairs, spread_ppm and error_ppm from what was seen so far. False when there is no sample
 * yet.
 */
bool clock_probe_estimate(struct clock_probe *p, struct clock *clock);

/* Compares a measured clock with what was seen since clock_probe_restart, if that is enough to say anything. */
void clock_probe_check(struct clock_probe *p, struct clock *clock);

#endif
