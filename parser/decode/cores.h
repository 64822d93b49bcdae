/*
 * Core scheduling (Xen 4.13 and later, sched-gran=core|socket): the pCPUs of a core, or socket, are siblings that switch
 * together. Vcpu v of a domain runs on sibling v % (number of siblings), and the sibling that comes to the rendezvous last
 * writes the runstate changes of all of them into its own ring (xen/common/sched/core.c: sched_switch_units,
 * sched_unit2vcpu_cpu). Nothing in the file says so. It shows in the records:
 *
 * - idle vCPU n belongs to pCPU n. In the ring of another pCPU it names a sibling.
 * - A switch in one ring goes from A to B, and at once from C, not B, to D.
 * - A switch in one ring goes from A to B, and the next one of the window, whenever it is, from C, not B: another ring has the one
 *   between.
 *
 * One damaged record can look like any of them, but not like the first two at once, nor like one of them over and over.
 * SWITCH names units by their first vCPU, and the idle unit by the first pCPU of the core; the same follows from it.
 *
 * Where a sibling's ring is not in the trace (xentrace -c), or it is not known who the siblings are, or no runstate changes say
 * whom a sibling runs, any vCPU of the core may come and go unseen: these pCPUs are `partial`.
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
    uint8_t *misfit;    /* by number of the leader: misfits of this core, as it is by now */
    bool ring_shows;    /* a ring shows that its pCPU has siblings */
    bool *partial;      /* by pCPU number: what runs there is written down in part only; never reset */
    unsigned partial_n; /* pCPUs of which that is so */
    struct named *idle; /* by pCPU number: where its idle vCPU was named by others */
};

#define SWITCHES_SURE 2 /* so many switches of one kind are no damage */

#define SWITCHES_COUNTED 255 /* of those that a ring misses no more are counted */

bool cores_init(struct cores *c);
void cores_free(struct cores *c);

/* What is known of siblings now, but for what may yet show, into others that cores_init made. */
void cores_copy(struct cores *to, const struct cores *from);

/* The same as cores_switch, for switches that may show something. */
void cores_odd_switch(struct cores *c, struct stream *s, struct last_switch *last, uint32_t out, uint32_t in,
                      uint64_t tsc);

/*
 * A context switch in the ring of `s`: one vCPU (dom << 16 | vcpu) stopped running and another one began, at `tsc`; *last: the one
 * before. Returns whether it may show something.
 */
static inline bool cores_switch(struct cores *c, struct stream *s, struct last_switch *last, uint32_t out,
                                uint32_t in, uint64_t tsc)
{
    const uint32_t idle = CORES_IDLE_DOMAIN << 16;
    bool usual = out == last->in && (in < idle || in == (idle | s->pcpu)) && c->largest == 0;
    if (!usual)
        cores_odd_switch(c, s, last, out, in, tsc);
    else
        *last = (struct last_switch){tsc, out, in, CURRENT_NONE, (uint32_t)s->last_sweep};
    return !usual;
}

/* Two pCPUs are siblings. */
void cores_join(struct cores *c, unsigned a, unsigned b);

/* The ring that named the pCPU's idle vCPU, once, though it is not known to be a sibling; PCPUS_MAX: none did. */
uint16_t cores_named_by(const struct cores *c, unsigned pcpu);

/* Perhaps more siblings will show: what was seen so far may be damage, or the beginning. */
static inline bool cores_unsettled(const struct cores *c)
{
    return c->pending > 0 || c->misfits > 0;
}

/* Whether there is core scheduling, as far as the records show by now. */
static inline bool cores_shown(const struct cores *c)
{
    return c->largest > 0 || c->ring_shows;
}

/* Whether a ring shows that its pCPU has siblings. */
static inline bool cores_shows(const struct stream *s)
{
    return s->together >= SWITCHES_SURE || s->elsewhere >= SWITCHES_SURE;
}

/* Whether a ring may yet show it: it misses switches. */
static inline bool cores_may_show(const struct stream *s)
{
    return s->missed > 0 && !cores_shows(s);
}

/*
 * Switches that rings miss between two of their own, whenever these were. Captures that were joined, or a host that slept, make
 * one in each ring for each time: so that there are siblings shows if many are missed again, and of so many one or more.
 */
struct missed {
    uint64_t missed, again; /* again: of several rings, but for the first one of each */
    uint64_t switches;      /* that the rings have */
};
#define SWITCHES_MISSED 4
#define MISSED_SHARE    16

static inline bool cores_missed_shows(const struct missed *m)
{
    return m->again >= SWITCHES_MISSED && m->missed * MISSED_SHARE >= m->switches;
}

/* The ring shows that its pCPU has siblings. */
void cores_set_shown(struct cores *c, struct stream *s);

/* Whether a ring shows that its pCPU has siblings, and not all of them are known. */
bool cores_missing(const struct cores *c, const struct stream *s);

/* The same, or other cores are larger than the pCPU's: siblings that are always idle are not named, and do not matter. */
bool cores_may_grow(const struct cores *c, const struct stream *s);

/* What runs on the pCPU, and on its known siblings, is written down in part only. */
void cores_set_partial(struct cores *c, uint16_t pcpu);

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
