/* Pieces, periods and what they are charged for. See charging.h and charge.h. */
#include "charging.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "apportion.h"
#include "array.h"
#include "min_max.h"
#include "row.h"

/* Weights in units of one page copied. A notification stands for the request or packet that it announces. */
const double charge_default_weights[IO_KINDS] = {
    [IO_MAP] = 1,  [IO_UNMAP] = 1, [IO_TRANSFER] = 1, [IO_NOTIFY] = 8, [IO_COPY] = 1,
    [IO_TX] = 1.0, [IO_RX] = 1.1,  [IO_READ] = 1,     [IO_WRITE] = 1};

const enum charge_method charge_method_of_kind[IO_KINDS] = {
    [IO_MAP] = CHARGE_GRANTS,           [IO_UNMAP] = CHARGE_GRANTS, [IO_TRANSFER] = CHARGE_TRANSFERS,
    [IO_NOTIFY] = CHARGE_NOTIFICATIONS, [IO_COPY] = CHARGE_COPIES,  [IO_TX] = CHARGE_PACKETS,
    [IO_RX] = CHARGE_PACKETS,           [IO_READ] = CHARGE_PACKETS, [IO_WRITE] = CHARGE_PACKETS};

#define REBASE_EXPONENT 256 /* sums that forget are scaled down before they grow out of range */

/* ---- begin and end ---- */

/* Which devices each guest has. */
static bool index_devices(struct charging *c)
{
    const struct counters *counters = c->options.counters;
    c->first_device = malloc(65536 * sizeof *c->first_device);
    c->next_device = malloc((counters->devices_n + 1) * sizeof *c->next_device);
    if (!c->first_device || !c->next_device)
        return false;
    memset(c->first_device, 0xff, 65536 * sizeof *c->first_device); /* NOBODY */
    for (uint32_t d = (uint32_t)counters->devices_n; d-- > 0;) {
        c->next_device[d] = c->first_device[counters->devices[d].domain];
        c->first_device[counters->devices[d].domain] = d;
    }
    return true;
}

/* The methods for a driver domain whose guests are counted from outside, or not. */
static unsigned methods_for(const struct charging *c, bool counted)
{
    unsigned methods = c->options.methods ? c->options.methods : CHARGE_AUTO;
    if (!(methods & CHARGE_AUTO))
        return methods;
    return counted ? CHARGE_PACKETS : CHARGE_GRANTS | CHARGE_COPIES | CHARGE_TRANSFERS | CHARGE_NOTIFICATIONS;
}

struct charging *charging_new(const struct charge_options *options, const struct population *population,
                              uint64_t start_ns)
{
    struct charging *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->is_idd = calloc(65536, 1);
    c->pcpus = calloc(PCPUS_MAX, sizeof *c->pcpus);
    if (!c->is_idd || !c->pcpus) {
        charging_free(c);
        return NULL;
    }
    c->options = *options;
    c->population = population;
    if (options->counters && !index_devices(c)) {
        charging_free(c);
        return NULL;
    }
    c->explicit_idds = options->idds != NULL;
    if (options->idds)
        memcpy(c->is_idd, options->idds, 65536);
    else
        c->is_idd[0] = 1;
    for (unsigned p = 0; p < PCPUS_MAX; p++)
        c->pcpus[p].current = NOBODY;
    c->cut_ns = UINT64_MAX;
    c->now_ns = c->scale_base_ns = start_ns;
    c->interval_ns = options->interval_ns ? start_ns - start_ns % options->interval_ns : 0;
    return c;
}

void charging_free(struct charging *c)
{
    if (!c)
        return;
    while (c->pieces_made) {
        struct piece *next = c->pieces_made->next_made;
        free(c->pieces_made);
        c->pieces_made = next;
    }
    while (c->periods_made) {
        struct period *next = c->periods_made->next_made;
        free(c->periods_made->tallies);
        free(c->periods_made->shares);
        free(c->periods_made->weights);
        free(c->periods_made);
        c->periods_made = next;
    }
    for (size_t d = 0; d < c->idds_n; d++) {
        free(c->idds[d].pair_of);
        free(c->idds[d].awake);
        free(c->idds[d].pairs);
    }
    transitions_free(&c->queue);
    free(c->is_idd);
    free(c->vcpus);
    free(c->lives);
    free(c->pcpus);
    free(c->idds);
    free(c->pairs);
    free(c->running);
    free(c->real_weights);
    free(c->done);
    free(c->first_device);
    free(c->next_device);
    free(c);
}

void charging_set_clock(struct charging *c, const struct clock *clock)
{
    c->clock = *clock;
    c->seen.counted = c->options.counters &&
                      counters_span(c->options.counters, clock, &c->counted_from_ns, &c->counted_to_ns);
    if (!c->seen.counted)
        c->counted_from_ns = c->counted_to_ns = 0;
}

/* ---- who ---- */

void charging_make_room(struct charging *c)
{
    size_t vcpus_n = c->vcpus_n, lives_n = c->lives_n;
    if (vcpus_n >= c->population->vcpus_n && lives_n >= c->population->lives_n)
        return;
    struct charging_vcpu *vcpus =
        array_reserve(c->vcpus, &c->vcpus_n, c->population->vcpus_n + 1, sizeof *vcpus);
    if (vcpus)
        c->vcpus = vcpus;
    struct charging_life *lives =
        array_reserve(c->lives, &c->lives_n, c->population->lives_n + 1, sizeof *lives);
    if (lives)
        c->lives = lives;
    for (size_t l = lives_n; l < c->lives_n; l++)
        c->lives[l].idd = c->lives[l].partner = c->lives[l].pairs = NOBODY;
    c->memory += (c->vcpus_n - vcpus_n) * sizeof *vcpus + (c->lives_n - lives_n) * sizeof *lives;
    c->failed = c->failed || !vcpus || !lives;
}

static bool append_index(struct charging *c, uint32_t **items, uint32_t *n, uint32_t *capacity, uint32_t item)
{
    if (*n == *capacity) {
        uint32_t larger = *capacity ? *capacity * 2 : 8;
        uint32_t *moved = realloc(*items, larger * sizeof *moved);
        if (!moved) {
            c->failed = true;
            return false;
        }
        c->memory += (larger - *capacity) * sizeof *moved;
        *items = moved;
        *capacity = larger;
    }
    (*items)[(*n)++] = item;
    return true;
}

uint32_t charging_idd_of(const struct charging *c, uint32_t life)
{
    return life < c->lives_n ? c->lives[life].idd : NOBODY;
}

static void set_awake(struct charging *c, uint32_t idd, uint32_t pair, bool awake)
{
    struct idd *d = &c->idds[idd];
    struct pair *p = &c->pairs[pair];
    if (awake && p->awake_at == NOBODY) {
        if (append_index(c, &d->awake, &d->awake_n, &d->awake_capacity, pair))
            p->awake_at = d->awake_n - 1;
    } else if (!awake && p->awake_at != NOBODY) {
        uint32_t last = d->awake[--d->awake_n];
        d->awake[p->awake_at] = last;
        c->pairs[last].awake_at = p->awake_at;
        p->awake_at = NOBODY;
    }
}

uint32_t charging_find_pair(const struct charging *c, uint32_t idd, uint32_t guest_life)
{
    const struct idd *d = &c->idds[idd];
    return guest_life < d->pair_of_n ? d->pair_of[guest_life] : NOBODY;
}

/* Whether pair a comes before pair b in what is handed out. */
static bool pair_before(const struct charging *c, uint32_t a, uint32_t b)
{
    const struct life *x = &c->population->lives[c->pairs[a].guest];
    const struct life *y = &c->population->lives[c->pairs[b].guest];
    return x->domain != y->domain ? x->domain < y->domain : x->number < y->number;
}

uint32_t charging_pair(struct charging *c, uint32_t idd, uint32_t guest_life)
{
    uint32_t found = charging_find_pair(c, idd, guest_life);
    if (found != NOBODY)
        return found;
    struct idd *d = &c->idds[idd];
    if (guest_life >= d->pair_of_n) {
        uint32_t n = (uint32_t)c->lives_n;
        uint32_t *pair_of = realloc(d->pair_of, n * sizeof *pair_of);
        if (!pair_of) {
            c->failed = true;
            return NOBODY;
        }
        memset(pair_of + d->pair_of_n, 0xff, (n - d->pair_of_n) * sizeof *pair_of); /* NOBODY */
        c->memory += (n - d->pair_of_n) * sizeof *pair_of;
        d->pair_of = pair_of;
        d->pair_of_n = n;
    }
    size_t capacity = c->pairs_capacity;
    struct pair *pairs = array_reserve(c->pairs, &c->pairs_capacity, c->pairs_n + 1, sizeof *pairs);
    uint32_t pair = (uint32_t)c->pairs_n;
    if (!pairs || !append_index(c, &d->pairs, &d->pairs_n, &d->pairs_capacity, pair)) {
        c->failed = true;
        return NOBODY;
    }
    c->pairs = pairs;
    c->memory += (c->pairs_capacity - capacity) * sizeof *pairs;
    c->pairs[c->pairs_n++] = (struct pair){.idd = idd,
                                           .guest = guest_life,
                                           .notifies = NOBODY,
                                           .awake_at = NOBODY,
                                           .next_of_guest = c->lives[guest_life].pairs};
    c->lives[guest_life].pairs = pair;
    d->pair_of[guest_life] = pair;
    for (uint32_t at = d->pairs_n - 1; at > 0 && pair_before(c, pair, d->pairs[at - 1]); at--) {
        d->pairs[at] = d->pairs[at - 1];
        d->pairs[at - 1] = pair;
    }
    set_awake(c, idd, pair, c->lives[guest_life].awake > 0);
    return pair;
}

/* One vCPU more (+1) or less (-1) of the life is awake. */
static void count_awake(struct charging *c, uint32_t life, int change)
{
    uint32_t before = c->lives[life].awake;
    c->lives[life].awake = before + (uint32_t)change;
    if (before != 0 && c->lives[life].awake != 0)
        return;
    for (uint32_t pair = c->lives[life].pairs; pair != NOBODY; pair = c->pairs[pair].next_of_guest)
        set_awake(c, c->pairs[pair].idd, pair, c->lives[life].awake > 0);
}

/* ---- sums that forget ---- */

double charging_scale(struct charging *c)
{
    double exponent = (double)(c->now_ns - c->scale_base_ns) / 1e9;
    if (exponent > REBASE_EXPONENT) {
        for (size_t p = 0; p < c->pairs_n; p++) {
            c->pairs[p].copied = ldexp(c->pairs[p].copied, -(int)fmin(exponent, 4096));
            c->pairs[p].charged = ldexp(c->pairs[p].charged, -(int)fmin(exponent, 4096));
        }
        c->scale_base_ns = c->now_ns;
        exponent = 0;
    }
    return exp2(exponent);
}

/* ---- periods ---- */

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
    p->ran_ns = 0;
    p->partial = p->closed = false;
    p->nobodys = 0;
    p->tallies_n = p->shares_n = 0;
    return p;
}

static void release_period(struct charging *c, struct period *p)
{
    if (--p->references == 0) {
        p->next_free = c->free_periods;
        c->free_periods = p;
    }
}

/* The period that what happens now with this vCPU of a driver domain belongs to. NULL: no memory. */
static struct period *period_of(struct charging *c, uint32_t vcpu)
{
    uint32_t idd = c->lives[c->population->vcpus[vcpu].life].idd;
    struct period **p = c->options.interval_ns ? &c->idds[idd].interval : &c->vcpus[vcpu].period;
    if (!*p)
        *p = new_period(c, idd, c->options.interval_ns ? c->interval_ns : c->now_ns);
    return *p;
}

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
    for (int k = 0; k < IO_TRACE_KINDS; k++) {
        by_kind[k] = c->options.weights[k] * t->events[k];
        weight += by_kind[k];
        inferred += c->options.weights[k] * t->inferred[k];
    }
    struct share *s = weight > 0 ? add_share(c, p, t->pair, weight) : NULL;
    for (int k = 0; s && k < IO_TRACE_KINDS; k++)
        s->by_kind[k] = (float)(by_kind[k] / weight);
    if (s)
        s->inferred = (float)(inferred / weight);
}

/* The share of the pair in the period, made if there is none yet. */
static struct share *share_of(struct charging *c, struct period *p, uint32_t pair)
{
    for (size_t i = 0; i < p->shares_n; i++)
        if (p->shares[i].to == pair)
            return &p->shares[i];
    return add_share(c, p, pair, 0);
}

/* What the outside counters of one device add. */
static void weigh_device(struct charging *c, struct period *p, uint32_t device, uint64_t to_ns)
{
    const struct counters *counters = c->options.counters;
    const struct counter_device *d = &counters->devices[device];
    uint32_t guest = population_life(c->population, d->domain), idd_life = c->idds[p->idd].life;
    if (c->population->lives[idd_life].domain != d->idd || guest == idd_life)
        return;
    double added = 0, by_kind[COUNTER_KINDS];
    for (unsigned k = 0; k < COUNTER_KINDS; k++) {
        double events =
            d->counts[k] ? counters_between(counters, device, k, p->from_ns, to_ns, &c->clock) : 0;
        added += by_kind[k] = events * c->options.weights[IO_TX + k];
    }
    if (added <= 0)
        return;
    if (guest == NOBODY || guest >= c->lives_n) {
        p->nobodys += added; /* the trace does not show this domain */
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
static void charge_nobody(struct charging *c, struct period *p)
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

static void remember_charges(struct charging *c, const struct period *p)
{
    double sum = 0, scale = charging_scale(c);
    for (size_t i = 0; i < p->shares_n; i++)
        sum += c->real_weights[i];
    for (size_t i = 0; i < p->shares_n; i++)
        if (p->shares[i].to < SHARE_UNATTRIBUTED)
            c->pairs[p->shares[i].to].charged += (double)p->ran_ns * scale * c->real_weights[i] / sum;
}

/* The period is over at to_ns: who is charged what part of it. */
static void close_period(struct charging *c, struct period *p, uint64_t to_ns)
{
    for (size_t i = 0; i < p->tallies_n; i++)
        weigh_tally(c, p, &p->tallies[i]);
    if (c->idds[p->idd].methods & CHARGE_PACKETS && c->options.counters)
        for (uint32_t d = 0; d < c->options.counters->devices_n; d++)
            weigh_device(c, p, d, to_ns);
    bool charged = p->shares_n > 0;
    double sum = p->nobodys, missing = uncovered(c, p, to_ns);
    for (size_t i = 0; i < p->shares_n; i++)
        sum += c->real_weights[i];
    /* Time in which nothing was counted is as much of the sum as it is of the period. */
    double nobodys = p->nobodys + (missing >= 1 ? (sum > 0 ? 0 : 1) : sum * missing / (1 - missing));
    if (nobodys > 0)
        add_share(c, p, SHARE_UNATTRIBUTED, nobodys);
    else if (!charged && missing > 0)
        add_share(c, p, SHARE_UNATTRIBUTED, 1);
    if (p->shares_n == 0)
        charge_nobody(c, p);
    if (c->failed || p->shares_n == 0)
        return;
    if (p->shares_n > 1)
        apportion_scale(c->real_weights, p->weights, p->shares_n);
    else
        p->weights[0] = 1;
    if (charged && c->options.spread_own)
        remember_charges(c, p);
    p->closed = true;
}

/* ---- pieces ---- */

static inline void push(struct charging *c, struct transition t)
{
    transitions_put(&c->queue, t);
}

/* Hands on what came in, unless the ledger may have it at once. */
static inline void hand_on(struct charging *c, const struct transition *t)
{
    if (!c->direct)
        push(c, *t);
}

/* The vCPU of a driver domain runs from now on. */
static void begin_piece(struct charging *c, uint32_t vcpu)
{
    struct charging_vcpu *v = &c->vcpus[vcpu];
    struct period *period = period_of(c, vcpu);
    struct piece *piece = c->free_pieces;
    uint32_t *running = c->running;
    if (c->running_n == c->running_capacity &&
        (running = array_reserve(c->running, &c->running_capacity, c->running_n + 1, sizeof *running)))
        c->running = running;
    if (piece) {
        c->free_pieces = piece->next_free;
    } else if ((piece = calloc(1, sizeof *piece))) {
        c->memory += sizeof *piece;
        piece->next_made = c->pieces_made;
        c->pieces_made = piece;
    }
    if (!period || !piece || !running) {
        c->failed = true;
        return;
    }
    struct piece *made = piece->next_made;
    *piece = (struct piece){
        .period = period, .from_ns = c->now_ns, .vcpu = vcpu, .pcpu = v->pcpu, .next_made = made};
    period->references++;
    if (c->options.interval_ns == 0)
        period->from_ns = c->now_ns;
    v->piece = piece;
    v->running_at = (uint32_t)c->running_n;
    c->running[c->running_n++] = vcpu;
    if (c->options.interval_ns == 0)
        c->cut_ns = min64(c->cut_ns, c->now_ns + CHARGE_PIECE_NS);
}

/* It runs no longer, or is cut here. */
static void end_piece(struct charging *c, uint32_t vcpu, bool execution_ends, bool lost)
{
    struct charging_vcpu *v = &c->vcpus[vcpu];
    struct piece *piece = v->piece;
    if (!piece)
        return;
    struct period *period = piece->period;
    piece->to_ns = c->now_ns;
    piece->offset_ns = period->ran_ns;
    piece->closed = true;
    piece->io_free = execution_ends && v->whole && !v->io_seen && !lost;
    period->ran_ns += piece->to_ns - piece->from_ns;
    period->partial = period->partial || lost || v->blind;
    struct piece **done = c->done;
    if (c->done_n == c->done_capacity)
        done = array_reserve(done, &c->done_capacity, c->done_n + 1, sizeof(struct piece *));
    if (!done) {
        c->failed = true;
        return;
    }
    c->done = done;
    c->done[c->done_n++] = piece;
    v->piece = NULL;
    uint32_t last = c->running[--c->running_n];
    c->running[v->running_at] = last;
    c->vcpus[last].running_at = v->running_at;
    if (execution_ends)
        v->io_seen = false;
    if (c->options.interval_ns == 0) {
        close_period(c, period, c->now_ns);
        v->period = NULL;
        release_period(c, period);
    }
}

uint32_t charging_make_idd(struct charging *c, uint32_t life)
{
    if (c->lives[life].idd != NOBODY)
        return c->lives[life].idd;
    size_t capacity = c->idds_capacity;
    struct idd *idds = array_reserve(c->idds, &c->idds_capacity, c->idds_n + 1, sizeof *idds);
    if (!idds) {
        c->failed = true;
        return NOBODY;
    }
    c->idds = idds;
    c->memory += (c->idds_capacity - capacity) * sizeof *idds;
    uint32_t idd = (uint32_t)c->idds_n++;
    const struct counters *counters = c->options.counters;
    for (size_t i = 0; counters && i < counters->devices_n; i++)
        if (counters->devices[i].idd == c->population->lives[life].domain)
            c->idds[idd].counted = true;
    c->idds[idd].life = life;
    c->idds[idd].methods = methods_for(c, c->idds[idd].counted);
    c->lives[life].idd = idd;
    const struct life *l = &c->population->lives[life];
    for (uint32_t id = 0; id < l->vcpus_n; id++) {
        uint32_t vcpu = l->vcpus[id];
        if (vcpu == NOBODY || vcpu >= c->vcpus_n || !c->vcpus[vcpu].alive)
            continue;
        c->vcpus[vcpu].drives = true;
        if (c->vcpus[vcpu].state == RUNSTATE_RUNNING)
            begin_piece(c, vcpu);
    }
    return idd;
}

/* ---- what happens ---- */

static struct tally *tally_of(struct charging *c, struct period *p, uint32_t pair)
{
    struct pair *of = &c->pairs[pair];
    if (of->hint_serial == p->serial)
        return &p->tallies[of->hint_index];
    size_t at = 0;
    while (at < p->tallies_n && p->tallies[at].pair != pair)
        at++;
    if (at == p->tallies_n) {
        size_t capacity = p->tallies_capacity;
        struct tally *tallies = p->tallies;
        if (at == capacity &&
            !(tallies = array_reserve(p->tallies, &p->tallies_capacity, at + 1, sizeof *tallies))) {
            c->failed = true;
            return NULL;
        }
        c->memory += (p->tallies_capacity - capacity) * sizeof *tallies;
        p->tallies = tallies;
        p->tallies[p->tallies_n++] = (struct tally){.pair = pair};
    }
    of->hint_serial = p->serial;
    of->hint_index = (uint32_t)at;
    return &p->tallies[at];
}

static void add_saturated(uint32_t *into, uint32_t count)
{
    *into = *into > UINT32_MAX - count ? UINT32_MAX : *into + count;
}

void charging_event(struct charging *c, const struct io_happening *h)
{
    c->seen.events[h->kind] += h->count;
    c->seen.inferred[h->kind] += h->inferred ? h->count : 0;
    c->vcpus[h->idd_vcpu].io_seen = true;
    push(c, (struct transition){.time_ns = c->now_ns,
                                .kind = TRANSITION_IO_EVENT,
                                .from = h->kind & 15,
                                .to = h->inferred,
                                .vcpu = h->acting,
                                .pcpu = h->pcpu,
                                .value =
                                    (uint64_t)h->pair << 32 | (h->kind == IO_NOTIFY ? h->other : h->count)});
    if (!(c->idds[c->pairs[h->pair].idd].methods & charge_method_of_kind[h->kind]))
        return;
    struct period *p = period_of(c, h->idd_vcpu);
    struct tally *t = p ? tally_of(c, p, h->pair) : NULL;
    if (!t)
        return;
    add_saturated(&t->events[h->kind], h->count);
    if (h->inferred)
        add_saturated(&t->inferred[h->kind], h->count);
}

void charging_nobodys(struct charging *c, uint32_t idd_vcpu, enum io_kind kind, uint32_t count)
{
    c->seen.unassigned[kind] += count;
    c->vcpus[idd_vcpu].io_seen = true;
    uint32_t idd = c->lives[c->population->vcpus[idd_vcpu].life].idd;
    push(c, (struct transition){.time_ns = c->now_ns,
                                .kind = TRANSITION_IO_NOBODYS,
                                .from = kind & 15,
                                .vcpu = idd_vcpu,
                                .pcpu = c->vcpus[idd_vcpu].pcpu,
                                .value = (uint64_t)idd << 32 | count});
    bool counts = c->idds[idd].methods & charge_method_of_kind[kind] && c->options.weights[kind] > 0;
    struct period *p = counts ? period_of(c, idd_vcpu) : NULL;
    if (p)
        p->nobodys += count * c->options.weights[kind];
}

/* ---- time ---- */

/* The moment may have been that of a piece that ended since. */
static void find_cut(struct charging *c)
{
    c->cut_ns = UINT64_MAX;
    for (size_t i = 0; c->options.interval_ns == 0 && i < c->running_n; i++)
        c->cut_ns = min64(c->cut_ns, c->vcpus[c->running[i]].piece->from_ns + CHARGE_PIECE_NS);
}

static void cut(struct charging *c)
{
    c->now_ns = c->cut_ns;
    for (size_t i = 0; i < c->running_n; i++) {
        uint32_t vcpu = c->running[i];
        if (c->vcpus[vcpu].piece->from_ns + CHARGE_PIECE_NS != c->now_ns)
            continue;
        end_piece(c, vcpu, false, false);
        begin_piece(c, vcpu);
        i = (size_t)-1; /* the list changed */
        if (c->failed)
            return;
    }
    find_cut(c);
}

/* The interval T ends at `to_ns` (and the next begins). */
static void close_interval(struct charging *c, uint64_t to_ns)
{
    c->now_ns = to_ns;
    size_t n = c->running_n;
    for (size_t i = n; i-- > 0 && !c->failed;) { /* those that run go on in the next one */
        uint32_t vcpu = c->running[i];
        end_piece(c, vcpu, false, false);
    }
    for (size_t d = 0; d < c->idds_n; d++) {
        struct period *p = c->idds[d].interval;
        if (!p)
            continue;
        close_period(c, p, to_ns);
        c->idds[d].interval = NULL;
        release_period(c, p);
    }
    c->interval_ns = to_ns;
    for (size_t v = 0; n > 0 && v < c->vcpus_n && !c->failed; v++) {
        bool runs = c->vcpus[v].alive && c->vcpus[v].state == RUNSTATE_RUNNING && !c->vcpus[v].piece;
        if (runs && c->lives[c->population->vcpus[v].life].idd != NOBODY)
            begin_piece(c, (uint32_t)v);
    }
}

/* Everything that time alone brings about up to `until_ns`. */
static void pass_time(struct charging *c, uint64_t until_ns)
{
    while (c->cut_ns <= until_ns && !c->failed)
        cut(c);
    uint64_t length = c->options.interval_ns;
    while (length && c->interval_ns + length <= until_ns && !c->failed) {
        uint64_t next = c->interval_ns + length;
        bool empty = c->running_n == 0;
        for (size_t d = 0; d < c->idds_n; d++)
            empty = empty && !c->idds[d].interval;
        if (empty)
            c->interval_ns = until_ns - until_ns % length;
        else
            close_interval(c, next);
    }
    c->now_ns = max64(c->now_ns, until_ns);
}

/* ---- transitions ---- */

static inline bool is_awake(unsigned state)
{
    return state <= RUNSTATE_RUNNABLE; /* or running */
}

static inline void set_state(struct charging *c, uint32_t vcpu, unsigned state, uint16_t pcpu)
{
    struct charging_vcpu *v = &c->vcpus[vcpu];
    unsigned before = v->state;
    if (before == RUNSTATE_RUNNING && c->pcpus[v->pcpu].current == vcpu)
        c->pcpus[v->pcpu].current = NOBODY;
    v->state = (uint8_t)state;
    if (state == RUNSTATE_RUNNING) {
        v->pcpu = pcpu;
        c->pcpus[pcpu].current = vcpu;
    }
    if (is_awake(before) != is_awake(state))
        count_awake(c, c->population->vcpus[vcpu].life, is_awake(before) ? -1 : 1);
}

static void starts(struct charging *c, const struct transition *t, bool dispatched, bool blind)
{
    struct charging_vcpu *v = &c->vcpus[t->vcpu];
    v->whole = dispatched;
    v->blind = blind;
    begin_piece(c, t->vcpu);
}

static void stops(struct charging *c, uint32_t vcpu, bool lost)
{
    attribution_stops(c, vcpu);
    end_piece(c, vcpu, true, lost);
}

static void appear(struct charging *c, const struct transition *t)
{
    uint32_t life = c->population->vcpus[t->vcpu].life;
    uint16_t domain = c->population->lives[life].domain;
    hand_on(c, t);
    c->vcpus[t->vcpu].idle = domain == IDLE_DOMAIN;
    if (domain == IDLE_DOMAIN)
        return;
    if (c->is_idd[domain])
        charging_make_idd(c, life);
    c->vcpus[t->vcpu].drives = c->lives[life].idd != NOBODY;
    c->vcpus[t->vcpu].alive = true;
    c->vcpus[t->vcpu].state = RUNSTATE_OFFLINE;
    set_state(c, t->vcpu, t->to, t->pcpu);
    if (t->to == RUNSTATE_RUNNING && c->vcpus[t->vcpu].drives)
        starts(c, t, false, false);
}

static void change_state(struct charging *c, const struct transition *t)
{
    struct charging_vcpu *v = &c->vcpus[t->vcpu];
    unsigned before = v->state, to = t->to;
    if (!v->alive) {
        hand_on(c, t);
        return;
    }
    bool moved = before == RUNSTATE_RUNNING && to == RUNSTATE_RUNNING && t->pcpu != v->pcpu;
    if (v->drives && before == RUNSTATE_RUNNING && (to != RUNSTATE_RUNNING || moved))
        stops(c, t->vcpu, to == RUNSTATE_UNKNOWN || moved);
    hand_on(c, t);
    if (before == RUNSTATE_RUNNING && to == RUNSTATE_RUNNING && !moved)
        return;
    set_state(c, t->vcpu, to, t->pcpu == NO_PCPU ? v->pcpu : t->pcpu);
    if (t->from == RUNSTATE_BLOCKED && to == RUNSTATE_RUNNABLE && t->value < PCPUS_MAX)
        attribution_woken(c, t->vcpu, (uint16_t)t->value);
    bool known = t->from != RUNSTATE_UNKNOWN && t->from != RUNSTATE_RUNNING;
    if (to == RUNSTATE_RUNNING && v->drives)
        starts(c, t, known, !known);
}

static void die(struct charging *c, const struct transition *t)
{
    struct charging_vcpu *v = &c->vcpus[t->vcpu];
    if (v->alive && v->drives && v->state == RUNSTATE_RUNNING)
        stops(c, t->vcpu, false);
    if (v->alive)
        set_state(c, t->vcpu, RUNSTATE_OFFLINE, v->pcpu);
    v->alive = false;
    hand_on(c, t);
}

bool charging_take(struct charging *c, const struct transition *t, uint64_t free_until_ns)
{
    if (c->failed)
        return false;
    bool open = c->running_n > 0 || c->options.interval_ns;
    c->direct = transitions_waiting(&c->queue) == 0 && (t->time_ns < free_until_ns || !open);
    if (c->cut_ns <= t->time_ns || c->options.interval_ns)
        pass_time(c, t->time_ns);
    c->now_ns = max64(c->now_ns, t->time_ns);
    switch (t->kind) {
    case TRANSITION_IO:
        attribution_record(c, t);
        return false;
    case TRANSITION_APPEAR:
        appear(c, t);
        break;
    case TRANSITION_STATE:
        if (c->vcpus[t->vcpu].idle)
            hand_on(c, t);
        else
            change_state(c, t);
        break;
    case TRANSITION_DIE:
        die(c, t);
        break;
    default:
        hand_on(c, t);
        break;
    }
    return c->direct;
}

void charging_advance(struct charging *c, uint64_t settled_ns)
{
    pass_time(c, settled_ns);
}

void charging_end(struct charging *c, uint64_t end_ns)
{
    pass_time(c, end_ns);
    while (c->running_n > 0 && !c->failed) {
        uint32_t vcpu = c->running[c->running_n - 1];
        stops(c, vcpu, false);
    }
    if (c->options.interval_ns && c->interval_ns < end_ns)
        close_interval(c, end_ns);
}

uint64_t charging_safe(const struct charging *c)
{
    uint64_t safe = c->options.interval_ns ? min64(c->now_ns, c->interval_ns) : c->now_ns;
    for (size_t i = 0; i < c->running_n; i++)
        safe = min64(safe, c->vcpus[c->running[i]].piece->from_ns);
    return safe;
}

const struct transition *charging_next(struct charging *c, uint64_t upto_ns)
{
    return transitions_take(&c->queue, upto_ns);
}

struct piece *charging_next_piece(struct charging *c)
{
    if (c->done_head == c->done_n) {
        c->done_head = c->done_n = 0;
        return NULL;
    }
    /* Of a period that is an interval the shares are known only when that is over, and those behind it are younger. */
    return c->done[c->done_head]->period->closed ? c->done[c->done_head++] : NULL;
}

void charging_release(struct charging *c, struct piece *piece)
{
    release_period(c, piece->period);
    piece->next_free = c->free_pieces;
    c->free_pieces = piece;
}

size_t charging_memory(const struct charging *c)
{
    return sizeof *c + c->memory + PCPUS_MAX * sizeof *c->pcpus + c->queue.capacity * sizeof *c->queue.items;
}

static uint64_t counted_events(const struct charging *c, uint32_t device, unsigned kind, uint64_t end_ns)
{
    const struct counters *counters = c->options.counters;
    return counters->devices[device].counts[kind]
               ? counters_whole_between(counters, device, kind, 0, end_ns, &c->clock)
               : 0;
}

void charging_summarise(const struct charging *c, uint64_t end_ns, struct charge_summary *s)
{
    *s = c->seen;
    s->idds = c->idds_n;
    s->counted_from_ns = c->counted_from_ns;
    s->counted_to_ns = c->counted_to_ns;
    for (uint32_t d = 0; s->counted && d < c->options.counters->devices_n; d++) {
        uint64_t counted = 0;
        for (unsigned k = 0; k < COUNTER_KINDS; k++) {
            uint64_t events = counted_events(c, d, k, end_ns);
            s->events[IO_TX + k] += events;
            counted += events;
        }
        uint16_t domain = c->options.counters->devices[d].domain;
        s->devices_unknown += counted > 0 && population_life(c->population, domain) == NOBODY;
    }
    unsigned in_force = c->options.methods;
    bool automatic = !in_force || in_force & CHARGE_AUTO;
    for (size_t i = 0; automatic && i < c->idds_n; i++)
        in_force |= c->idds[i].methods;
    for (int kind = 0; kind < IO_KINDS; kind++) {
        bool any = s->events[kind] || (kind < IO_TRACE_KINDS && s->unassigned[kind]);
        s->methods |= any || !automatic ? in_force & charge_method_of_kind[kind] : 0;
    }
}
