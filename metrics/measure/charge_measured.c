#include "charge_measured.h"

#include "charge_pairs.h"
#include "charge_shares.h"
#include "metrics/min_max.h"

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

/* For whom the slice worked, and how long. */
static void sum_up(struct charging *c, struct cutting t)
{
    while (t.to_ns < t.end_ns && !c->failed) {
        next_part(c, &t);
        if (t.owner != WORK_SCHED)
            charging_add_sum(c, &c->measured, recipient_of(c, t.idd, t.owner), (double)(t.to_ns - t.from_ns));
    }
}

/* The period of a part, closed, whose time goes to n parties in proportion to their `ns`. NULL: no memory. */
static struct period *share_part(struct charging *c, const struct cutting *t, const struct share_sum *parties,
                                 size_t n)
{
    struct period *p = charging_make_period(c, t->idd, t->from_ns);
    if (!p)
        return NULL;
    bool own = n == 1 && parties[0].to == SHARE_OWN, of_guest = n == 1 && parties[0].to < SHARE_UNATTRIBUTED;
    p->ran_ns = t->to_ns - t->from_ns;
    for (size_t i = 0; i < n && !own; i++)
        charging_add_weight(c, p, parties[i].to, parties[i].ns);
    if (own)
        charging_share_own(c, p);
    if (c->failed)
        return NULL;
    p->shares[0].measured = of_guest;
    charging_set_weights(c, p);
    if (of_guest && c->options.spread_own)
        charging_remember(c, p);
    p->closed = true;
    return p;
}

static struct period *period_of(struct charging *c, const struct cutting *t)
{
    if (t->owner == WORK_SCHED && c->options.charge_idle && c->measured.n > 0)
        return share_part(c, t, c->measured.at, c->measured.n);
    const struct share_sum one = {recipient_of(c, t->idd, t->owner), 1};
    return c->failed ? NULL : share_part(c, t, &one, 1);
}

/* Cuts the vCPU's slice into parts, each of which goes to the ledger. The last one; NULL: no memory. */
static struct run_slice *cut_slice(struct charging *c, struct cutting t)
{
    struct charging_vcpu *v = &c->vcpus[t.vcpu];
    struct run_slice *part;
    do {
        next_part(c, &t);
        struct period *p = period_of(c, &t);
        if (!p || !(part = t.to_ns < t.end_ns ? charging_split_slice(c, t.vcpu, t.to_ns) : v->slice))
            return NULL;
        part->period = p;
        v->measured_at = t.at;
        charging_append_done(c, part);
    } while (t.to_ns < t.end_ns);
    part->to_ns = t.to_ns;
    part->of_task = true;
    return part;
}

void charging_close_measured(struct charging *c, uint32_t vcpu, uint64_t end_ns)
{
    struct run_slice *slice = c->vcpus[vcpu].slice;
    const struct cutting t = {.vcpu = vcpu,
                              .idd = charging_idd_of_vcpu(c, vcpu),
                              .at = c->vcpus[vcpu].measured_at,
                              .to_ns = slice->from_ns,
                              .end_ns = end_ns};
    bool io_free = slice->io_free;
    slice->io_free = false;
    c->measured.n = 0;
    if (c->options.charge_idle)
        sum_up(c, t);
    struct run_slice *last = c->failed ? NULL : cut_slice(c, t);
    c->vcpus[vcpu].slice = NULL;
    if (last)
        last->io_free = io_free;
}
