/*
 * The clock: tsc cycles -> ns from the start of the trace.
 *
 * xentrace records carry the raw tsc and no frequency. SWITCH_INFPREV says in ns how long a vCPU ran; on one pCPU
 * the end of one run is the start of the next (Xen reads NOW() once per context switch), so the sum of these
 * payloads over consecutive switches is exactly the ns that passed on that pCPU's clock, and no error adds up.
 * The payloads are u32 and wrap at 4.29 s: the sum is known modulo 2^32 ns, and clock_sieve.h says which frequency that leaves.
 * Then each of the longest stretches is one sample of the frequency, and their median is the clock's (clock_estimate.h).
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
    bool measured;      /* from the trace; else given, by the host, or not known */
    bool by_host;       /* from host_hz */
    uint64_t pairs;     /* samples of a measured frequency */
    double spread_ppm;  /* half the distance between their quartiles */
    double error_ppm;   /* standard error of the median, with known biases: how sure, to a third */
    /* What later parts of the trace say of a measured frequency, and all of it of another; check_pairs 0: nothing. */
    uint64_t check_pairs;   /* samples of them */
    double check_hz;        /* their frequency */
    double check_error_ppm; /* as error_ppm */
    double difference_ppm;  /* how much higher or lower it is; never negative */
    /* The host's own measure, from pairs of tsc and time that were read outside of the trace; host_hz 0: none. */
    double host_hz;
    double host_error_ppm;
    uint64_t multiplier; /* ns = cycles * multiplier >> shift */
    unsigned shift;
};

/* "measured", "given", "io-counts"; NULL: the frequency is not known. */
const char *clock_source(const struct clock *c);

/* Sets the conversion for a frequency (> 0) and a start; the other fields are left alone. */
void clock_set(struct clock *c, uint64_t tsc_first, double cpu_hz);

/* ns from the start of the trace, rounded down; a tsc before the start counts as the start. Monotone in tsc. */
static inline uint64_t clock_ns(const struct clock *c, uint64_t tsc)
{
    uint64_t cycles = tsc > c->tsc_first ? tsc - c->tsc_first : 0;
    return (uint64_t)(((uint128)cycles * c->multiplier) >> c->shift);
}

/* The first tsc that clock_ns makes `ns` or more of; UINT64_MAX: beyond. */
uint64_t clock_tsc(const struct clock *c, uint64_t ns);

#endif
