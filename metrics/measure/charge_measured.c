/*
 * Driver domains whose own kernel recorded whose work they did (dom0_trace.h): their running is cut where the owner changes,
 * and each part goes to its owner. It is cut when a slice ends, as the recording is known beforehand.
 */
#include "charging.h"

#include "metrics/min_max.h"

bool charging_is_measured(const struct charging *c, uint32_t vcpu)
{
    return c->idds[c->incarnations[c->population->vcpus[vcpu].life].idd].measured;
}

/* To whom what an owner does is charged. */
static uint32_t recipient_of(struct charging *c, uint32_t idd, uint32_t owner)
{
    if (owner == WORK_OWN)
        return SHARE_OWN;
    if (owner > UINT16_MAX)
        return SHARE_UNATTRIBUTED;
    uint32_t guest = population_life(c->population, (uint16_t)owner);
    if (guest == c->idds[idd].life)
        return SHARE_OWN;
    if (guest == NOBODY || guest >= c->incarnations_n)
        return SHARE_UNATTRIBUTED; /* the trace does not show this domain */
    return charging_pair(c, idd, guest);
}

/* The part of a slice that begins at from_ns, and where it ends. False: no memory. */
static bool measure_part(struct charging *c, struct run_slice *part, uint64_t end_ns)
{
    struct charging_vcpu *v = &c->vcpus[part->vcpu];
    const struct vcpu_identity *vcpu = &c->population->vcpus[part->vcpu];
    uint32_t idd = c->incarnations[vcpu->life].idd;
    uint64_t until_ns;
    uint32_t owner = dom0_trace_owner(c->options.dom0_trace, &c->clock, vcpu->id, &v->measured_at,
                                      part->from_ns, &until_ns);
    part->to_ns = min64(until_ns, end_ns);
    uint32_t to = recipient_of(c, idd, owner);
    part->period = c->failed ? NULL : charging_measured_period(c, idd, to, part->from_ns, part->to_ns);
    return part->period && charging_append_done(c, part);
}

void charging_close_measured(struct charging *c, uint32_t vcpu, uint64_t end_ns)
{
    struct run_slice *part = c->vcpus[vcpu].slice, *next;
    bool io_free = part->io_free;
    c->vcpus[vcpu].slice = NULL;
    part->io_free = false;
    part->of_task = true;
    while (measure_part(c, part, end_ns)) {
        if (part->to_ns >= end_ns) {
            part->io_free = io_free;
            return;
        }
        if (!(next = charging_new_slice(c)))
            break;
        *next = (struct run_slice){.from_ns = part->to_ns,
                                   .vcpu = vcpu,
                                   .pcpu = part->pcpu,
                                   .of_task = true,
                                   .next_made = next->next_made};
        part = next;
    }
    c->failed = true;
}
