/* What a whole trace's charges rest on. */
#include "charging.h"

#include "charge_pairs.h"

static uint64_t counted_events(const struct charging *c, uint32_t device, unsigned kind, uint64_t end_ns)
{
    const struct counters *counters = c->options.counters;
    return counters->devices[device].counts[kind]
               ? counters_whole_between(counters, device, kind, 0, end_ns, &c->clock)
               : 0;
}

/* Whether a device says anything of the trace, and of whom. */
static void summarise_device(const struct charging *c, uint32_t device, uint64_t end_ns,
                             struct charge_summary *s)
{
    const struct counters *counters = c->options.counters;
    const struct counter_device *d = &counters->devices[device];
    struct cpu_time cpu = counters_cpu_between(counters, device, 0, end_ns, &c->clock, UINT32_MAX);
    bool any = cpu.ns > 0 || cpu.impossible_ns > 0;
    for (unsigned k = 0; k < COUNTER_KINDS; k++) {
        uint64_t events = counted_events(c, device, k, end_ns);
        s->events[IO_TX + k] += events;
        any = any || events > 0;
    }
    uint32_t life = population_life(c->population, d->idd);
    bool used = life != NOBODY && charging_idd_of(c, life) != NOBODY;
    s->devices_unused += any && !used;
    s->devices_unknown += any && used && charging_guest(c, d->domain) == NOBODY;
}

void charging_summarise(const struct charging *c, uint64_t end_ns, struct charge_summary *s)
{
    *s = c->seen;
    s->idds = c->idds_n;
    for (size_t i = 0; i < c->idds_n; i++) {
        bool separated = c->idds[i].tasks_seen || c->idds[i].measured;
        s->idds_unseparated += !separated && c->idds[i].own_ppm == 0;
        s->idds_own_given += !separated && c->idds[i].own_ppm > 0;
    }
    s->counted_from_ns = c->counted_from_ns;
    s->counted_to_ns = c->counted_to_ns;
    for (uint32_t d = 0; s->counted && d < c->options.counters->devices_n; d++)
        summarise_device(c, d, end_ns, s);
    unsigned in_force = 0;
    bool automatic = charge_methods_are_automatic(c->options.methods);
    for (size_t i = 0; i < c->idds_n; i++) {
        in_force |= c->idds[i].methods;
        s->measured = s->measured || c->idds[i].measured;
    }
    s->methods |= in_force & CHARGE_THREADS;
    if (c->options.dom0_trace)
        dom0_trace_span(c->options.dom0_trace, &c->clock, &s->measured_from_ns, &s->measured_to_ns);
    for (int kind = 0; kind < IO_KINDS; kind++) {
        bool any = s->events[kind] || (kind < IO_TRACE_KINDS && s->unassigned[kind]);
        s->methods |= any || !automatic ? in_force & charge_method_of_kind[kind] : 0;
    }
}
