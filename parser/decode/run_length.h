/*
 * What SWITCH_INFPREV and SWITCH_INFNEXT say of the runstate changes that follow: how long the vCPU ran that stops, and
 * which slice the other one is granted.
 */
#ifndef XENMETER_PARSER_RUN_LENGTH_H
#define XENMETER_PARSER_RUN_LENGTH_H

#include "record_format.h"
#include "stream.h"

/* Up to Xen 4.7 the two records below have no word for the vCPU. */
static uint64_t any_vcpu_of(uint32_t domain)
{
    return STREAM_ANY_VCPU | domain;
}

/*
 * SWITCH_INFPREV: {dom, vcpu, ran_ns}. It names the vCPU that the last SWITCH_INFNEXT named, but where one pCPU writes for
 * its whole core (sched-gran=core): there the payload is not that of the switches in its ring.
 */
static inline void switched_from(struct stream *s, const uint8_t *payload, unsigned words)
{
    bool named = words >= 3;
    s->ran_who = named ? load64(payload) : any_vcpu_of(load32(payload));
    s->ran_ns = load32(payload + (named ? 8 : 4));
    s->ran = words >= 2 && (s->in_who == s->ran_who || s->in_who == STREAM_NOBODY);
}

/* SWITCH_INFNEXT: {dom, vcpu, waited_ns, slice_ns}. */
static inline void switched_to(struct stream *s, const uint8_t *payload, unsigned words)
{
    bool named = words >= 4;
    if (words < 3)
        return;
    s->in_who = named ? load64(payload) : any_vcpu_of(load32(payload));
    s->slice_ns = load32(payload + (named ? 12 : 8));
}

static inline __attribute__((always_inline)) void note_switch(struct stream *s, unsigned slot,
                                                              const uint8_t *payload, unsigned words)
{
    if (slot == EVENT_SWITCH_INFPREV)
        switched_from(s, payload, words);
    else
        switched_to(s, payload, words);
}

/* Whether it is the vCPU of a runstate change that was said to have run. */
static inline bool ran_for(const struct stream *s, uint32_t word)
{
    uint32_t domain = word >> 16;
    return s->ran_who == ((uint64_t)(word & 0xffff) << 32 | domain) || s->ran_who == any_vcpu_of(domain);
}

#endif
