#include "charge_slices.h"

#include "charge_shares.h"

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

void charging_part_own(struct charging *c, uint32_t vcpu, uint64_t to_ns)
{
    struct idd *d = charging_driver(c, vcpu);
    struct run_slice *part = charging_split_slice(c, vcpu, to_ns);
    if (part && !d->own)
        d->own = charging_own_period(c, vcpu);
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
