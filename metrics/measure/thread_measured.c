/* CPU times as they were read: which of them belong to a stretch, and which are believed. */
#include <math.h>
#include <string.h>

#include "charge_pairs.h"
#include "metrics/min_max.h"
#include "thread_state.h"

#define LATE_NS  20000000u /* a kernel counts what a vCPU's thread runs when it stops, or at its next tick */
#define TOO_MUCH 1.02      /* clocks, and moments of readings, differ a little */

/* ---- what was measured ---- */

uint32_t thread_device_idd(const struct charging *c, uint32_t device)
{
    uint32_t life = population_life(c->population, c->options.counters->devices[device].idd);
    return life == NOBODY ? NOBODY : charging_idd_of(c, life);
}

bool thread_device_is_guests(const struct charging *c, uint32_t device)
{
    const struct counter_device *d = &c->options.counters->devices[device];
    return d->domain != d->idd;
}

/* Adds what threads for a domain ran. */
static void add_guest_time(struct charging *c, uint32_t idd, uint16_t domain, double ns)
{
    uint32_t guest = charging_guest(c, domain);
    if (guest == NOBODY) {
        c->threads->idds[idd].unknown_ns += ns; /* the trace does not show this domain */
        return;
    }
    bool charges = ns > 0 && c->threads->held.n > 0;
    uint32_t pair = charges ? charging_pair(c, idd, guest) : NOBODY;
    struct of_party *p = pair == NOBODY ? NULL : thread_times_pair(c, pair);
    if (p)
        p->measured_ns += ns;
}

/* How many vCPUs of it the trace shows. */
static uint32_t vcpus_of(const struct charging *c, uint32_t idd)
{
    return c->population->incarnations[c->idds[idd].life].population;
}

/* Adds what one device measured in the stretch. */
static void add_device(struct charging *c, uint32_t device, uint64_t to_ns)
{
    const struct counter_device *of = &c->options.counters->devices[device];
    uint32_t idd = thread_device_idd(c, device);
    struct of_idd *d = idd == NOBODY ? NULL : thread_times_idd(c, idd);
    if (!d)
        return;
    struct cpu_time t = counters_cpu_between(c->options.counters, device, c->threads->from_ns, to_ns,
                                             &c->clock, vcpus_of(c, idd));
    if (thread_device_is_guests(c, device)) {
        d->impossible_ns = max64(d->impossible_ns, t.impossible_ns);
        add_guest_time(c, idd, of->domain, t.ns);
    } else if (strcmp(of->name, "irq") == 0 || strcmp(of->name, "softirq") == 0) {
        d->impossible_ns = max64(d->impossible_ns, t.impossible_ns);
        d->interrupts_ns += t.ns;
        d->interrupts_known = t.impossible_ns == 0 && counters_cover(c->options.counters, device,
                                                                     c->threads->from_ns, to_ns, &c->clock);
    }
}

void thread_measured_add(struct charging *c, uint64_t to_ns)
{
    for (size_t i = 0; i < c->threads->devices_n; i++)
        add_device(c, c->threads->devices[i], to_ns);
}

/* ---- what is believed ---- */

/* The least that threads of all guests ran in a part of the trace's time. */
static double least_measured(const struct charging *c, uint32_t idd, uint64_t from_ns, uint64_t to_ns)
{
    const struct thread_times *m = c->threads;
    double least_ns = 0;
    for (size_t i = 0; i < m->devices_n; i++)
        if (thread_device_is_guests(c, m->devices[i]) && thread_device_idd(c, m->devices[i]) == idd)
            least_ns += counters_cpu_between(c->options.counters, m->devices[i], from_ns, to_ns, &c->clock,
                                             vcpus_of(c, idd))
                            .least_ns;
    return least_ns;
}

void thread_measured_doubt(struct charging *c, uint32_t idd, uint64_t to_ns, bool last)
{
    struct of_idd *d = &c->threads->idds[idd];
    struct thread_window w;
    const struct idd *of = &c->idds[idd];
    if (!thread_limit_end(&d->limit, to_ns, last, &w))
        return;
    double late_ns = (double)LATE_NS * vcpus_of(c, idd);
    double beyond_ns = least_measured(c, idd, w.from_ns, w.to_ns) - (double)w.could_ns * TOO_MUCH;
    d->beyond_ns = fmax(0, d->beyond_ns + beyond_ns);
    if (d->beyond_ns <= late_ns)
        return;
    d->beyond_ns = late_ns; /* what was not believed is over */
    d->impossible_ns = w.to_ns - w.from_ns;
    d->unknown_ns = 0;
    d->interrupts_known = false;
    for (size_t i = 0; i < of->pairs.n; i++)
        c->threads->pairs[of->pairs.at[i]].measured_ns = 0;
}
