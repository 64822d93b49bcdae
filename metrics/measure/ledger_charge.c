/* Charges and I/O events: booked to rows and to the matrix guest x driver domain, handed out interval by interval. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "apportion.h"
#include "metrics/array.h"
#include "ledger.h"
#include "metrics/min_max.h"

#define FEW_SHARES 16 /* their amounts are worked out on the stack */

static bool wanted(const struct ledger *l, uint16_t pcpu)
{
    return !l->options.pcpus_wanted || l->options.pcpus_wanted[pcpu];
}

/* ---- sums ---- */

static struct charge_guest *guest_sums(struct ledger *l, struct charge_sums *s, uint32_t pair)
{
    bool made = pair < s->guests_n || ledger_reserve(l, &s->guests, &s->guests_n, pair, sizeof *s->guests);
    return made ? &s->guests[pair] : NULL;
}

static struct charge_idd *idd_sums(struct ledger *l, struct charge_sums *s, uint32_t idd)
{
    bool made = idd < s->idds_n || ledger_reserve(l, &s->idds, &s->idds_n, idd, sizeof *s->idds);
    return made ? &s->idds[idd] : NULL;
}

static void clear(struct charge_sums *s)
{
    if (s->guests)
        memset(s->guests, 0, s->guests_n * sizeof *s->guests);
    if (s->idds)
        memset(s->idds, 0, s->idds_n * sizeof *s->idds);
}

/* Where the sums of granularity g are. */
static struct charge_sums *sums_of(struct ledger *l, size_t g)
{
    return l->options.granularities > 1 ? &l->charges[g] : &l->charges_live;
}

void ledger_charges_gather(struct ledger *l)
{
    const struct charge_sums *live = &l->charges_live;
    for (size_t g = 0; g < l->options.granularities; g++) {
        for (uint32_t i = 0; i < live->guests_n; i++) {
            struct charge_guest *to = guest_sums(l, &l->charges[g], i);
            if (to)
                charge_guest_merge(to, &live->guests[i]);
        }
        for (uint32_t i = 0; i < live->idds_n; i++) {
            struct charge_idd *to = idd_sums(l, &l->charges[g], i);
            if (to)
                charge_idd_merge(to, &live->idds[i]);
        }
    }
    clear(&l->charges_live);
}

void ledger_charges_clear(struct ledger *l)
{
    for (size_t g = 0; g < l->options.granularities; g++)
        clear(&l->charges[g]);
    clear(&l->charges_live);
}

void ledger_charges_free(struct ledger *l)
{
    for (size_t g = 0; g < l->options.granularities; g++) {
        free(l->charges[g].guests);
        free(l->charges[g].idds);
    }
    free(l->charges_live.guests);
    free(l->charges_live.idds);
    free(l->active);
    free(l->charge_idds);
    free(l->charge_guests);
}

/* ---- booking ---- */

/* Where what was done on this pCPU for this guest is booked; NULL: nowhere. */
static inline struct measures *row_of(struct ledger *l, enum cell_kind kind, uint32_t guest_life,
                                      uint32_t guest_vcpu, uint16_t pcpu)
{
    bool known = guest_vcpu < l->accounts_n && l->accounts[guest_vcpu].alive;
    struct cell *cell = ledger_cell(l, kind, guest_life, known ? guest_vcpu : NOBODY, pcpu);
    return cell ? &cell->live : NULL;
}

/* What part of a share rests on events whose guest is certain. */
static double certain_part(const struct share *s)
{
    return s->grounded ? fmax(0, 1 - (double)s->measured - (double)s->inferred) : 0;
}

/* Whole ns of a part of the share's time from from_ns to to_ns: pieces get what the whole does, wherever it is cut. */
static uint64_t part_between(double part, uint64_t from_ns, uint64_t to_ns)
{
    if (!(part < 1))
        return to_ns - from_ns;
    return (uint64_t)(part * (double)to_ns + 0.5) - (uint64_t)(part * (double)from_ns + 0.5);
}

/* The same of three parts: neither may lose what it has as the time grows. */
static void book_three_parts(struct charge_guest *p, double measured, double certain, uint64_t from_ns,
                             uint64_t to_ns)
{
    const double parts[] = {measured, certain, fmax(0, 1 - measured - certain)};
    uint64_t weights[3], before[3], after[3];
    apportion_scale(parts, weights, 3);
    apportion(from_ns, weights, before, 3);
    apportion(to_ns, weights, after, 3);
    p->measured_ns += after[0] - before[0];
    p->certain_ns += after[1] - before[1];
}

/* Adds by kind what rests on events of the kinds from `first` to below `last`. */
static inline void add_by_kind(struct charge_guest *p, const struct share *s, int first, int last, double ns)
{
    for (int k = first; k < last; k++)
        p->charged_by_ns[k] += (double)s->by_kind[k] * ns;
}

/* What the guest's charge rests on; events that were `counted` outside, too. */
static void book_grounds(struct charge_guest *p, const struct share *s, bool counted, uint64_t from_ns,
                         uint64_t to_ns)
{
    double ns = (double)(to_ns - from_ns), certain = certain_part(s);
    p->charged_ns += to_ns - from_ns;
    if (!(s->measured > 0))
        p->certain_ns += part_between(certain, from_ns, to_ns);
    else if (s->measured < 1)
        book_three_parts(p, (double)s->measured, certain, from_ns, to_ns);
    else
        p->measured_ns += to_ns - from_ns;
    p->charged_inferred_ns += (double)s->inferred * ns;
    p->charged_measured_ns += (double)s->measured * ns;
    add_by_kind(p, s, 0, IO_TRACE_KINDS, ns);
    if (counted)
        add_by_kind(p, s, IO_TRACE_KINDS, IO_KINDS, ns);
}

/* Books the share of a guest, of the share's time from from_ns to to_ns, on a pCPU. */
static __attribute__((noinline)) void book_guest(struct ledger *l, uint16_t pcpu, const struct share *s,
                                                 uint64_t from_ns, uint64_t to_ns)
{
    struct charge_guest *p = guest_sums(l, &l->charges_live, s->to);
    if (!p)
        return;
    book_grounds(p, s, l->charging->options.counters != NULL, from_ns, to_ns);
    for (enum cell_kind kind = 0; kind < CELL_KINDS; kind++) {
        struct measures *m = row_of(l, kind, l->charging->pairs[s->to].guest, NOBODY, pcpu);
        if (m)
            m->charged_ns += (int64_t)(to_ns - from_ns);
    }
}

/* Books a share of the slice's period, of the share's time from from_ns to to_ns, to the sums of the driver domain, too. */
static inline void book_share(struct ledger *l, struct charge_idd *d, const struct run_slice *slice,
                              const struct share *s, uint64_t from_ns, uint64_t to_ns)
{
    uint64_t ns = to_ns - from_ns;
    if (ns == 0)
        return;
    l->idds_ran_ns += ns;
    d->running_ns += ns;
    d->separated_ns += slice->of_task ? ns : 0;
    if (s->to < SHARE_UNATTRIBUTED) {
        d->charged_ns += ns;
        book_guest(l, slice->pcpu, s, from_ns, to_ns);
    } else if (s->to == SHARE_OWN) {
        d->own_ns += ns;
        d->own_given_ns += s->given > 0 ? part_between((double)s->given, from_ns, to_ns) : 0;
    } else {
        d->unattributed_ns += ns;
        l->idds_unattributed_ns += ns;
    }
}

static void book_divided(struct ledger *l, struct charge_idd *d, const struct run_slice *slice,
                         uint64_t upto_ns)
{
    const struct period *p = slice->period;
    size_t n = p->shares_n;
    uint64_t few[2 * FEW_SHARES];
    uint64_t *before = n <= FEW_SHARES ? few : calloc(2 * n, sizeof *before);
    if (!before) {
        l->out_of_memory = true;
        return;
    }
    uint64_t *after = before + n;
    uint64_t booked_ns = slice->offset_ns + slice->booked_ns;
    if (booked_ns > 0)
        apportion(booked_ns, p->weights, before, n);
    else
        memset(before, 0, n * sizeof *before);
    apportion(slice->offset_ns + upto_ns, p->weights, after, n);
    for (size_t i = 0; i < n; i++)
        book_share(l, d, slice, &p->shares[i], before[i], after[i]);
    if (before != few)
        free(before);
}

/* Books the slice, on a pCPU that is wanted, up to `upto_ns` of its time. */
static void book_upto(struct ledger *l, struct run_slice *slice, uint64_t upto_ns)
{
    const struct period *p = slice->period;
    struct charge_idd *d = idd_sums(l, &l->charges_live, p->idd);
    if (!d)
        return;
    if (p->shares_n == 1)
        book_share(l, d, slice, &p->shares[0], slice->offset_ns + slice->booked_ns,
                   slice->offset_ns + upto_ns);
    else
        book_divided(l, d, slice, upto_ns);
}

/* Books the slice up to `until_ns`. */
static void book_slice(struct ledger *l, struct run_slice *slice, uint64_t until_ns)
{
    uint64_t upto_ns = min64(until_ns, slice->to_ns) - slice->from_ns;
    if (until_ns <= slice->from_ns || upto_ns <= slice->booked_ns)
        return;
    if (wanted(l, slice->pcpu))
        book_upto(l, slice, upto_ns);
    slice->booked_ns = upto_ns;
}

/* All of the slice is booked. */
static inline void end_slice(struct ledger *l, struct run_slice *slice)
{
    struct charge_idd *d = idd_sums(l, &l->charges_live, slice->period->idd);
    if (slice->io_free && d && wanted(l, slice->pcpu))
        d->io_free_executions++;
    charging_release(l->charging, slice);
}

void ledger_charges_book(struct ledger *l, uint64_t until_ns)
{
    size_t left = 0;
    for (size_t i = 0; i < l->active_n; i++) {
        struct run_slice *slice = l->active[i];
        book_slice(l, slice, until_ns);
        if (slice->to_ns <= until_ns)
            end_slice(l, slice);
        else
            l->active[left++] = slice;
    }
    l->active_n = left;
}

void ledger_take_slice(struct ledger *l, struct run_slice *slice)
{
    if (slice->to_ns < l->boundary_ns) {
        book_slice(l, slice, slice->to_ns);
        end_slice(l, slice);
        return;
    }
    struct run_slice **active = l->active;
    if (l->active_n == l->active_capacity)
        active = array_reserve(active, &l->active_capacity, l->active_n + 1, sizeof(struct run_slice *));
    if (!active) {
        l->out_of_memory = true;
        return;
    }
    l->active = active;
    l->active[l->active_n++] = slice;
}

uint32_t ledger_idd_of(const struct ledger *l, uint32_t life)
{
    uint32_t idd = charging_idd_of(l->charging, life);
    return idd != NOBODY && l->charging->idds[idd].since_ns <= l->now_ns ? idd : NOBODY;
}

void ledger_charge_dispatch(struct ledger *l, uint32_t life)
{
    uint32_t idd = ledger_idd_of(l, life);
    struct charge_idd *d = idd != NOBODY ? idd_sums(l, &l->charges_live, idd) : NULL;
    if (d)
        d->executions++;
}

/* As it stands in a transition: of a notification `other`, of others `count`. */
struct transition ledger_event_transition(uint64_t time_ns, const struct io_event *h)
{
    return (struct transition){.time_ns = time_ns,
                               .kind = TRANSITION_IO_EVENT,
                               .from = h->kind & 15,
                               .to = h->inferred,
                               .vcpu = h->acting,
                               .pcpu = h->pcpu,
                               .value =
                                   (uint64_t)h->pair << 32 | (h->kind == IO_NOTIFY ? h->other : h->count)};
}

static struct io_event event_of_transition(const struct transition *t)
{
    enum io_kind kind = t->from;
    uint32_t low = (uint32_t)t->value;
    return (struct io_event){.pair = (uint32_t)(t->value >> 32),
                             .acting = t->vcpu,
                             .other = kind == IO_NOTIFY ? low : NOBODY,
                             .count = kind == IO_NOTIFY ? 1 : low,
                             .pcpu = t->pcpu,
                             .kind = kind,
                             .inferred = t->to};
}

static void book_event(struct ledger *l, const struct io_event *h)
{
    const struct pair *p = &l->charging->pairs[h->pair];
    if (!wanted(l, h->pcpu))
        return;
    struct charge_guest *sums = guest_sums(l, &l->charges_live, h->pair);
    if (!sums)
        return;
    sums->events[h->kind] += h->count;
    sums->inferred[h->kind] += h->inferred ? h->count : 0;
    if (h->acting < l->accounts_n)
        l->accounts[h->acting].io_events += h->kind == IO_COPY ? 0 : h->count;
    uint32_t guest_vcpu = NOBODY;
    if (h->kind == IO_NOTIFY)
        guest_vcpu = l->population->vcpus[h->acting].life == p->guest ? h->acting : h->other;
    for (enum cell_kind k = 0; k < CELL_KINDS; k++) {
        struct measures *m = row_of(l, k, p->guest, guest_vcpu, h->pcpu);
        if (m)
            m->io[h->kind] += h->count;
    }
}

void ledger_book_event(struct ledger *l, uint64_t time_ns, const struct io_event *h)
{
    if (l->done)
        return;
    l->now_ns = time_ns;
    book_event(l, h);
}

static void book_unattributed(struct ledger *l, const struct transition *t)
{
    struct charge_idd *d =
        wanted(l, t->pcpu) ? idd_sums(l, &l->charges_live, (uint32_t)(t->value >> 32)) : NULL;
    if (d)
        d->unassigned[t->from] += (uint32_t)t->value;
}

void ledger_book_io(struct ledger *l, const struct transition *t)
{
    if (t->kind == TRANSITION_IO_EVENT) {
        const struct io_event h = event_of_transition(t);
        book_event(l, &h);
    } else {
        book_unattributed(l, t);
    }
}

/* ---- handing out ---- */

/* Adds what the outside counters say of the interval. */
static void add_counters(const struct ledger *l, const struct charge_idd *idd, uint32_t guest_life,
                         const struct interval *interval, struct charge_guest *row)
{
    const struct counters *counters = l->charging->options.counters;
    const struct incarnation *guest = &l->population->incarnations[guest_life];
    uint32_t d = counters ? l->charging->first_device[guest->domain] : NOBODY;
    for (; d != NOBODY; d = l->charging->next_device[d]) {
        const struct counter_device *device = &counters->devices[d];
        if (device->idd != idd->domain)
            continue;
        uint64_t from = max64(interval->start_ns, guest->birth_ns);
        uint64_t to = guest->ended ? min64(interval->end_ns, guest->ended_ns) : interval->end_ns;
        for (unsigned k = 0; k < COUNTER_KINDS; k++) {
            row->counted[k] = row->counted[k] || device->counts[k];
            if (device->counts[k] && from < to)
                row->events[IO_TX + k] +=
                    counters_whole_between(counters, d, k, from, to, &l->charging->clock);
        }
    }
}

static bool is_empty(const struct charge_guest *g)
{
    uint64_t any = g->charged_ns;
    for (int k = 0; k < IO_KINDS; k++)
        any |= g->events[k];
    return any == 0;
}

static struct charge_guest guest_of(struct ledger *l, const struct charge_idd *idd, uint32_t pair,
                                    struct charge_sums *sums, const struct interval *interval)
{
    uint32_t life = l->charging->pairs[pair].guest;
    const struct charge_guest *s = guest_sums(l, sums, pair);
    struct charge_guest guest = s ? *s : (struct charge_guest){.domain = 0};
    guest.domain = l->population->incarnations[life].domain;
    guest.life = l->population->incarnations[life].number;
    add_counters(l, idd, life, interval, &guest);
    return guest;
}

/* The first device of the life's domain in the outside counters; NOBODY: none was counted. */
static uint32_t first_device_of(const struct ledger *l, uint32_t life)
{
    const struct charging *c = l->charging;
    return c->options.counters ? c->first_device[l->population->incarnations[life].domain] : NOBODY;
}

/* How many guests there can be that have counts, but dealt with no driver domain: one for each device of a life. */
static size_t counted_guests(const struct ledger *l)
{
    size_t n = 0;
    for (uint32_t life = 0; l->charging->options.counters && life < l->population->incarnations_n; life++)
        for (uint32_t d = first_device_of(l, life); d != NOBODY; d = l->charging->next_device[d])
            n++;
    return n;
}

static int compare_guests(const void *a, const void *b)
{
    const struct charge_guest *x = a, *y = b;
    return life_compare(x->domain, x->life, y->domain, y->life);
}

/* Adds to the guests of the driver domain, at[n], those that are known from their counts alone. How many there are then. */
static size_t add_counted_guests(const struct ledger *l, uint32_t idd, const struct charge_idd *of,
                                 const struct interval *interval, struct charge_guest *at, size_t n)
{
    size_t before = n;
    for (uint32_t life = 0; l->charging->options.counters && life < l->population->incarnations_n; life++) {
        const struct incarnation *who = &l->population->incarnations[life];
        if (first_device_of(l, life) == NOBODY || who->domain == of->domain ||
            charging_find_pair(l->charging, idd, life) != NOBODY)
            continue;
        at[n] = (struct charge_guest){.domain = who->domain, .life = who->number};
        add_counters(l, of, life, interval, &at[n]);
        n += !is_empty(&at[n]);
    }
    if (n > before)
        qsort(at, n, sizeof *at, compare_guests);
    return n;
}

static int compare_idds(const void *a, const void *b)
{
    const struct charge_idd *x = a, *y = b;
    return life_compare(x->domain, x->life, y->domain, y->life);
}

static bool make_charge_rows(struct ledger *l)
{
    const struct charging *c = l->charging;
    struct charge_idd *idds =
        array_reserve(l->charge_idds, &l->charge_idds_capacity, c->idds_n + 1, sizeof *idds);
    struct charge_guest *guests = array_reserve(l->charge_guests, &l->charge_guests_capacity,
                                                c->pairs_n + counted_guests(l) + 1, sizeof *guests);
    if (idds)
        l->charge_idds = idds;
    if (guests)
        l->charge_guests = guests;
    l->out_of_memory = l->out_of_memory || !idds || !guests;
    return idds && guests;
}

/* The guests of a driver domain in the interval, to at[0] and on. How many there are. */
static size_t list_guests(struct ledger *l, uint32_t idd, const struct charge_idd *of,
                          struct charge_sums *sums, const struct interval *interval, struct charge_guest *at)
{
    const struct idd *d = &l->charging->idds[idd];
    size_t n = 0;
    for (uint32_t p = 0; p < d->pairs_n; p++) {
        at[n] = guest_of(l, of, d->pairs[p], sums, interval);
        n += !is_empty(&at[n]);
    }
    return add_counted_guests(l, idd, of, interval, at, n);
}

void ledger_charges_close(struct ledger *l, size_t g, const struct interval *interval)
{
    const struct charging *c = l->charging;
    struct charge_sums *sums = sums_of(l, g);
    size_t n = 0, guests_n = 0;
    if (l->options.sink.charges && make_charge_rows(l)) {
        for (uint32_t i = 0; i < c->idds_n && i < l->charges_live.idds_n; i++) {
            const struct incarnation *life = &l->population->incarnations[c->idds[i].life];
            const struct charge_idd *s = idd_sums(l, sums, i);
            if (!s || (life->ended && life->ended_ns <= interval->start_ns) ||
                life->birth_ns >= interval->end_ns || c->idds[i].since_ns >= interval->end_ns)
                continue;
            struct charge_idd *idd = &l->charge_idds[n++];
            *idd = *s;
            idd->domain = life->domain;
            idd->life = life->number;
            idd->guests = &l->charge_guests[guests_n];
            guests_n += idd->guests_n = list_guests(l, i, idd, sums, interval, &l->charge_guests[guests_n]);
        }
        qsort(l->charge_idds, n, sizeof *l->charge_idds, compare_idds);
        if (!l->sink_ended &&
            l->options.sink.charges(l->options.sink.context, interval, l->charge_idds, n) != 0)
            l->sink_ended = true;
    }
    clear(sums);
}

void ledger_charges_before_seen(struct ledger *l, uint32_t idd, size_t g, uint64_t ns)
{
    struct charge_idd *live = idd_sums(l, &l->charges_live, idd), *s = idd_sums(l, sums_of(l, g), idd);
    if (!live || !s)
        return;
    s->running_ns += ns;
    s->unattributed_ns += ns;
}
