/* Periods: what happens in one is tallied, and when it is over its time is shared out. See charge.h. */
#include <math.h>
#include <stdlib.h>

#include "apportion.h"
#include "metrics/array.h"
#include "charging.h"

/* Weights in units of one page copied. A notification stands for the request or packet that it announces. */
const double charge_default_weights[IO_KINDS] = {
    [IO_MAP] = 1,  [IO_UNMAP] = 1, [IO_TRANSFER] = 1, [IO_NOTIFY] = 8, [IO_COPY] = 1,
    [IO_TX] = 1.0, [IO_RX] = 1.1,  [IO_READ] = 1,     [IO_WRITE] = 1};

const enum charge_method charge_method_of_kind[IO_KINDS] = {
    [IO_MAP] = CHARGE_GRANTS,           [IO_UNMAP] = CHARGE_GRANTS, [IO_TRANSFER] = CHARGE_TRANSFERS,
    [IO_NOTIFY] = CHARGE_NOTIFICATIONS, [IO_COPY] = CHARGE_COPIES,  [IO_TX] = CHARGE_PACKETS,
    [IO_RX] = CHARGE_PACKETS,           [IO_READ] = CHARGE_PACKETS, [IO_WRITE] = CHARGE_PACKETS};

unsigned charging_methods(const struct charging *c, bool counted, bool measured)
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

/* ---- made and given back ---- */

static struct period *new_period(struct charging *c, uint32_t idd, uint64_t from_ns)
{
    struct period *p = c->free_periods;
    if (p) {
        c->free_periods = p->next_free;
    } else {
        p = calloc(1, sizeof *p);
        if (!p) {
            c->failed = true;
            return NULL;
        }
        c->memory += sizeof *p;
        p->next_made = c->periods_made;
        c->periods_made = p;
    }
    p->serial = ++c->serial;
    p->idd = idd;
    p->references = 1;
    p->from_ns = from_ns;
    p->ran_ns = p->waited_ns = p->interrupted_ns = 0;
    p->partial = p->closed = p->of_thread = p->half_own = p->estimated = p->mixed = p->unfollowed = false;
    p->like = NULL;
    p->received = 0;
    p->io = p->arrivals = false;
    p->unattributed = 0;
    p->first = p->last = NULL;
    p->group = NULL;
    p->tallies_n = p->shares_n = 0;
    return p;
}

static uint32_t idd_of(const struct charging *c, uint32_t vcpu)
{
    return c->incarnations[c->population->vcpus[vcpu].life].idd;
}

struct period *charging_new_period(struct charging *c, uint32_t vcpu, uint64_t from_ns)
{
    return new_period(c, idd_of(c, vcpu), from_ns);
}

void charging_clear_period(struct charging *c, struct period *p)
{
    p->serial = ++c->serial;
    p->io = p->arrivals = p->estimated = false;
    p->received = 0;
    p->unattributed = 0;
    p->tallies_n = 0;
}

struct period *charging_period(struct charging *c, uint32_t vcpu)
{
    bool interval = c->options.interval_ns > 0;
    struct period **p = interval ? &c->idds[idd_of(c, vcpu)].interval : &c->vcpus[vcpu].period;
    if (!*p)
        *p = new_period(c, idd_of(c, vcpu), interval ? c->cut_ns - c->length_ns : c->now_ns);
    return *p;
}

/* ---- shared out ---- */

/* Room for one more share. */
static bool grow_shares(struct charging *c, struct period *p)
{
    size_t capacity = p->shares_capacity;
    struct share *shares = array_reserve(p->shares, &p->shares_capacity, p->shares_n + 1, sizeof *shares);
    double *real = array_reserve(c->real_weights, &c->real_capacity, p->shares_n + 1, sizeof *real);
    if (shares)
        p->shares = shares;
    if (real)
        c->real_weights = real;
    uint64_t *weights = shares && real ? realloc(p->weights, p->shares_capacity * sizeof *weights) : NULL;
    if (!weights) {
        c->failed = true;
        return false;
    }
    p->weights = weights;
    c->memory += (p->shares_capacity - capacity) * (sizeof *shares + sizeof *weights);
    return true;
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
    double *real = array_reserve(c->real_weights, &c->real_capacity, p->shares_n + 1, sizeof *real);
    c->real_weights = real ? real : c->real_weights;
    c->failed = c->failed || !real;
    return real != NULL;
}

static struct share *add_share(struct charging *c, struct period *p, uint32_t to, double weight)
{
    bool full = p->shares_n == p->shares_capacity || p->shares_n == c->real_capacity;
    if (full && !grow_shares(c, p))
        return NULL;
    c->real_weights[p->shares_n] = weight;
    struct share *s = &p->shares[p->shares_n++];
    *s = (struct share){.to = to};
    return s;
}

/* The pair's weight in the period, from what the trace has. */
static void weigh_tally(struct charging *c, struct period *p, const struct tally *t)
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
    struct share *s = weight > 0 ? add_share(c, p, t->pair, weight) : NULL;
    for (int k = 0; s && k < IO_TRACE_KINDS; k++)
        if (by_kind[k] > 0)
            s->by_kind[k] = (float)(by_kind[k] / weight);
    if (!s)
        return;
    s->inferred = p->estimated ? 1 : (float)(inferred / weight);
    s->grounded = true;
}

/* The share of a pair, or own, in the period, made if there is none yet. */
static struct share *share_of(struct charging *c, struct period *p, uint32_t to)
{
    for (size_t i = 0; i < p->shares_n; i++)
        if (p->shares[i].to == to)
            return &p->shares[i];
    return add_share(c, p, to, 0);
}

void charging_add_weight(struct charging *c, struct period *p, uint32_t to, double weight)
{
    struct share *s = share_of(c, p, to);
    if (s)
        c->real_weights[s - p->shares] += weight;
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
    struct share *s = pair == NOBODY ? NULL : share_of(c, p, pair);
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

/* No I/O was seen: whose is the time? */
void charging_share_own(struct charging *c, struct period *p)
{
    const struct idd *d = &c->idds[p->idd];
    for (uint32_t i = 0; !p->partial && c->options.spread_own && i < d->pairs_n; i++) {
        const struct pair *pair = &c->pairs[d->pairs[i]];
        if (pair->charged > 0)
            add_share(c, p, d->pairs[i], pair->charged);
    }
    if (p->shares_n == 0)
        add_share(c, p, p->partial ? SHARE_UNATTRIBUTED : SHARE_OWN, 1);
}

/* A pair's share that rests on events of one kind. */
static void add_share_by(struct charging *c, struct period *p, uint32_t pair, enum io_kind kind,
                         double weight, bool inferred)
{
    struct share *s = add_share(c, p, pair, weight);
    if (!s)
        return;
    s->by_kind[kind] = 1;
    s->inferred = inferred;
    s->grounded = true;
}

void charging_add_inferred(struct charging *c, struct period *p, uint32_t pair, enum io_kind kind,
                           double weight)
{
    add_share_by(c, p, pair, kind, weight, true);
}

/* An interrupt without I/O: its time is that of the guests that notified, and half of it the idle loop's if that slept. */
static void weigh_arrivals(struct charging *c, struct period *p)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < p->tallies_n; i++) {
        const struct tally *t = &p->tallies[i];
        if (t->arrived)
            add_share_by(c, p, t->pair, IO_NOTIFY, t->arrived, false);
        sum += t->arrived;
    }
    if (p->half_own)
        add_share(c, p, SHARE_OWN, (double)sum);
}

/*
 * A kernel thread without I/O, while guests wait whose disk requests end without an unmap: each has a thread of its own, and
 * the one that has waited longest is served first.
 */
static void weigh_awaiting(struct charging *c, struct period *p)
{
    const struct idd *d = &c->idds[p->idd];
    if (d->awaiting_n == 0)
        return;
    uint32_t pair = d->awaiting[0];
    add_share_by(c, p, pair, IO_NOTIFY, 1, true);
    charging_set_awaits(c, pair, false);
}

/* As another period, which is weighed. */
static void weigh_alike(struct charging *c, struct period *p)
{
    for (size_t i = 0; i < p->like->shares_n; i++) {
        const struct share *from = &p->like->shares[i];
        struct share *s = add_share(c, p, from->to, (double)p->like->weights[i]);
        if (!s)
            return;
        *s = *from;
        s->inferred = 1;
    }
    p->like = NULL;
}

/* I/O without any event that the methods look at: it is shared out in the proportion of the recent charges. */
static void weigh_recent(struct charging *c, struct period *p)
{
    const struct idd *d = &c->idds[p->idd];
    for (uint32_t i = 0; i < d->pairs_n; i++)
        if (c->pairs[d->pairs[i]].charged > 0)
            add_share(c, p, d->pairs[i], c->pairs[d->pairs[i]].charged);
    if (p->shares_n == 0)
        add_share(c, p, SHARE_UNATTRIBUTED, 1);
}

void charging_remember(struct charging *c, const struct period *p)
{
    double sum = 0, scale = charging_scale(c);
    for (size_t i = 0; i < p->shares_n; i++)
        sum += c->real_weights[i];
    for (size_t i = 0; i < p->shares_n; i++)
        if (p->shares[i].to < SHARE_UNATTRIBUTED)
            c->pairs[p->shares[i].to].charged += (double)p->ran_ns * scale * c->real_weights[i] / sum;
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
        add_share(c, p, SHARE_UNATTRIBUTED, unattributed);
    else if (!charged && missing > 0)
        add_share(c, p, SHARE_UNATTRIBUTED, 1);
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
    if (p->shares_n == 0 && (p->io || p->arrivals))
        weigh_recent(c, p);
}

/* Whether the recent charges are of use. */
static bool remembers(const struct charging *c, const struct period *p)
{
    const unsigned all = CHARGE_GRANTS | CHARGE_COPIES | CHARGE_TRANSFERS | CHARGE_NOTIFICATIONS;
    return c->options.spread_own || (c->idds[p->idd].tasks_seen && (c->idds[p->idd].methods & all) != all);
}

void charging_close_period(struct charging *c, struct period *p, uint64_t to_ns)
{
    if (c->idds[p->idd].undecided) {
        charging_wait_for_choice(c, p, to_ns);
        return;
    }
    if (c->idds[p->idd].tasks_seen && c->options.interval_ns == 0)
        weigh_task(c, p, to_ns);
    else
        weigh_events(c, p, to_ns);
    bool charged = p->shares_n > 0;
    if (p->shares_n == 0)
        charging_share_own(c, p);
    if (c->failed || p->shares_n == 0)
        return;
    if (p->shares_n > 1)
        apportion_scale(c->real_weights, p->weights, p->shares_n);
    else
        p->weights[0] = 1;
    if (charged && remembers(c, p))
        charging_remember(c, p);
    if (c->idds[p->idd].methods & CHARGE_THREADS)
        thread_times_hold(c, p);
    else
        charging_settle_period(c, p);
    for (struct run_slice *s = p->first; s && !c->failed; s = s->next_waiting)
        c->failed = !charging_append_done(c, s);
    p->first = NULL;
}

struct period *charging_own_period(struct charging *c, uint32_t vcpu)
{
    struct period *p = charging_new_period(c, vcpu, 0);
    struct share *own = p ? add_share(c, p, SHARE_OWN, 1) : NULL;
    if (!own)
        return NULL;
    p->weights[0] = 1;
    p->closed = true;
    return p;
}
