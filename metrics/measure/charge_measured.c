/*
 * Driver domains whose own kernel recorded whose work they did (dom0_trace.h): their running is cut where the owner changes,
 * and each part goes to its owner. It is cut when a slice ends, as the recording is known beforehand.
 */
#include "apportion.h"
#include "charging.h"

#include "metrics/array.h"
#include "metrics/min_max.h"

bool charging_is_measured(const struct charging *c, uint32_t vcpu)
{
    return c->idds[c->incarnations[c->population->vcpus[vcpu].life].idd].measured;
}

/* To whom what an owner does is charged. */
static uint32_t recipient_of(struct charging *c, uint32_t idd, uint32_t owner)
{
    if (owner == WORK_OWN || owner == WORK_SCHED)
        return SHARE_OWN;
    if (owner > UINT16_MAX)
        return SHARE_UNATTRIBUTED;
    uint32_t guest = charging_guest(c, (uint16_t)owner);
    if (guest == c->idds[idd].life)
        return SHARE_OWN;
    if (guest == NOBODY)
        return SHARE_UNATTRIBUTED; /* the trace does not show this domain */
    return charging_pair(c, idd, guest);
}

/* A slice of a vCPU, part by part. */
struct cutting {
    uint32_t vcpu, idd;
    size_t at; /* see dom0_trace_owner */
    uint64_t from_ns, to_ns, end_ns;
    uint32_t owner; /* from from_ns to to_ns */
};

/* The next part, which begins where the last one ends. */
static void next_part(const struct charging *c, struct cutting *t)
{
    uint64_t until_ns;
    t->from_ns = t->to_ns;
    t->owner = dom0_trace_owner(c->options.dom0_trace, &c->clock, c->population->vcpus[t->vcpu].id, &t->at,
                                t->from_ns, &until_ns);
    t->to_ns = min64(until_ns, t->end_ns);
}

static void add_measured(struct charging *c, uint32_t to, uint64_t ns)
{
    size_t i = 0;
    while (i < c->measured_n && c->measured[i].to != to)
        i++;
    struct measured *measured = array_reserve(c->measured, &c->measured_capacity, i + 1, sizeof *measured);
    if (!measured) {
        c->failed = true;
        return;
    }
    c->measured = measured;
    if (i == c->measured_n)
        measured[c->measured_n++] = (struct measured){.to = to};
    measured[i].ns += ns;
}

/* For whom the slice worked, and how long. */
static void sum_up(struct charging *c, struct cutting t)
{
    c->measured_n = 0;
    while (t.to_ns < t.end_ns && !c->failed) {
        next_part(c, &t);
        if (t.owner != WORK_SCHED)
            add_measured(c, recipient_of(c, t.idd, t.owner), t.to_ns - t.from_ns);
    }
}

/* The period of a part, closed, whose time goes to n parties in proportion to `ns`. NULL: no memory. */
static struct period *share_part(struct charging *c, const struct cutting *t, const struct measured *parties,
                                 size_t n)
{
    struct period *p = charging_new_period(c, t->vcpu, t->from_ns);
    if (!p)
        return NULL;
    bool own = n == 1 && parties[0].to == SHARE_OWN, of_guest = n == 1 && parties[0].to < SHARE_UNATTRIBUTED;
    p->ran_ns = t->to_ns - t->from_ns;
    for (size_t i = 0; i < n && !own; i++)
        charging_add_weight(c, p, parties[i].to, (double)parties[i].ns);
    if (own)
        charging_share_own(c, p);
    if (c->failed || p->shares_n == 0)
        return NULL;
    p->shares[0].measured = of_guest;
    p->weights[0] = 1;
    if (p->shares_n > 1)
        apportion_scale(c->real_weights, p->weights, p->shares_n);
    if (of_guest && c->options.spread_own)
        charging_remember(c, p);
    p->closed = true;
    return p;
}

static struct period *period_of(struct charging *c, const struct cutting *t)
{
    if (t->owner == WORK_SCHED && c->options.charge_idle && c->measured_n > 0)
        return share_part(c, t, c->measured, c->measured_n);
    const struct measured one = {recipient_of(c, t->idd, t->owner), 1};
    return c->failed ? NULL : share_part(c, t, &one, 1);
}

/* Cuts the slice `part` into parts, each of which goes to the ledger. The last one; NULL: no memory. */
static struct run_slice *cut_slice(struct charging *c, struct run_slice *part, struct cutting t)
{
    for (;;) {
        next_part(c, &t);
        part->to_ns = t.to_ns;
        part->of_task = true;
        part->period = period_of(c, &t);
        if (!part->period || !charging_append_done(c, part))
            return NULL;
        c->vcpus[t.vcpu].measured_at = t.at;
        if (t.to_ns >= t.end_ns)
            return part;
        uint16_t pcpu = part->pcpu;
        if (!(part = charging_new_slice(c)))
            return NULL;
        *part = (struct run_slice){
            .from_ns = t.to_ns, .vcpu = t.vcpu, .pcpu = pcpu, .next_made = part->next_made};
    }
}

void charging_close_measured(struct charging *c, uint32_t vcpu, uint64_t end_ns)
{
    struct run_slice *slice = c->vcpus[vcpu].slice;
    const struct cutting t = {.vcpu = vcpu,
                              .idd = c->incarnations[c->population->vcpus[vcpu].life].idd,
                              .at = c->vcpus[vcpu].measured_at,
                              .to_ns = slice->from_ns,
                              .end_ns = end_ns};
    bool io_free = slice->io_free;
    c->vcpus[vcpu].slice = NULL;
    slice->io_free = false;
    if (c->options.charge_idle)
        sum_up(c, t);
    struct run_slice *last = c->failed ? NULL : cut_slice(c, slice, t);
    if (last)
        last->io_free = io_free;
    else
        c->failed = true;
}
