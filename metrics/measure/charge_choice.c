#include "charge_choice.h"

#include "charge_shares.h"
#include "charge_weigh.h"
#include "idle_share.h"
#include "metrics/min_max.h"
#include "thread_times.h"

/* Those for a driver domain whose packets and requests are counted from outside, or not; and CPU times, or not. */
static unsigned methods_of(const struct charging *c, bool counted, bool measured)
{
    unsigned methods = c->options.methods ? c->options.methods : CHARGE_AUTO;
    unsigned threads = measured && methods & (CHARGE_AUTO | CHARGE_THREADS) ? CHARGE_THREADS : 0;
    methods &= ~(unsigned)CHARGE_THREADS;
    if (methods && !(methods & CHARGE_AUTO))
        return methods | threads;
    return (counted ? CHARGE_PACKETS
                    : CHARGE_GRANTS | CHARGE_COPIES | CHARGE_TRANSFERS | CHARGE_NOTIFICATIONS) |
           threads;
}

void charging_begin_choice(struct charging *c, uint32_t idd)
{
    struct idd *d = &c->idds[idd];
    bool threads = thread_times_has(c, (uint16_t)c->population->incarnations[d->life].domain);
    d->undecided = d->counted && !d->measured && charge_by_task(&c->options) &&
                   charge_methods_are_automatic(c->options.methods);
    d->methods = d->measured ? 0 : methods_of(c, d->counted && !d->undecided, threads);
}

void charging_close_period(struct charging *c, struct period *p, uint64_t to_ns)
{
    if (c->idds[p->idd].undecided)
        charging_hold(c, &c->waiting, p, to_ns);
    else
        charging_weigh_period(c, p, to_ns);
}

void charging_end_period(struct charging *c, uint32_t vcpu, struct period *p, uint64_t to_ns)
{
    if (c->options.charge_idle)
        idle_share_join(c, vcpu, p);
    charging_close_period(c, p, to_ns);
    charging_release_period(c, p);
}

/* The driver domain is decided: its periods that wait are over. */
static void close_waiting(struct charging *c, uint32_t idd)
{
    size_t left = 0, n = c->waiting.n;
    for (size_t i = 0; i < n; i++) {
        struct held_period w = c->waiting.at[i];
        if (w.period->idd != idd) {
            c->waiting.at[left++] = w;
            continue;
        }
        charging_weigh_period(c, w.period, w.to_ns);
        charging_release_period(c, w.period);
    }
    c->waiting.n = left;
}

void charging_choose_tasks(struct charging *c, uint32_t idd)
{
    struct idd *d = &c->idds[idd];
    if (d->undecided) {
        d->undecided = false;
        close_waiting(c, idd);
    }
    d->tasks_seen = true;
    /* What tasks did is better evidence than packets, which tell of no moment. */
    if (charge_methods_are_automatic(c->options.methods))
        d->methods = methods_of(c, false, d->methods & CHARGE_THREADS);
}

static bool has_run(const struct charging *c, uint32_t idd)
{
    bool any = false;
    for (size_t i = 0; i < c->waiting.n; i++)
        any = any || c->waiting.at[i].period->idd == idd;
    return any;
}

/* Packets charge it from the beginning: events of the trace have no say, whoever they were for. */
static void choose_packets(struct charging *c, uint32_t idd)
{
    struct idd *d = &c->idds[idd];
    d->undecided = false;
    d->methods = methods_of(c, true, d->methods & CHARGE_THREADS);
    for (size_t i = 0; i < c->waiting.n; i++)
        if (c->waiting.at[i].period->idd == idd)
            c->waiting.at[i].period->unattributed = 0;
    for (size_t v = 0; v < c->vcpus_n; v++)
        if (c->vcpus[v].period && c->vcpus[v].period->idd == idd)
            c->vcpus[v].period->unattributed = 0;
    close_waiting(c, idd);
}

void charging_choose_executions(struct charging *c)
{
    for (uint32_t idd = 0; c->waiting.n > 0 && idd < c->idds_n; idd++)
        if (c->idds[idd].undecided && has_run(c, idd))
            choose_packets(c, idd);
}

uint64_t charging_waiting_since(const struct charging *c)
{
    uint64_t since_ns = UINT64_MAX;
    for (size_t i = 0; i < c->waiting.n; i++)
        since_ns = min64(since_ns, c->waiting.at[i].period->from_ns);
    return since_ns;
}

bool charging_lacks_tasks(const struct charging *c)
{
    bool told = false;
    for (size_t i = 0; i < c->idds_n; i++)
        told = told || c->idds[i].tasks_seen || c->idds[i].measured;
    return c->options.charge_idle && c->idds_n > 0 && !told;
}
