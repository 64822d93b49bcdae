#include "cores.h"

#include <stdlib.h>
#include <string.h>

struct named {
    uint16_t ring; /* of the first switch that named it, if */
    uint16_t times;
};

bool cores_init(struct cores *c)
{
    *c = (struct cores){.of = calloc(PCPUS_MAX, sizeof *c->of),
                        .pcpus = calloc(PCPUS_MAX, sizeof *c->pcpus),
                        .leader = calloc(PCPUS_MAX, sizeof *c->leader),
                        .misfit = calloc(PCPUS_MAX, sizeof *c->misfit),
                        .partial = calloc(PCPUS_MAX, sizeof *c->partial),
                        .idle = calloc(PCPUS_MAX, sizeof *c->idle)};
    for (unsigned p = 0; c->leader && p < PCPUS_MAX; p++)
        c->leader[p] = (uint16_t)p;
    return c->of && c->pcpus && c->leader && c->misfit && c->partial && c->idle;
}

void cores_free(struct cores *c)
{
    free(c->of);
    free(c->pcpus);
    free(c->leader);
    free(c->misfit);
    free(c->partial);
    free(c->idle);
}

void cores_copy(struct cores *to, const struct cores *from)
{
    memcpy(to->of, from->of, PCPUS_MAX * sizeof *to->of);
    memcpy(to->pcpus, from->pcpus, PCPUS_MAX * sizeof *to->pcpus);
    memcpy(to->leader, from->leader, PCPUS_MAX * sizeof *to->leader);
    memcpy(to->partial, from->partial, PCPUS_MAX * sizeof *to->partial);
    to->largest = from->largest;
    to->partial_n = from->partial_n;
    to->ring_shows = from->ring_shows;
}

uint16_t cores_named_by(const struct cores *c, unsigned pcpu)
{
    const struct named *idle = &c->idle[pcpu];
    bool perhaps = idle->times == 1 && c->leader[idle->ring] != c->leader[pcpu];
    return perhaps ? idle->ring : PCPUS_MAX;
}

/* Makes `of` and `pcpus` from the leaders: a leader is the lowest of its core, so that it comes first. */
static void list_cores(struct cores *c)
{
    unsigned n = 0;
    c->largest = 0;
    for (unsigned p = 0; p < PCPUS_MAX; p++)
        c->of[p].n = 0;
    for (unsigned p = 0; p < PCPUS_MAX; p++)
        c->of[c->leader[p]].n++;
    for (unsigned p = 0; p < PCPUS_MAX; p++) {
        struct core *core = &c->of[c->leader[p]];
        if (c->leader[p] == p) {
            core->first = (uint16_t)n;
            n += core->n;
            c->largest = core->n > 1 && core->n > c->largest ? core->n : c->largest;
            core->n = 0;
        }
        c->pcpus[core->first + core->n++] = (uint16_t)p;
    }
    c->pending = 0;
    for (unsigned p = 0; p < PCPUS_MAX; p++) {
        c->of[p] = c->of[c->leader[p]];
        c->pending += cores_named_by(c, p) != PCPUS_MAX;
    }
    if (c->largest > c->too_small)
        c->too_small = c->misfits = 0;
}

void cores_join(struct cores *c, unsigned a, unsigned b)
{
    uint16_t from = c->leader[a], to = c->leader[b];
    if (from == to)
        return;
    if (from < to) {
        uint16_t lower = from;
        from = to;
        to = lower;
    }
    for (unsigned p = from; p < PCPUS_MAX; p++)
        if (c->leader[p] == from)
            c->leader[p] = to;
    c->misfit[to] = 0;
    list_cores(c);
}

/* The pCPU whose idle vCPU this is, if that is not the ring's own; else PCPUS_MAX. */
static unsigned idle_of_other(uint32_t vcpu, uint16_t ring)
{
    unsigned n = vcpu & 0xffff;
    return vcpu >> 16 == CORES_IDLE_DOMAIN && n != ring && n < PCPUS_MAX ? n : PCPUS_MAX;
}

/* A switch in the ring names the idle vCPU of pCPU n; `sure`: nothing but core scheduling explains it. */
static void name_idle(struct cores *c, unsigned n, uint16_t ring, bool sure)
{
    struct named *idle = &c->idle[n];
    c->pending -= idle->times == 1;
    if (idle->times++ == 0)
        idle->ring = ring;
    if (!sure && idle->times < SWITCHES_SURE) {
        c->pending++;
        return;
    }
    idle->times = SWITCHES_SURE;
    cores_join(c, n, ring);
    cores_join(c, n, idle->ring);
}

/* Both vCPUs of a switch ran on one pCPU: where that is not so, the core has further siblings. */
static void check_size(struct cores *c, uint16_t ring, uint32_t out, uint32_t in)
{
    unsigned n = c->of[ring].n;
    uint8_t *misfit = &c->misfit[c->leader[ring]];
    if (n < 2 || cores_pcpu(c, ring, out >> 16, out & 0xffff) == cores_pcpu(c, ring, in >> 16, in & 0xffff))
        return;
    *misfit += *misfit < SWITCHES_SURE;
    if (n < c->too_small)
        return;
    c->too_small = n;
    c->misfits += c->misfits < SWITCHES_SURE;
}

#define ELSEWHERE_SPAN                                                                                       \
    (1ull << 25) /* 14 ms at 2.4 GHz: of two switches in a ring that follow one another soon */

/* The switch follows `last` at once, and not for the ring's own pCPU alone. */
static bool is_together(const struct last_switch *last, uint32_t last_in, uint32_t out, uint64_t tsc)
{
    return last_in != CURRENT_NONE && out != last_in && tsc - last->tsc < SWITCH_SPAN;
}

void cores_odd_switch(struct cores *c, struct stream *s, struct last_switch *last, uint32_t out, uint32_t in,
                      uint64_t tsc)
{
    uint16_t ring = s->pcpu;
    uint32_t last_in = last->in != CURRENT_NONE ? last->in : last->foreign;
    bool at_once = is_together(last, last_in, out, tsc);
    /* A damaged id of the ring's own idle vCPU, between two switches of which the first one was to it. */
    bool may_be_damage = last_in >> 16 == CORES_IDLE_DOMAIN && out >> 16 == CORES_IDLE_DOMAIN;
    const uint32_t named[] = {out, in, last->out, last_in};
    bool sure = at_once && !may_be_damage;
    for (unsigned i = 0; i < (sure ? 4 : 2); i++) {
        unsigned n = idle_of_other(named[i], ring);
        if (n < PCPUS_MAX && c->leader[n] != c->leader[ring])
            name_idle(c, n, ring, sure);
    }
    s->together += at_once && s->together < SWITCHES_SURE;
    /* Between two windows it may also be that another capture was joined on, and after some time that the host slept. */
    bool near = last->sweep == (uint32_t)s->last_sweep && tsc - last->tsc < ELSEWHERE_SPAN;
    bool elsewhere = last_in != CURRENT_NONE && out != last_in && near;
    s->elsewhere += elsewhere && s->elsewhere < SWITCHES_SURE;
    s->missed += last_in != CURRENT_NONE && out != last_in && s->missed < SWITCHES_COUNTED;
    c->ring_shows |= cores_shows(s);
    if (last == &s->last_switch)
        check_size(c, ring, out, in);
    bool foreign = idle_of_other(in, ring) < PCPUS_MAX;
    *last = (struct last_switch){tsc, out, foreign ? CURRENT_NONE : in, foreign ? in : CURRENT_NONE,
                                 (uint32_t)s->last_sweep};
}

void cores_set_shown(struct cores *c, struct stream *s)
{
    s->elsewhere = SWITCHES_SURE;
    c->ring_shows = true;
}

bool cores_missing(const struct cores *c, const struct stream *s)
{
    bool too_small = c->misfit[c->leader[s->pcpu]] >= SWITCHES_SURE;
    return c->of[s->pcpu].n > 1 ? too_small : cores_shows(s);
}

bool cores_may_grow(const struct cores *c, const struct stream *s)
{
    unsigned n = c->of[s->pcpu].n;
    bool too_small = c->misfits >= SWITCHES_SURE && n <= c->too_small;
    return n < c->largest || (n > 1 && too_small) || cores_missing(c, s);
}

void cores_set_partial(struct cores *c, uint16_t pcpu)
{
    const struct core core = c->of[pcpu];
    for (unsigned i = 0; i < (core.n > 1 ? core.n : 1); i++) {
        uint16_t sibling = core.n > 1 ? c->pcpus[core.first + i] : pcpu;
        c->partial_n += !c->partial[sibling];
        c->partial[sibling] = true;
    }
}
