/* Charges and I/O events: booked to rows and to the matrix guest x driver domain. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "apportion.h"
#include "charge_pairs.h"
#include "charge_shares.h"
#include "ledger_cells.h"
#include "ledger_sums.h"
#include "metrics/min_max.h"

#define FEW_SHARES 16 /* their amounts are worked out on the stack */

/*
 * Whether the rows have charges of that pCPU. The ledger that only saves snapshots reports no time at all, and counts every pCPU:
 * the one that restores a snapshot may be asked for any.
 */
static bool wanted(const struct ledger *l, uint16_t pcpu)
{
    const uint8_t *pcpus = l->options.pcpus_wanted;
    return !pcpus || pcpus[pcpu] || l->options.from_ns == UINT64_MAX;
}

/* ---- sums ---- */

void ledger_charges_gather(struct ledger *l)
{
    const struct charge_sums *live = &l->charges_live;
    size_t guests = guests_used(l, live), idds = idds_used(l, live);
    for (size_t g = 0; g < l->options.granularities; g++) {
        for (uint32_t i = 0; i < guests; i++) {
            struct charge_guest *to = guest_sums(l, &l->charges[g], i);
            if (to)
                charge_guest_merge(to, &live->guests[i]);
        }
        for (uint32_t i = 0; i < idds; i++) {
            struct charge_idd *to = idd_sums(l, &l->charges[g], i);
            if (to)
                charge_idd_merge(to, &live->idds[i]);
        }
    }
    clear_sums(l, &l->charges_live);
}

void ledger_charges_clear(struct ledger *l)
{
    for (size_t g = 0; g < l->options.granularities; g++)
        clear_sums(l, &l->charges[g]);
    clear_sums(l, &l->charges_live);
    l->idds_ran_ns = l->idds_unattributed_ns = 0;
    memset(l->idds_doubt_ns, 0, sizeof l->idds_doubt_ns);
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
    l->idds_doubt_ns[slice->period->doubt] += ns;
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
    if (ledger_reserve(l, &l->active, &l->active_capacity, l->active_n, sizeof(struct run_slice *)))
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
