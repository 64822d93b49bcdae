#include "charge_shares.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "charge_pairs.h"

/* ---- periods ---- */

struct period *charging_make_period(struct charging *c, uint32_t idd, uint64_t from_ns)
{
    struct period *p = pool_take(&c->periods, sizeof *p, &c->memory);
    if (!p) {
        c->failed = true;
        return NULL;
    }
    memset(&p->tallies_n, 0, sizeof *p - offsetof(struct period, tallies_n));
    p->serial = ++c->serial;
    p->idd = idd;
    p->references = 1;
    p->from_ns = from_ns;
    return p;
}

void charging_clear_period(struct charging *c, struct period *p)
{
    p->serial = ++c->serial;
    p->io = p->arrivals = p->estimated = false;
    p->received = 0;
    p->unattributed = 0;
    p->tallies_n = 0;
}

void charging_hold(struct charging *c, struct held_periods *held, struct period *p, uint64_t to_ns)
{
    if (!charging_make_space(c, &held->at, &held->capacity, held->n + 1, sizeof *held->at))
        return;
    held->at[held->n++] = (struct held_period){p, to_ns};
    p->references++;
}

/* ---- shares ---- */

/* Room for one more share. False: no memory. */
static bool grow_shares(struct charging *c, struct period *p)
{
    size_t n = p->shares_n + 1;
    return charging_make_space(c, &p->shares, &p->shares_capacity, n, sizeof *p->shares) &&
           charging_make_space(c, &p->weights, &p->weights_capacity, n, sizeof *p->weights) &&
           charging_make_space(c, &c->real_weights, &c->real_capacity, n, sizeof *c->real_weights);
}

struct share *charging_add_share(struct charging *c, struct period *p, uint32_t to, double weight)
{
    bool full = p->shares_n >= p->weights_capacity || p->shares_n >= c->real_capacity;
    if (full && !grow_shares(c, p))
        return NULL;
    c->real_weights[p->shares_n] = weight;
    struct share *s = &p->shares[p->shares_n++];
    *s = (struct share){.to = to};
    return s;
}

void charging_add_share_by(struct charging *c, struct period *p, uint32_t pair, enum io_kind kind,
                           double weight, bool inferred)
{
    struct share *s = charging_add_share(c, p, pair, weight);
    if (!s)
        return;
    s->by_kind[kind] = 1;
    s->inferred = inferred;
    s->grounded = true;
}

struct share *charging_share_of(struct charging *c, struct period *p, uint32_t to)
{
    for (size_t i = 0; i < p->shares_n; i++)
        if (p->shares[i].to == to)
            return &p->shares[i];
    return charging_add_share(c, p, to, 0);
}

void charging_add_weight(struct charging *c, struct period *p, uint32_t to, double weight)
{
    struct share *s = charging_share_of(c, p, to);
    if (s)
        c->real_weights[s - p->shares] += weight;
}

void charging_share_recent(struct charging *c, struct period *p)
{
    const struct indices *pairs = &c->idds[p->idd].pairs;
    for (size_t i = 0; i < pairs->n; i++)
        if (c->pairs[pairs->at[i]].charged > 0)
            charging_add_share(c, p, pairs->at[i], c->pairs[pairs->at[i]].charged);
}

void charging_share_own(struct charging *c, struct period *p)
{
    if (c->options.spread_own && !p->partial)
        charging_share_recent(c, p);
    if (p->shares_n == 0)
        charging_add_share(c, p, p->partial ? SHARE_UNATTRIBUTED : SHARE_OWN, 1);
}

double charging_sum_real(const struct charging *c, const struct period *p)
{
    double sum = 0;
    for (size_t i = 0; i < p->shares_n; i++)
        sum += c->real_weights[i];
    return sum;
}

void charging_remember(struct charging *c, const struct period *p)
{
    double sum = charging_sum_real(c, p), scale = charging_scale(c);
    for (size_t i = 0; i < p->shares_n; i++)
        if (p->shares[i].to < SHARE_UNATTRIBUTED)
            c->pairs[p->shares[i].to].charged += (double)p->ran_ns * scale * c->real_weights[i] / sum;
}

double charging_sum_weights(const struct period *p)
{
    double sum = 0;
    for (size_t i = 0; i < p->shares_n; i++)
        sum += (double)p->weights[i];
    return sum;
}

bool charging_restore_weights(struct charging *c, const struct period *p)
{
    return charging_make_space(c, &c->real_weights, &c->real_capacity, p->shares_n, sizeof *c->real_weights);
}

void charging_add_sum(struct charging *c, struct share_sums *s, uint32_t to, double ns)
{
    size_t i = 0;
    while (i < s->n && s->at[i].to != to)
        i++;
    if (!charging_make_space(c, &s->at, &s->capacity, i + 1, sizeof *s->at))
        return;
    if (i == s->n)
        s->at[s->n++] = (struct share_sum){.to = to};
    s->at[i].ns += ns;
}

/* ---- slices ---- */

struct run_slice *charging_new_slice(struct charging *c, uint32_t vcpu, uint16_t pcpu, uint64_t from_ns)
{
    struct run_slice *slice = pool_take(&c->slices, sizeof *slice, &c->memory);
    if (slice)
        *slice =
            (struct run_slice){.in_pool = slice->in_pool, .from_ns = from_ns, .vcpu = vcpu, .pcpu = pcpu};
    c->failed = c->failed || !slice;
    return slice;
}

void charging_append_done(struct charging *c, struct run_slice *slice)
{
    if (charging_make_space(c, &c->done, &c->done_capacity, c->done_n + 1, sizeof(struct run_slice *)))
        c->done[c->done_n++] = slice;
}

void charging_pass_on_slices(struct charging *c, struct period *p)
{
    for (struct run_slice *s = p->first; s && !c->failed; s = s->next_waiting)
        charging_append_done(c, s);
    p->first = NULL;
}

struct run_slice *charging_split_slice(struct charging *c, uint32_t vcpu, uint64_t to_ns)
{
    struct run_slice *part = c->vcpus[vcpu].slice;
    struct run_slice *rest = charging_new_slice(c, vcpu, part->pcpu, to_ns);
    if (!rest)
        return NULL;
    c->vcpus[vcpu].slice = rest;
    part->to_ns = to_ns;
    part->of_task = true;
    return part;
}

/* The slice is the period's, and waits for it. */
static void wait_for_period(const struct charging *c, struct run_slice *slice, struct period *p,
                            uint64_t to_ns)
{
    slice->period = p;
    slice->of_task = true;
    p->references++;
    charging_end_in_period(c, slice, to_ns);
    if (p->first)
        p->last->next_waiting = slice;
    else
        p->first = slice;
    p->last = slice;
}

void charging_part_slice(struct charging *c, uint32_t vcpu, uint64_t to_ns, struct period *p)
{
    struct run_slice *part = charging_split_slice(c, vcpu, to_ns);
    if (part)
        wait_for_period(c, part, p, to_ns);
}

/* A closed period that is all own work of the vCPU's driver domain. NULL: no memory. */
static struct period *own_period(struct charging *c, uint32_t vcpu)
{
    struct period *p = charging_new_period(c, vcpu, 0);
    if (!p || !charging_add_share(c, p, SHARE_OWN, 1))
        return NULL;
    charging_set_weights(c, p);
    p->closed = true;
    return p;
}

void charging_part_own(struct charging *c, uint32_t vcpu, uint64_t to_ns)
{
    struct idd *d = charging_driver(c, vcpu);
    struct run_slice *part = charging_split_slice(c, vcpu, to_ns);
    if (part && !d->own)
        d->own = own_period(c, vcpu);
    if (!part || !d->own)
        return;
    part->period = d->own;
    d->own->references++;
    charging_append_done(c, part);
}

void charging_end_slice(struct charging *c, uint32_t vcpu, struct period *p)
{
    struct run_slice *slice = c->vcpus[vcpu].slice;
    c->vcpus[vcpu].slice = NULL;
    wait_for_period(c, slice, p, c->now_ns);
}

void charging_free_periods(struct charging *c)
{
    struct period *p;
    struct run_slice *s;
    while ((s = pool_remove(&c->slices)))
        free(s);
    while ((p = pool_remove(&c->periods))) {
        free(p->tallies);
        free(p->shares);
        free(p->weights);
        free(p);
    }
    free(c->real_weights);
    free(c->done);
}
