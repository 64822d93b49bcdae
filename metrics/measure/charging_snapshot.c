/*
 * The charging stage as a snapshot: who deals with whom and what was learned of it (charging_copy.c); what the vCPUs of driver
 * domains run, and the periods that are not shared out yet. Where items refer to one another numbers stand. A period that is read
 * has one owner: a vCPU, a driver domain, or those that wait.
 */
#include <stdlib.h>

#include "attribution.h"
#include "charge_marks.h"
#include "charge_shares.h"
#include "charging.h"
#include "charging_copy.h"

#define SUM_MOST (1ull << 60) /* ns, of several vCPUs */

/* ---- periods and slices ---- */

static void tally_snapshot(const struct copying *k, struct pair_tally *t)
{
    struct snapshot *s = k->s;
    SNAPSHOT(s, t->pair, k->c->pairs_n ? k->c->pairs_n - 1 : 0);
    copy_check(k, k->c->pairs_n > 0);
    for (int kind = 0; kind < IO_TRACE_KINDS; kind++) {
        SNAPSHOT(s, t->events[kind], UINT32_MAX);
        SNAPSHOT(s, t->inferred[kind], UINT32_MAX);
    }
    SNAPSHOT(s, t->arrived, UINT32_MAX);
}

static void tallies_snapshot(const struct copying *k, struct period *p)
{
    size_t n = snapshot_count(k->s, p->tallies_n, UINT32_MAX);
    if (!charging_make_space(k->c, &p->tallies, &p->tallies_capacity, n, sizeof *p->tallies))
        return;
    p->tallies_n = n;
    for (size_t i = 0; i < n; i++)
        tally_snapshot(k, &p->tallies[i]);
}

/* A slice that waits for its period. */
static void slice_snapshot(const struct copying *k, struct run_slice *r)
{
    struct snapshot *s = k->s;
    uint64_t length_ns = r->to_ns - r->from_ns;
    SNAPSHOT_TIME(s, r->to_ns);
    SNAPSHOT(s, length_ns, r->to_ns);
    SNAPSHOT(s, r->offset_ns, SUM_MOST);
    SNAPSHOT(s, r->vcpu, k->c->population->vcpus_n - 1);
    SNAPSHOT(s, r->pcpu, PCPUS_MAX - 1);
    SNAPSHOT_FLAG(s, r->io_free);
    SNAPSHOT_FLAG(s, r->of_task);
    r->from_ns = r->to_ns - length_ns;
}

static struct run_slice *read_slice(const struct copying *k, struct period *p)
{
    struct run_slice *r = k->s->failed ? NULL : charging_new_slice(k->c, 0, 0, 0);
    if (!r)
        return NULL;
    r->period = p;
    p->references++;
    slice_snapshot(k, r);
    return r;
}

static void write_slices(const struct copying *k, const struct period *p)
{
    size_t n = 0;
    for (const struct run_slice *r = p->first; r; r = r->next_waiting)
        n++;
    snapshot_count(k->s, n, UINT32_MAX);
    for (struct run_slice *r = p->first; r; r = r->next_waiting)
        slice_snapshot(k, r);
}

static void read_slices(const struct copying *k, struct period *p)
{
    for (size_t n = snapshot_count(k->s, 0, UINT32_MAX); n > 0; n--) {
        struct run_slice *r = read_slice(k, p);
        if (!r)
            return;
        if (p->first)
            p->last->next_waiting = r;
        else
            p->first = r;
        p->last = r;
    }
}

static void period_snapshot(const struct copying *k, struct period *p)
{
    struct snapshot *s = k->s;
    SNAPSHOT(s, p->idd, k->c->idds_n ? k->c->idds_n - 1 : 0);
    SNAPSHOT_TIME(s, p->from_ns);
    SNAPSHOT(s, p->ran_ns, SUM_MOST);
    SNAPSHOT_FLAG(s, p->partial);
    SNAPSHOT_FLAG(s, p->io);
    SNAPSHOT_FLAG(s, p->arrivals);
    SNAPSHOT_FLAG(s, p->half_own);
    SNAPSHOT_FLAG(s, p->of_thread);
    SNAPSHOT(s, p->received, UINT32_MAX);
    SNAPSHOT_SPAN(s, p->lead_ns);
    SNAPSHOT_FLAG(s, p->lead_known);
    SNAPSHOT_FLAG(s, p->unfollowed);
    SNAPSHOT_FLAG(s, p->estimated);
    SNAPSHOT_REAL(s, p->unattributed);
    tallies_snapshot(k, p);
    copy_check(k, p->shares_n == 0 && !p->like && k->c->idds_n > 0);
    if (copy_reads(k))
        read_slices(k, p);
    else
        write_slices(k, p);
}

/* Those that are not shared out yet. */
static void write_periods(struct copying *k)
{
    struct period *p;
    for (struct pooled *i = k->c->periods.made; i; i = i->next_made) {
        p = (struct period *)i;
        if (p->references > 0 && !p->closed)
            p->number = (uint32_t)++k->periods_n;
    }
    snapshot_count(k->s, k->periods_n, UINT32_MAX - 1);
    for (struct pooled *i = k->c->periods.made; i; i = i->next_made) {
        p = (struct period *)i;
        if (p->number > 0)
            period_snapshot(k, p);
    }
}

static void read_periods(struct copying *k)
{
    size_t n = snapshot_count(k->s, 0, UINT32_MAX - 1);
    k->periods = calloc(n + 1, sizeof(struct period *));
    copy_check(k, k->periods != NULL);
    for (; k->periods_n < n && !k->s->failed; k->periods_n++) {
        struct period *p = charging_make_period(k->c, 0, 0);
        if (!p)
            return;
        p->references = 0;
        k->periods[k->periods_n] = p;
        period_snapshot(k, p);
    }
}

static struct period *period_by(const struct copying *k, struct period *p)
{
    uint32_t number = p && !p->closed ? p->number - 1 : NOBODY;
    SNAPSHOT_ID(k->s, number, k->periods_n);
    if (!copy_reads(k))
        return p;
    return number == NOBODY || k->s->failed || !k->periods ? NULL : k->periods[number];
}

/* The period that an owner has, NULL: none. */
static void owned_snapshot(const struct copying *k, struct period **p)
{
    struct period *owned = period_by(k, *p);
    if (!copy_reads(k))
        return;
    *p = owned;
    if (!owned)
        return;
    copy_check(k, owned->number == 0);
    owned->number = 1; /* it has its owner */
    owned->references++;
}

/* Slices whose period is not shared out. */
static void done_snapshot(const struct copying *k)
{
    struct charging *c = k->c;
    size_t n = snapshot_count(k->s, c->done_n - c->done_head, UINT32_MAX);
    for (size_t i = 0; i < n && !k->s->failed; i++) {
        struct run_slice *r = copy_reads(k) ? NULL : c->done[c->done_head + i];
        struct period *p = period_by(k, r ? r->period : NULL);
        copy_check(k, p != NULL);
        if (r)
            slice_snapshot(k, r);
        else if (p && (r = read_slice(k, p)))
            charging_append_done(c, r);
    }
}

static void waiting_snapshot(const struct copying *k)
{
    struct charging *c = k->c;
    size_t n = snapshot_count(k->s, c->waiting.n, UINT32_MAX);
    if (!charging_make_space(c, &c->waiting.at, &c->waiting.capacity, n, sizeof *c->waiting.at))
        return;
    for (size_t i = 0; i < n && !k->s->failed; i++) {
        struct held_period *h = &c->waiting.at[i];
        owned_snapshot(k, &h->period);
        SNAPSHOT_TIME(k->s, h->to_ns);
        copy_check(k, h->period != NULL);
        if (copy_reads(k) && !k->s->failed)
            c->waiting.n++;
    }
}

/* ---- what runs ---- */

static void task_snapshot(struct snapshot *s, struct task *t)
{
    SNAPSHOT_TIME(s, t->own_to_ns);
    SNAPSHOT_TIME(s, t->from_ns);
    SNAPSHOT(s, t->switch_ns, SWITCH_NS_MAX);
    SNAPSHOT_TIME(s, t->timer_ns);
    SNAPSHOT_TIME(s, t->turn_ns);
    SNAPSHOT_FLAG(s, t->whole_turn);
    SNAPSHOT(s, t->begin, AT_ARRIVAL);
    SNAPSHOT(s, t->returns, UINT8_MAX);
    SNAPSHOT_FLAG(s, t->idle);
    SNAPSHOT_FLAG(s, t->own_idle);
    SNAPSHOT_FLAG(s, t->slept);
    SNAPSHOT_FLAG(s, t->polls);
    SNAPSHOT_FLAG(s, t->unmapped);
}

/* What a vCPU has of any domain, as it may turn out to be a driver domain. */
static void vcpu_snapshot(const struct copying *k, uint32_t vcpu)
{
    struct charging_vcpu *v = &k->c->vcpus[vcpu];
    struct snapshot *s = k->s;
    SNAPSHOT_FLAG(s, v->in_driver_domain);
    SNAPSHOT_FLAG(s, v->task.by_sibling);
    SNAPSHOT(s, v->task.switch_ns, UINT32_MAX);
    SNAPSHOT_ID(s, v->interrupts.wakes, k->c->population->vcpus_n);
    if (!v->in_driver_domain)
        return;
    copy_check(k, charging_idd_of_vcpu(k->c, vcpu) != NOBODY);
    SNAPSHOT_FLAG(s, v->io_seen);
    SNAPSHOT_FLAG(s, v->whole);
    SNAPSHOT_FLAG(s, v->blind);
    SNAPSHOT(s, v->copies, UINT32_MAX);
    owned_snapshot(k, &v->period);
    task_snapshot(s, &v->task);
    owned_snapshot(k, &v->task.whole);
    owned_snapshot(k, &v->interrupts.period);
    SNAPSHOT_ID(s, v->interrupts.woke, k->c->population->vcpus_n);
    SNAPSHOT_FLAG(s, v->interrupts.switched);
    if (copy_reads(k))
        k->c->waiting_interrupts += v->interrupts.period != NULL;
}

/* The vCPU runs: its slice is in its period, unless T is a task. */
static void restore_running(const struct copying *k, uint32_t vcpu, uint16_t pcpu, uint64_t from_ns)
{
    struct charging *c = k->c;
    struct charging_vcpu *v = &c->vcpus[vcpu];
    const struct vcpu_view *view = &c->view->vcpus[vcpu];
    copy_check(k, v->in_driver_domain && !v->slice && view->alive && view->state == RUNSTATE_RUNNING);
    copy_check(k, view->pcpu == pcpu);
    if (k->s->failed)
        return;
    struct idd *d = charging_driver(c, vcpu);
    struct period *p = d->tasks_seen ? NULL : c->options.interval_ns > 0 ? d->interval : v->period;
    copy_check(k, d->tasks_seen || p);
    struct run_slice *r = k->s->failed ? NULL : charging_new_slice(c, vcpu, pcpu, from_ns);
    if (!r)
        return;
    r->period = p;
    if (p)
        p->references++;
    v->slice = r;
    v->pcpu = pcpu;
    v->running_at = (uint32_t)c->running.n;
    charging_append(c, &c->running, vcpu);
}

static void running_snapshot(const struct copying *k)
{
    struct charging *c = k->c;
    size_t n = snapshot_count(k->s, c->running.n, c->population->vcpus_n);
    for (size_t i = 0; i < n && !k->s->failed; i++) {
        uint32_t vcpu = copy_reads(k) ? 0 : c->running.at[i];
        uint16_t pcpu = copy_reads(k) ? 0 : c->vcpus[vcpu].pcpu;
        uint64_t from_ns = copy_reads(k) ? 0 : c->vcpus[vcpu].slice->from_ns;
        SNAPSHOT(k->s, vcpu, c->population->vcpus_n - 1);
        SNAPSHOT(k->s, pcpu, PCPUS_MAX - 1);
        SNAPSHOT_TIME(k->s, from_ns);
        if (copy_reads(k) && !k->s->failed)
            restore_running(k, vcpu, pcpu, from_ns);
    }
}

/* The vCPUs with a `whole`, in their order. */
static void open_snapshot(const struct copying *k)
{
    struct charging *c = k->c;
    size_t n = snapshot_count(k->s, c->open.n, c->population->vcpus_n);
    for (size_t i = 0; i < n && !k->s->failed; i++) {
        uint32_t vcpu = copy_reads(k) ? 0 : c->open.at[i];
        SNAPSHOT(k->s, vcpu, c->population->vcpus_n - 1);
        if (!copy_reads(k) || k->s->failed)
            continue;
        struct task *t = &c->vcpus[vcpu].task;
        copy_check(k, t->whole && t->open_at == 0 && (c->open.n == 0 || c->open.at[0] != vcpu));
        t->open_at = (uint32_t)c->open.n;
        charging_append(c, &c->open, vcpu);
    }
    for (uint32_t v = 0, left = (uint32_t)n; copy_reads(k) && v < c->population->vcpus_n; v++)
        if (c->vcpus[v].task.whole)
            copy_check(k, left-- > 0);
}

/* ---- marks ---- */

/* How many marks of a queue are known to the model. */
static size_t marks_known(const struct mark_queue *q, uint64_t tsc)
{
    size_t n = 0;
    while (q->head + n < q->n && task_mark_tsc(q->at[q->head + n]) <= tsc)
        n++;
    return n;
}

static void write_marks(const struct copying *k, uint64_t tsc)
{
    for (uint16_t pcpu = 0; k->c->marks && pcpu < PCPUS_MAX; pcpu++) {
        const struct mark_queue *q = &k->c->marks[pcpu];
        size_t n = marks_known(q, tsc);
        if (n == 0)
            continue;
        snapshot_number(k->s, pcpu, PCPUS_MAX);
        snapshot_count(k->s, n, UINT32_MAX);
        for (size_t i = 0; i < n; i++)
            snapshot_number(k->s, q->at[q->head + i] - (i ? q->at[q->head + i - 1] : 0), UINT64_MAX);
    }
    snapshot_number(k->s, PCPUS_MAX, PCPUS_MAX);
}

/* The marks of one pCPU. False: there are none left. */
static bool read_marks(const struct copying *k, uint64_t tsc)
{
    uint16_t pcpu = (uint16_t)snapshot_number(k->s, 0, PCPUS_MAX);
    if (pcpu == PCPUS_MAX || k->s->failed)
        return false;
    size_t n = snapshot_count(k->s, 0, UINT32_MAX);
    uint64_t *at = malloc((n + 1) * sizeof *at), most = tsc << 2 | TASK_POLLS;
    copy_check(k, at && k->c->marks);
    for (size_t i = 0; i < n && !k->s->failed; i++) {
        uint64_t before = i ? at[i - 1] : 0;
        at[i] = before + snapshot_number(k->s, 0, most - before);
    }
    if (!k->s->failed)
        marks_take(k->c, &(struct task_marks){at, n, pcpu});
    free(at);
    return true;
}

/* ---- all of it ---- */

static void seen_snapshot(struct snapshot *s, struct charge_summary *seen)
{
    for (int kind = 0; kind < IO_TRACE_KINDS; kind++) {
        SNAPSHOT(s, seen->events[kind], UINT64_MAX);
        SNAPSHOT(s, seen->inferred[kind], UINT64_MAX);
        SNAPSHOT(s, seen->unassigned[kind], UINT64_MAX);
    }
}

static void parts_snapshot(struct copying *k, uint64_t tsc)
{
    struct charging *c = k->c;
    struct snapshot *s = k->s;
    SNAPSHOT_TIME(s, c->now_ns);
    SNAPSHOT_TIME(s, c->scale_base_ns);
    seen_snapshot(s, &c->seen);
    charging_copy_parties(k);
    if (copy_reads(k))
        read_periods(k);
    else
        write_periods(k);
    for (uint32_t idd = 0; idd < c->idds_n && !s->failed; idd++)
        owned_snapshot(k, &c->idds[idd].interval);
    for (uint32_t vcpu = 0; vcpu < c->population->vcpus_n && !s->failed; vcpu++)
        vcpu_snapshot(k, vcpu);
    running_snapshot(k);
    open_snapshot(k);
    waiting_snapshot(k);
    done_snapshot(k);
    if (!copy_reads(k))
        write_marks(k, tsc);
    while (copy_reads(k) && !s->failed && read_marks(k, tsc))
        ;
}

/* Numbers were needed meanwhile. */
static void end_copying(struct copying *k)
{
    for (struct pooled *i = k->c->periods.made; i; i = i->next_made)
        ((struct period *)i)->number = 0;
    free(k->periods);
}

bool charging_snapshot(struct charging *c, struct snapshot *s, uint64_t tsc)
{
    attribution_end_pages(c);
    struct copying copying = {.c = c, .s = s};
    if (c->threads || c->own_loads || c->options.dom0_trace || c->options.charge_idle)
        return false;
    charging_make_room(c);
    s->failed |= c->failed;
    if (!s->failed)
        parts_snapshot(&copying, tsc);
    end_copying(&copying);
    s->failed |= c->failed;
    if (copy_reads(&copying))
        charging_set_cut(c, c->now_ns);
    return !s->failed;
}
