/* Charges are handed out interval by interval: each driver domain with its guests. */
#include <stdlib.h>

#include "charge_pairs.h"
#include "ledger.h"
#include "ledger_sums.h"
#include "metrics/min_max.h"

/* Adds what the outside counters say of the interval. */
static void add_counters(const struct ledger *l, const struct charge_idd *idd, uint32_t guest_life,
                         const struct interval *interval, struct charge_guest *row)
{
    const struct counters *counters = l->charging->options.counters;
    const struct incarnation *guest = &l->population->incarnations[guest_life];
    for (uint32_t d = counters_first(counters, guest->domain); d != NO_DEVICE; d = counters->next[d]) {
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

/* How many guests there can be that have counts, but dealt with no driver domain: one for each device of a life. */
static size_t counted_guests(const struct ledger *l)
{
    const struct counters *c = l->charging->options.counters;
    size_t n = 0;
    for (uint32_t life = 0; c && life < l->population->incarnations_n; life++)
        for (uint32_t d = counters_first(c, l->population->incarnations[life].domain); d != NO_DEVICE;
             d = c->next[d])
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
    const struct counters *c = l->charging->options.counters;
    for (uint32_t life = 0; c && life < l->population->incarnations_n; life++) {
        const struct incarnation *who = &l->population->incarnations[life];
        if (counters_first(c, who->domain) == NO_DEVICE || who->domain == of->domain ||
            who->domain == IDLE_DOMAIN || charging_find_pair(l->charging, idd, life) != NOBODY)
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
    size_t guests = c->pairs_n + counted_guests(l);
    return ledger_reserve(l, &l->charge_idds, &l->charge_idds_capacity, c->idds_n, sizeof *l->charge_idds) &&
           ledger_reserve(l, &l->charge_guests, &l->charge_guests_capacity, guests, sizeof *l->charge_guests);
}

/* The guests of a driver domain in the interval, to at[0] and on. How many there are. */
static size_t list_guests(struct ledger *l, uint32_t idd, const struct charge_idd *of,
                          struct charge_sums *sums, const struct interval *interval, struct charge_guest *at)
{
    const struct idd *d = &l->charging->idds[idd];
    size_t n = 0;
    for (size_t p = 0; p < d->pairs.n; p++) {
        at[n] = guest_of(l, of, d->pairs.at[p], sums, interval);
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
        if (ledger_hands_out(l) &&
            l->options.sink.charges(l->options.sink.context, interval, l->charge_idds, n) != 0)
            l->sink_ended = true;
    }
    clear_sums(l, sums);
}

void ledger_charges_before_seen(struct ledger *l, uint32_t idd, size_t g, uint64_t ns)
{
    struct charge_idd *live = idd_sums(l, &l->charges_live, idd), *s = idd_sums(l, sums_of(l, g), idd);
    if (!live || !s)
        return;
    s->running_ns += ns;
    s->unattributed_ns += ns;
}
