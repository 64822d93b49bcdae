#include "charge_tally.h"

#include "charge_pairs.h"
#include "charge_shares.h"

struct period *charging_find_period(struct charging *c, uint32_t vcpu)
{
    bool interval = c->options.interval_ns > 0;
    struct period **p = &c->vcpus[vcpu].period;
    if (interval)
        p = &charging_driver(c, vcpu)->interval;
    if (!*p)
        *p = charging_new_period(c, vcpu, interval ? c->cut_ns - c->length_ns : c->now_ns);
    return *p;
}

/* The pair's tally, which is not the one that the pair had last, made if there is none yet. */
static __attribute__((noinline)) struct pair_tally *find_tally(struct charging *c, struct period *p,
                                                               uint32_t pair)
{
    struct pair *of = &c->pairs[pair];
    size_t at = 0;
    while (at < p->tallies_n && p->tallies[at].pair != pair)
        at++;
    if (at == p->tallies_n) {
        if (!charging_make_space(c, &p->tallies, &p->tallies_capacity, at + 1, sizeof *p->tallies))
            return NULL;
        p->tallies[p->tallies_n++] = (struct pair_tally){.pair = pair};
    }
    of->hint_serial = p->serial;
    of->hint_index = (uint32_t)at;
    return &p->tallies[at];
}

static inline struct pair_tally *tally_of(struct charging *c, struct period *p, uint32_t pair)
{
    const struct pair *of = &c->pairs[pair];
    return of->hint_serial == p->serial ? &p->tallies[of->hint_index] : find_tally(c, p, pair);
}

static inline void add_saturated(uint32_t *into, uint32_t count)
{
    *into = *into > UINT32_MAX - count ? UINT32_MAX : *into + count;
}

/* Nothing happened in `into` so far: what is tallied in `from` is its. */
static void swap_tallies(struct period *into, struct period *from)
{
    struct period kept = *into;
    into->serial = from->serial; /* pairs find their tallies by it */
    into->tallies = from->tallies;
    into->tallies_n = from->tallies_n;
    into->tallies_capacity = from->tallies_capacity;
    from->tallies = kept.tallies;
    from->tallies_n = 0;
    from->tallies_capacity = kept.tallies_capacity;
}

void charging_merge_period(struct charging *c, struct period *into, struct period *from)
{
    if (into->tallies_n == 0)
        swap_tallies(into, from);
    for (size_t i = 0; i < from->tallies_n; i++) {
        const struct pair_tally *t = &from->tallies[i];
        struct pair_tally *sum = tally_of(c, into, t->pair);
        for (int k = 0; sum && k < IO_TRACE_KINDS; k++) {
            add_saturated(&sum->events[k], t->events[k]);
            add_saturated(&sum->inferred[k], t->inferred[k]);
        }
    }
    if (into->received == 0) {
        into->lead_known = from->lead_known;
        into->lead_ns = from->lead_ns;
    }
    add_saturated(&into->received, from->received);
    into->io = into->io || from->io;
    into->unattributed += from->unattributed;
    charging_clear_period(c, from);
}

void charging_tally_arrival(struct charging *c, uint32_t vcpu, uint32_t pair)
{
    struct period *p = charging_period(c, vcpu);
    struct pair_tally *t = p ? tally_of(c, p, pair) : NULL;
    if (!t)
        return;
    add_saturated(&t->arrived, 1);
    p->arrivals = true;
    if (c->pairs[pair].completed > 0)
        charging_set_awaits(c, pair, true);
}

void charging_tally_event(struct charging *c, const struct io_event *h)
{
    struct period *p = charging_period(c, h->idd_vcpu);
    struct pair_tally *t = p ? tally_of(c, p, h->pair) : NULL;
    if (!t)
        return;
    p->io = true;
    add_saturated(&t->events[h->kind], h->count);
    if (h->inferred)
        add_saturated(&t->inferred[h->kind], h->count);
}

void charging_unattributed(struct charging *c, uint32_t idd_vcpu, uint16_t pcpu, enum io_kind kind,
                           uint32_t count)
{
    c->seen.unassigned[kind] += count;
    c->vcpus[idd_vcpu].io_seen = true;
    uint32_t idd = charging_idd_of_vcpu(c, idd_vcpu);
    c->sink.transition(c->sink.context, &(struct transition){.time_ns = c->now_ns,
                                                             .kind = TRANSITION_IO_UNATTRIBUTED,
                                                             .from = kind & 15,
                                                             .vcpu = idd_vcpu,
                                                             .pcpu = pcpu,
                                                             .value = (uint64_t)idd << 32 | count});
    bool counts = c->idds[idd].methods & charge_method_of_kind[kind] && c->options.weights[kind] > 0;
    struct period *p = counts ? charging_period(c, idd_vcpu) : NULL;
    if (p) {
        p->io = true;
        p->unattributed += count * c->options.weights[kind];
    }
}
