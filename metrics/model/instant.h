/*
 * When did a context switch happen? Xen ends one vCPU's running and begins the next one's at the same instant, and writes
 * the two runstate changes one after the other: both are taken at the time of the first, so that no time falls between.
 */
#ifndef XENMETER_METRICS_INSTANT_H
#define XENMETER_METRICS_INSTANT_H

#include "parser/event.h"

/* A switch is never longer than this: that long before the watermark instants may still lie. */
#define SWITCH_SPAN_NS 220000u

/* What is known of a pCPU. */
struct instant {
    bool switched_out; /* the last runstate change ended the running of a vCPU, at */
    uint64_t at_ns;
};

/* The instant of a runstate change that was recorded at `now_ns`: not after that, and at most SWITCH_SPAN_NS before. */
uint64_t instant_of_change(struct instant *i, const struct event *e, uint64_t now_ns);

#endif
