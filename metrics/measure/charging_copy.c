/* Driver domains and their guests in a snapshot of the charging stage; lists that follow from others are made anew. */
#include "charging_copy.h"

#include <stdlib.h>

#include "charge_pairs.h"

/* ---- who deals with whom ---- */

static void pair_snapshot(const struct copying *k, uint32_t number)
{
    struct charging *c = k->c;
    struct snapshot *s = k->s;
    uint32_t idd = copy_reads(k) ? 0 : c->pairs[number].idd,
             guest = copy_reads(k) ? 0 : c->pairs[number].guest;
    SNAPSHOT(s, idd, c->idds_n - 1);
    SNAPSHOT(s, guest, c->population->incarnations_n - 1);
    if (copy_reads(k) && (s->failed || charging_pair(c, idd, guest) != number)) {
        s->failed = true;
        return;
    }
    struct pair *p = &c->pairs[number];
    SNAPSHOT_ID(s, p->notifies, c->population->vcpus_n);
    copy_check(k, p->notifies == NOBODY || charging_idd_of_vcpu(c, p->notifies) == idd);
    SNAPSHOT_FLAG(s, p->granted);
    SNAPSHOT_REAL(s, p->copied);
    SNAPSHOT_REAL(s, p->copied_notified);
    SNAPSHOT_REAL(s, p->charged);
    SNAPSHOT_REAL(s, p->passed_on);
    SNAPSHOT_REAL(s, p->handled);
    SNAPSHOT_REAL(s, p->handled_ns);
    SNAPSHOT_REAL(s, p->completed);
}

static void pairs_snapshot(const struct copying *k)
{
    size_t n = snapshot_count(k->s, k->c->pairs_n, UINT32_MAX - 1);
    copy_check(k, n == 0 || k->c->idds_n > 0);
    for (uint32_t i = 0; i < n && !k->s->failed; i++)
        pair_snapshot(k, i);
}

static void life_snapshot(const struct copying *k, uint32_t life)
{
    struct charging_life *l = &k->c->incarnations[life];
    struct snapshot *s = k->s;
    SNAPSHOT(s, l->awake, VCPUS_MAX);
    SNAPSHOT(s, l->can_run, UINT32_MAX);
    SNAPSHOT_FLAG(s, l->sends_traced);
    SNAPSHOT_ID(s, l->partner, k->c->pairs_n);
    copy_check(k, l->partner == NOBODY || k->c->pairs[l->partner].guest == life);
}

/* ---- driver domains ---- */

static unsigned possible_methods(const struct charging *c)
{
    unsigned of_trace = CHARGE_GRANTS | CHARGE_COPIES | CHARGE_TRANSFERS | CHARGE_NOTIFICATIONS;
    return of_trace | (c->options.counters ? CHARGE_PACKETS : 0);
}

static void leads_snapshot(struct snapshot *s, struct softirq_leads *l)
{
    SNAPSHOT_REAL(s, l->mean_ns);
    SNAPSHOT_REAL(s, l->low_ns);
    SNAPSHOT(s, l->n, UINT32_MAX);
    SNAPSHOT(s, l->several_n, UINT32_MAX);
}

static void idd_snapshot(const struct copying *k, uint32_t idd)
{
    struct charging *c = k->c;
    struct snapshot *s = k->s;
    struct idd *d = &c->idds[idd];
    SNAPSHOT(s, d->life, c->population->incarnations_n - 1);
    SNAPSHOT_TIME(s, d->since_ns);
    SNAPSHOT(s, d->methods, possible_methods(c));
    SNAPSHOT_FLAG(s, d->counted);
    SNAPSHOT_FLAG(s, d->undecided);
    SNAPSHOT_FLAG(s, d->tasks_seen);
    SNAPSHOT_FLAG(s, d->serves_unmarked);
    leads_snapshot(s, &d->leads);
    SNAPSHOT_SPAN(s, d->shortest_wake_ns);
    SNAPSHOT(s, d->woken, UINT32_MAX);
    SNAPSHOT(s, d->wakes, UINT32_MAX);
    SNAPSHOT_TIME(s, d->woken_ns);
    copy_check(k,
               (d->methods & ~possible_methods(c)) == 0 && (!d->tasks_seen || charge_by_task(&c->options)));
    copy_check(k, c->options.counters ? !d->undecided || d->counted : !d->counted && !d->undecided);
    if (!copy_reads(k) || s->failed)
        return;
    copy_check(k, c->incarnations[d->life].idd == NOBODY);
    c->incarnations[d->life].idd = idd;
}

static void idds_snapshot(const struct copying *k)
{
    struct charging *c = k->c;
    size_t n = snapshot_count(k->s, c->idds_n, c->population->incarnations_n);
    if (!charging_make_space(c, &c->idds, &c->idds_capacity, n, sizeof *c->idds))
        return;
    c->idds_n = n;
    for (uint32_t i = 0; i < n && !k->s->failed; i++)
        idd_snapshot(k, i);
}

/* A list of pairs of the driver domain. */
static size_t list_snapshot(const struct copying *k, uint32_t idd, const struct indices *list, uint32_t *at)
{
    size_t n = snapshot_count(k->s, list->n, k->c->idds[idd].pairs.n);
    for (size_t i = 0; i < n; i++) {
        at[i] = copy_reads(k) ? 0 : list->at[i];
        SNAPSHOT(k->s, at[i], k->c->pairs_n - 1);
        copy_check(k, k->c->pairs[at[i]].idd == idd);
    }
    return k->s->failed ? 0 : n;
}

/* Who is awake, and who awaits something, in the order in which they began to. */
static void lists_snapshot(const struct copying *k, uint32_t idd)
{
    struct charging *c = k->c;
    struct idd *d = &c->idds[idd];
    uint32_t *at = malloc((d->pairs.n + 1) * sizeof *at);
    copy_check(k, at != NULL);
    if (!at)
        return;
    size_t n = list_snapshot(k, idd, &d->awake, at);
    for (size_t i = 0; copy_reads(k) && i < n; i++) {
        copy_check(k, c->pairs[at[i]].awake_at == NOBODY);
        c->pairs[at[i]].awake_at = (uint32_t)d->awake.n;
        charging_append(c, &d->awake, at[i]);
    }
    n = list_snapshot(k, idd, &d->awaiting, at);
    for (size_t i = 0; copy_reads(k) && i < n; i++) {
        copy_check(k, !c->pairs[at[i]].awaits);
        charging_set_awaits(c, at[i], true);
    }
    free(at);
}

/* ---- all of them ---- */

void charging_copy_parties(const struct copying *k)
{
    struct charging *c = k->c;
    idds_snapshot(k);
    pairs_snapshot(k);
    for (uint32_t life = 0; life < c->population->incarnations_n && !k->s->failed; life++)
        life_snapshot(k, life);
    for (uint32_t idd = 0; idd < c->idds_n && !k->s->failed; idd++)
        lists_snapshot(k, idd);
}
