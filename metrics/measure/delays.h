/*
 * Delays: who ran on a pCPU while another vCPU was runnable there.
 *
 * A vCPU that waits is dispatched on some pCPU in the end: whoever ran there since it began to wait has delayed it. A
 * wait is attributed when it ends, or at the next multiple of 100 ms of trace time, to the pCPU where the vCPU ran last;
 * so no row waits longer than that. The delays of a vCPU add up to its runnable time.
 *
 * One delay is one stretch: one vCPU ran on the pCPU without a break while the victim waited. It counts in the interval
 * in which it ends; with its whole length in max_ns, even if it began in an earlier one. A victim that is dispatched on
 * another pCPU than where it ran last has delays up to the last multiple of 100 ms on the old pCPU, and from there on the new.
 */
#ifndef XENMETER_METRICS_MEASURE_DELAYS_H
#define XENMETER_METRICS_MEASURE_DELAYS_H

#include <stddef.h>
#include <stdint.h>

#include "metrics/consumer.h"

/* Who had the pCPU. */
enum culprit { CULPRIT_DOMAIN, CULPRIT_IDLE, CULPRIT_UNKNOWN };

/* A victim and a culprit in one interval. */
struct delay {
    int32_t victim; /* domain */
    uint32_t victim_life;
    int32_t victim_vcpu;
    enum culprit kind;
    int32_t culprit;       /* domain; -1: the pCPU was idle, or who had it is not known */
    uint32_t culprit_life; /* 0: as above */
    uint64_t delayed_ns;
    uint64_t count;     /* delays that ended here */
    uint64_t max_ns;    /* the longest of them */
    uint64_t max_at_ns; /* where it ended, from the trace's start */
};

struct delay_options {
    uint64_t granularities_ns[METER_GRANULARITIES]; /* 0: the whole trace */
    size_t granularities;
    uint64_t from_ns, to_ns; /* only [from, to); to 0: to the end */
    const uint8_t
        *pcpus_wanted; /* a byte for each of PCPUS_MAX: delays on these pCPUs; NULL: on all. The caller's */
    void *context;
    /* One interval with its delays, ordered by victim, vCPU, culprit. Non-zero ends the work. */
    int (*rows)(void *context, const struct interval *interval, const struct delay *delays, size_t n);
};

/* The relation of struct delay. */
extern const struct relation relation_delays;

struct delays;

/* NULL: no memory. Options are copied. */
struct delays *delays_new(const struct delay_options *options);
void delays_free(struct delays *d);

/* The consumer that does the work; `d` is to outlive it. */
struct consumer delays_consumer(struct delays *d);

#endif
