/*
 * Which events charge a driver domain, where that is left to what is there: those of the trace where records tell its tasks
 * apart, else packets, if they were counted. The first execution of a driver domain can end before its kernel has switched
 * tasks: executions wait until it has, or until open periods end, at most CHARGE_SLICE_NS later.
 */
#include "charging.h"

#include "metrics/array.h"
#include "metrics/min_max.h"

void charging_begin_choice(struct charging *c, uint32_t idd)
{
    struct idd *d = &c->idds[idd];
    d->undecided = d->counted && !d->measured && charge_by_task(&c->options) &&
                   charge_methods_are_automatic(c->options.methods);
    if (d->undecided)
        d->methods = charging_methods(c, false, d->methods & CHARGE_THREADS);
}

void charging_wait_for_choice(struct charging *c, struct period *p, uint64_t to_ns)
{
    struct waiting_period *waiting =
        array_reserve(c->waiting, &c->waiting_capacity, c->waiting_n + 1, sizeof *waiting);
    if (!waiting) {
        c->failed = true;
        return;
    }
    c->waiting = waiting;
    c->waiting[c->waiting_n++] = (struct waiting_period){p, to_ns};
    p->references++;
}

/* The driver domain is decided: its periods that wait are over. */
static void close_waiting(struct charging *c, uint32_t idd)
{
    size_t left = 0, n = c->waiting_n;
    for (size_t i = 0; i < n; i++) {
        struct waiting_period w = c->waiting[i];
        if (w.period->idd != idd) {
            c->waiting[left++] = w;
            continue;
        }
        charging_close_period(c, w.period, w.to_ns);
        charging_release_period(c, w.period);
    }
    c->waiting_n = left;
}

void charging_choose_tasks(struct charging *c, uint32_t idd)
{
    c->idds[idd].undecided = false;
    close_waiting(c, idd);
}

static bool has_run(const struct charging *c, uint32_t idd)
{
    bool any = false;
    for (size_t i = 0; i < c->waiting_n; i++)
        any = any || c->waiting[i].period->idd == idd;
    return any;
}

/* Packets charge it from the beginning: events of the trace have no say, whoever they were for. */
static void choose_packets(struct charging *c, uint32_t idd)
{
    struct idd *d = &c->idds[idd];
    d->undecided = false;
    d->methods = charging_methods(c, true, d->methods & CHARGE_THREADS);
    for (size_t i = 0; i < c->waiting_n; i++)
        if (c->waiting[i].period->idd == idd)
            c->waiting[i].period->unattributed = 0;
    for (size_t v = 0; v < c->vcpus_n; v++)
        if (c->vcpus[v].period && c->vcpus[v].period->idd == idd)
            c->vcpus[v].period->unattributed = 0;
    close_waiting(c, idd);
}

void charging_choose_executions(struct charging *c)
{
    for (uint32_t idd = 0; c->waiting_n > 0 && idd < c->idds_n; idd++)
        if (c->idds[idd].undecided && has_run(c, idd))
            choose_packets(c, idd);
}

uint64_t charging_waiting_since(const struct charging *c)
{
    uint64_t since_ns = UINT64_MAX;
    for (size_t i = 0; i < c->waiting_n; i++)
        since_ns = min64(since_ns, c->waiting[i].period->from_ns);
    return since_ns;
}
