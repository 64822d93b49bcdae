#include "charge_weigh.h"

#include "charge_pairs.h"
#include "charge_shares.h"
#include "charge_softirqs.h"
#include "thread_times.h"

/* The pair's weight in the period, from what the trace has. */
static void weigh_tally(struct charging *c, struct period *p, const struct pair_tally *t)
{
    double weight = 0, inferred = 0, by_kind[IO_TRACE_KINDS];
    unsigned methods = c->idds[p->idd].methods;
    for (int k = 0; k < IO_TRACE_KINDS; k++) {
        by_kind[k] = 0;
        if (t->events[k] == 0 || !(methods & charge_method_of_kind[k]))
            continue;
        by_kind[k] = c->options.weights[k] * t->events[k];
        weight += by_kind[k];
        inferred += c->options.weights[k] * t->inferred[k];
    }
    struct share *s = weight > 0 ? charging_add_share(c, p, t->pair, weight) : NULL;
    for (int k = 0; s && k < IO_TRACE_KINDS; k++)
        if (by_kind[k] > 0)
            s->by_kind[k] = (float)(by_kind[k] / weight);
    if (!s)
        return;
    s->inferred = p->estimated ? 1 : (float)(inferred / weight);
    s->grounded = true;
}

/* What the outside counters of one device add. */
static void weigh_device(struct charging *c, struct period *p, uint32_t device, uint64_t to_ns)
{
    const struct counters *counters = c->options.counters;
    const struct counter_device *d = &counters->devices[device];
    uint32_t guest = charging_guest(c, d->domain), idd_life = c->idds[p->idd].life;
    if (c->population->incarnations[idd_life].domain != d->idd || guest == idd_life)
        return;
    double added = 0, by_kind[COUNTER_KINDS];
    for (unsigned k = 0; k < COUNTER_KINDS; k++) {
        double events =
            d->counts[k] ? counters_between(counters, device, k, p->from_ns, to_ns, &c->clock) : 0;
        added += by_kind[k] = events * c->options.weights[IO_TX + k];
    }
    if (added <= 0)
        return;
    if (guest == NOBODY) {
        p->unattributed += added; /* the trace does not show this domain */
        return;
    }
    uint32_t pair = charging_pair(c, p->idd, guest);
    struct share *s = pair == NOBODY ? NULL : charging_share_of(c, p, pair);
    if (!s)
        return;
    double before = c->real_weights[s - p->shares], after = before + added;
    for (unsigned k = 0; k < IO_KINDS; k++)
        s->by_kind[k] = (float)((s->by_kind[k] * before + (k < IO_TX ? 0 : by_kind[k - IO_TX])) / after);
    s->inferred = (float)(s->inferred * before / after);
    s->grounded = true;
    c->real_weights[s - p->shares] = after;
}

/* What part of the period is not covered by the outside counters, if these are what the methods look at. */
static double uncovered(const struct charging *c, const struct period *p, uint64_t to_ns)
{
    const struct idd *d = &c->idds[p->idd];
    if (!(d->methods & CHARGE_PACKETS) || !c->options.counters)
        return 0;
    if (!d->counted)
        return 1;
    int64_t from = (int64_t)p->from_ns, to = (int64_t)to_ns;
    int64_t first = from > c->counted_from_ns ? from : c->counted_from_ns;
    int64_t last = to < c->counted_to_ns ? to : c->counted_to_ns;
    return last > first ? 1 - (double)(last - first) / (double)(to - from) : to > from ? 1 : 0;
}

/* An interrupt without I/O: its time is that of the guests that notified, and half of it the idle loop's if that slept. */
static void weigh_arrivals(struct charging *c, struct period *p)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < p->tallies_n; i++) {
        const struct pair_tally *t = &p->tallies[i];
        if (t->arrived)
            charging_add_share_by(c, p, t->pair, IO_NOTIFY, t->arrived, false);
        sum += t->arrived;
    }
    if (p->half_own)
        charging_add_share(c, p, SHARE_OWN, (double)sum);
}

/*
 * A kernel thread without I/O, while guests wait whose disk requests end without an unmap: each has a thread of its own, and
 * the one that has waited longest is served first.
 */
static void weigh_awaiting(struct charging *c, struct period *p)
{
    const struct idd *d = &c->idds[p->idd];
    if (d->awaiting.n == 0) {
        p->doubt = d->serves_unmarked ? DOUBT_UNMARKED : DOUBT_NONE;
        return;
    }
    uint32_t pair = d->awaiting.at[0];
    charging_add_share_by(c, p, pair, IO_NOTIFY, 1, true);
    charging_set_awaits(c, pair, false);
}

/* As another period, which is weighed. */
static void weigh_alike(struct charging *c, struct period *p)
{
    for (size_t i = 0; i < p->like->shares_n; i++) {
        const struct share *from = &p->like->shares[i];
        struct share *s = charging_add_share(c, p, from->to, (double)p->like->weights[i]);
        if (!s)
            return;
        *s = *from;
        s->inferred = 1;
    }
    p->like = NULL;
}

/* By its events and what was counted outside. */
static void weigh_events(struct charging *c, struct period *p, uint64_t to_ns)
{
    for (size_t i = 0; i < p->tallies_n; i++)
        weigh_tally(c, p, &p->tallies[i]);
    if (c->idds[p->idd].methods & CHARGE_PACKETS && c->options.counters)
        for (uint32_t d = 0; d < c->options.counters->devices_n; d++)
            weigh_device(c, p, d, to_ns);
    bool charged = p->shares_n > 0;
    double sum = p->unattributed, missing = uncovered(c, p, to_ns);
    for (size_t i = 0; i < p->shares_n; i++)
        sum += c->real_weights[i];
    /* Time in which nothing was counted is as much of the sum as it is of the period. */
    double unattributed = p->unattributed;
    if (missing > 0)
        unattributed += missing >= 1 ? (sum > 0 ? 0 : 1) : sum * missing / (1 - missing);
    if (unattributed > 0)
        charging_add_share(c, p, SHARE_UNATTRIBUTED, unattributed);
    else if (!charged && missing > 0)
        charging_add_share(c, p, SHARE_UNATTRIBUTED, 1);
}

static void weigh_softirq(struct charging *c, struct period *p, uint64_t to_ns)
{
    weigh_events(c, p, to_ns);
    if (p->shares_n > 0)
        softirq_share(c, p);
}

/* By whose task it was, else by its events. */
static void weigh_task(struct charging *c, struct period *p, uint64_t to_ns)
{
    bool notices = c->idds[p->idd].methods & CHARGE_NOTIFICATIONS && c->options.weights[IO_NOTIFY] > 0;
    if (p->like)
        weigh_alike(c, p);
    else if (p->unfollowed)
        softirq_share_unfollowed(c, p);
    else if (p->io)
        weigh_softirq(c, p, to_ns);
    else if (p->arrivals && notices)
        weigh_arrivals(c, p);
    else if (p->of_thread && notices)
        weigh_awaiting(c, p);
    if (p->shares_n > 0 || !(p->io || p->arrivals))
        return;
    charging_share_recent(c, p); /* I/O without any event that the methods look at */
    if (p->shares_n == 0)
        charging_add_share(c, p, SHARE_UNATTRIBUTED, 1);
}

/* Whether the recent charges are of use. */
static bool remembers(const struct charging *c, const struct period *p)
{
    const unsigned all = CHARGE_GRANTS | CHARGE_COPIES | CHARGE_TRANSFERS | CHARGE_NOTIFICATIONS;
    return c->options.spread_own || (c->idds[p->idd].tasks_seen && (c->idds[p->idd].methods & all) != all);
}

void charging_weigh_period(struct charging *c, struct period *p, uint64_t to_ns)
{
    if (c->idds[p->idd].tasks_seen && c->options.interval_ns == 0)
        weigh_task(c, p, to_ns);
    else
        weigh_events(c, p, to_ns);
    bool charged = p->shares_n > 0;
    if (p->shares_n == 0)
        charging_share_own(c, p);
    if (c->failed)
        return;
    charging_set_weights(c, p);
    if (charged && remembers(c, p))
        charging_remember(c, p);
    thread_times_settle(c, p);
    charging_pass_on_slices(c, p);
}
