/*
 * The clock: tsc cycles -> ns from the start of the trace.
 *
 * xentrace records carry the raw tsc and no frequency. SWITCH_INFPREV says in ns how long a vCPU ran; on one pCPU
 * the end of one run is the start of the next (Xen reads NOW() once per context switch), so the sum of these
 * payloads over consecutive switches is exactly the ns that passed on that pCPU's clock, and no error adds up.
 * Each stretch of about 20 ms is one sample of cycles per ns; the median over all samples is the frequency.
 */
#ifndef XENMETER_PARSER_CLOCK_H
#define XENMETER_PARSER_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

__extension__ typedef unsigned __int128 uint128;

struct clock {
    uint64_t tsc_first; /* becomes 0 ns */
    double cpu_hz;      /* the frequency used; 0: not known, ns are cycles */
    bool measured;      /* from the trace; else given, or not known */
    uint64_t pairs;     /* samples of a measured frequency */
    double spread_ppm;  /* half the distance between their quartiles */
    double error_ppm;   /* standard error of the median: how sure */
    /* What later parts of the trace say of a measured frequency; check_pairs 0: nothing. */
    uint64_t check_pairs;   /* samples of them */
    double check_error_ppm; /* standard error of their median */
    double difference_ppm;  /* how much higher or lower their frequency is; never negative */
    uint64_t multiplier;    /* ns = cycles * multiplier >> shift */
    unsigned shift;
};

/* Sets the conversion for a frequency (> 0) and a start; the other fields are left alone. */
void clock_set(struct clock *c, uint64_t tsc_first, double cpu_hz);

/* ns from the start of the trace, rounded down; a tsc before the start counts as the start. Monotone in tsc. */
static inline uint64_t clock_ns(const struct clock *c, uint64_t tsc)
{
    uint64_t cycles = tsc > c->tsc_first ? tsc - c->tsc_first : 0;
    return (uint64_t)(((uint128)cycles * c->multiplier) >> c->shift);
}

#endif
