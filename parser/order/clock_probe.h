/* Measures the tsc frequency from SWITCH_INFPREV payloads; the idea is told in clock.h. */
#ifndef XENMETER_PARSER_CLOCK_PROBE_H
#define XENMETER_PARSER_CLOCK_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clock.h"
#include "parser/decode/stream.h"

#define PROBE_SAMPLES 16384 /* kept of each kind; more say nothing new */

struct clock_probe {
    double *chains; /* cycles per ns over stretches of consecutive runs */
    size_t chains_n;
    double *pairs; /* cycles per ns of single runs: only when there are hardly any chains */
    size_t pairs_n;
    size_t estimated_at; /* chains_n when the last estimate was made */
};

void clock_probe_free(struct clock_probe *p);

/* A vCPU was switched in on this pCPU at `tsc`. */
void clock_probe_dispatch(struct stream *s, uint64_t tsc);

/* A vCPU was switched out at `tsc` after `runtime_ns` (low 32 bits). */
void clock_probe_switch(struct clock_probe *p, struct stream *s, uint64_t tsc, uint32_t runtime_ns);

/* Records were lost on this pCPU: its chain is broken. */
void clock_probe_break(struct stream *s);

/*
 * Fills cpu_hz, measured, pairs, spread_ppm and error_ppm from what was seen so far. False when there is nothing to
 * tell it from.
 */
bool clock_probe_estimate(struct clock_probe *p, struct clock *clock);

#endif
