/*
 * Core scheduling (Xen 4.13 and later, sched-gran=core|socket): the pCPUs of a core, or socket, are siblings that switch
 * together. Vcpu v of a domain runs on sibling v % (number of siblings), and the sibling that comes to the rendezvous last
 * writes the runstate changes of all of them into its own ring (xen/common/sched/core.c: sched_switch_units,
 * sched_unit2vcpu_cpu). Nothing in the file says so. It shows in the records:
 *
 * - idle vCPU n belongs to pCPU n. In the ring of another pCPU it names a sibling.
 * - A switch in one ring goes from A to B, and at once from C, not B, to D.
 *
 * One damaged record can look like either of them, but not like both at once, nor twice.
 */
#ifndef XENMETER_PARSER_CORES_H
#define XENMETER_PARSER_CORES_H

#include "stream.h"

#define CORES_IDLE_DOMAIN 0x7fffu

struct core {
    uint16_t first,
        n; /* its pCPUs: cores.pcpus[first .. first + n), ascending; n < 2: the pCPU is on its own */
};

struct cores {
    unsigned largest;   /* pCPUs of the largest core; 0: every pCPU is on its own */
    unsigned too_small; /* cores of so many pCPUs do not explain the switches that were seen; 0: they do */
    unsigned misfits;   /* such switches, up to SWITCHES_SURE */
    unsigned pending;   /* idle vCPUs that another pCPU's ring named once: perhaps a damaged record */
    struct core *of;    /* by pCPU number */
    uint16_t *pcpus;    /* grouped by core */
    uint16_t *leader;   /* by pCPU number: the lowest one of its core */
    struct named *idle; /* by pCPU number: where its idle vCPU was named by others */
};

#define SWITCHES_SURE 2 /* so many switches of one kind are no damage */

bool cores_init(struct cores *c);
void cores_free(struct cores *c);

/* The same as cores_switch, for switches that may show something. */
void cores_odd_switch(struct cores *c, struct stream *s, uint32_t out, uint32_t in, uint64_t tsc);

/* A context switch in the ring of `s`: one vCPU (dom << 16 | vcpu) stopped running and another one began, at `tsc`. */
static inline void cores_switch(struct cores *c, struct stream *s, uint32_t out, uint32_t in, uint64_t tsc)
{
    const uint32_t idle = CORES_IDLE_DOMAIN << 16, own = idle | s->pcpu;
    bool usual = out == s->last_switch.in && (in < idle || in == own) && (out < idle || out == own);
    if (!usual || c->largest > 0)
        cores_odd_switch(c, s, out, in, tsc);
    s->last_switch = (struct last_switch){tsc, out, in};
}

/* Two pCPUs are siblings. */
void cores_join(struct cores *c, unsigned a, unsigned b);

/* Perhaps more siblings will show: what was seen so far may be damage, or the beginning. */
static inline bool cores_unsettled(const struct cores *c)
{
    return c->pending > 0 || c->misfits > 0;
}

/* Whether a ring shows that its pCPU has siblings, and not all of them are known. */
bool cores_missing(const struct cores *c, const struct stream *s);

/* The pCPU on which a vCPU runs that a record in the ring of `ring` says to run, or to have run. */
static inline uint16_t cores_pcpu(const struct cores *c, uint16_t ring, uint32_t domain, uint32_t vcpu)
{
    if (!c || c->of[ring].n < 2)
        return ring;
    struct core core = c->of[ring];
    if (domain != CORES_IDLE_DOMAIN)
        return c->pcpus[core.first + vcpu % core.n];
    return vcpu < PCPUS_MAX && c->leader[vcpu] == c->leader[ring] ? (uint16_t)vcpu : ring;
}

#endif
