#include "thread_times.h"

#include <math.h>
#include <stdlib.h>

#include "charge_own.h"
#include "charge_shares.h"
#include "idle_share.h"
#include "metrics/min_max.h"
#include "thread_state.h"

#define STRETCH_NS 1000000000u /* a stretch is no longer, unless a charging period is */
#define CREDIT_NS  2e9         /* time in interrupts that was not charged yet: no more is remembered */

/* ---- begin and end ---- */

static bool has_cpu_time(const struct counters *counters, uint32_t device)
{
    return counters->devices[device].counts[COUNTER_CPU] &&
           counters->begins[device + 1] - counters->begins[device] > 1;
}

struct thread_times *thread_times_new(struct charging *c)
{
    const struct counters *counters = c->options.counters;
    struct thread_times *m = calloc(1, sizeof *m);
    uint32_t *devices = counters ? calloc(counters->devices_n + 1, sizeof *devices) : NULL;
    for (uint32_t d = 0; m && devices && d < counters->devices_n; d++)
        if (has_cpu_time(counters, d))
            devices[m->devices_n++] = d;
    c->failed = c->failed || !m || (counters && !devices);
    if (m && m->devices_n > 0) {
        m->devices = devices;
        return m;
    }
    free(devices);
    free(m);
    return NULL;
}

void thread_times_free(struct thread_times *m)
{
    if (!m)
        return;
    free(m->devices);
    free(m->held.at);
    free(m->pairs);
    free(m->idds);
    free(m);
}

bool thread_times_has(const struct charging *c, uint16_t domain)
{
    const struct thread_times *m = c->threads;
    for (size_t i = 0; m && i < m->devices_n; i++)
        if (c->options.counters->devices[m->devices[i]].idd == domain)
            return true;
    return false;
}

uint64_t thread_times_since(const struct charging *c)
{
    return c->threads && c->threads->held.n > 0 ? c->threads->from_ns : UINT64_MAX;
}

/* ---- stretches begin ---- */

/* Where the windows of thread_limits.h end that end in the stretch. */
static void mark_windows(struct charging *c)
{
    struct thread_times *m = c->threads;
    for (size_t i = 0; i < m->devices_n; i++) {
        uint32_t idd = thread_device_idd(c, m->devices[i]);
        struct of_idd *d =
            idd == NOBODY || !thread_device_is_guests(c, m->devices[i]) ? NULL : thread_times_idd(c, idd);
        uint64_t ns;
        if (d && counters_last(c->options.counters, m->devices[i], m->end_ns, &c->clock, &ns) &&
            ns > m->from_ns)
            thread_limit_mark(&d->limit, max64(ns, d->limit.mark_ns));
    }
}

/* Begins the next stretch, which ends after the next reading. */
static void begin_stretch(struct charging *c, uint64_t from_ns)
{
    struct thread_times *m = c->threads;
    uint64_t most = max64(c->length_ns, STRETCH_NS - STRETCH_NS % c->length_ns), next = from_ns + most, ns;
    for (size_t i = 0; i < m->devices_n; i++)
        if (counters_next(c->options.counters, m->devices[i], from_ns, &c->clock, &ns))
            next = min64(next, ns);
    next += (c->length_ns - next % c->length_ns) % c->length_ns;
    m->from_ns = from_ns;
    m->end_ns = max64(from_ns + c->length_ns, next);
    for (size_t i = 0; i < m->pairs_capacity; i++)
        m->pairs[i] = (struct of_party){0};
    for (size_t i = 0; i < m->idds_capacity; i++)
        m->idds[i] = (struct of_idd){
            .beyond_ns = m->idds[i].beyond_ns, .credit_ns = m->idds[i].credit_ns, .limit = m->idds[i].limit};
    mark_windows(c);
}

/* The clock is known before anything happens, not when this is made. */
static void begin_first(struct charging *c)
{
    if (c->threads->end_ns == 0)
        begin_stretch(c, 0);
}

/* ---- what the model says ---- */

/* Its shares are known, but for a known load of own work. */
static void settle(struct charging *c, struct period *p)
{
    if (p->group)
        idle_share_settle(c, p);
    if (c->own_loads)
        own_load_settle(c, p);
    else
        p->closed = true;
}

void thread_times_settle(struct charging *c, struct period *p)
{
    if (!(c->idds[p->idd].methods & CHARGE_THREADS)) {
        settle(c, p);
        return;
    }
    begin_first(c);
    charging_hold(c, &c->threads->held, p, p->from_ns);
}

void thread_times_count(struct charging *c, uint32_t idd, int change, uint64_t before_ns)
{
    struct of_idd *d = c->threads ? thread_times_idd(c, idd) : NULL;
    if (!d)
        return;
    thread_limit_count(&d->limit, c->now_ns, change);
    thread_limit_add(&d->limit, before_ns);
}

/* The vCPU waited up to to_ns; what it waited in earlier stretches was counted there. */
static void count_wait(struct charging *c, struct charging_vcpu *v, uint64_t to_ns)
{
    struct of_idd *d = to_ns > v->preempted_ns ? thread_times_idd(c, v->preempted->idd) : NULL;
    if (!d)
        return;
    d->waited_ns += (double)(to_ns - v->preempted_ns);
    if (!v->preempted->closed)
        v->preempted->waited_ns += to_ns - v->preempted_ns;
    v->preempted_ns = to_ns;
}

void thread_times_begin_wait(struct charging *c, uint32_t vcpu, struct period *ran_in)
{
    struct charging_vcpu *v = &c->vcpus[vcpu];
    if (!ran_in || !(c->idds[ran_in->idd].methods & CHARGE_THREADS))
        return;
    begin_first(c);
    v->preempted = ran_in;
    v->preempted_ns = c->now_ns;
    ran_in->references++;
}

void thread_times_end_wait(struct charging *c, uint32_t vcpu)
{
    struct charging_vcpu *v = &c->vcpus[vcpu];
    count_wait(c, v, c->now_ns);
    charging_release_period(c, v->preempted);
    v->preempted = NULL;
}

/* NULL: no memory. */
static struct of_party *party_of(struct charging *c, struct of_idd *d, uint32_t to)
{
    return to == SHARE_OWN ? &d->own : to == SHARE_UNATTRIBUTED ? &d->unattributed : thread_times_pair(c, to);
}

/* Adds what the model says of a period. */
static void add_model(struct charging *c, const struct period *p)
{
    struct of_idd *d = thread_times_idd(c, p->idd);
    double sum = charging_sum_weights(p);
    for (size_t i = 0; d && i < p->shares_n; i++) {
        double part = (double)p->weights[i] / sum, ran_ns = part * (double)p->ran_ns;
        struct of_party *to = party_of(c, d, p->shares[i].to);
        d->ran_ns += ran_ns;
        if (!to)
            return;
        to->model_ns += ran_ns;
        to->waited_ns += part * (double)p->waited_ns;
        to->interrupted_ns += part * (double)p->interrupted_ns;
    }
}

/* ---- what is charged ---- */

/* Of the time of threads of which the model has nothing, what they ran: as of all. */
static double part_run(const struct charging *c, const struct of_idd *d)
{
    return d->ran_ns > 0 && !c->options.counters->cpu_is_net ? d->ran_ns / (d->ran_ns + d->waited_ns) : 1;
}

/* Takes out what threads did not run: their vCPU had no pCPU, or it handled interrupts. */
static void correct(const struct charging *c, const struct of_idd *d, struct of_party *p)
{
    bool net = c->options.counters->cpu_is_net;
    double waited_ns = p->interrupted_ns + (net ? 0 : p->waited_ns);
    if (p->model_ns > 0)
        p->measured_ns *= p->model_ns / (p->model_ns + waited_ns);
    else
        p->measured_ns *= part_run(c, d);
}

/* The rest of all guests is no more than what interrupts took; what the model says beyond is own. */
static void limit_rest(struct charging *c, const struct indices *pairs, struct of_idd *d)
{
    double rest = 0;
    for (size_t i = 0; i < pairs->n; i++) {
        const struct of_party *p = &c->threads->pairs[pairs->at[i]];
        rest += fmax(0, p->target_ns - p->measured_ns);
    }
    d->credit_ns = fmin(d->credit_ns + d->interrupts_ns, CREDIT_NS);
    double stays = rest > d->credit_ns ? d->credit_ns / rest : 1;
    d->credit_ns -= rest * stays;
    for (size_t i = 0; i < pairs->n; i++) {
        struct of_party *p = &c->threads->pairs[pairs->at[i]];
        double beyond = fmax(0, p->target_ns - p->measured_ns) * (1 - stays);
        p->target_ns -= beyond;
        d->own.target_ns += beyond;
    }
}

/* What each is charged, for one driver domain. */
static void set_targets(struct charging *c, uint32_t idd, struct of_idd *d)
{
    double excess = 0, lack = d->unknown_ns *= part_run(c, d);
    const struct indices *pairs = &c->idds[idd].pairs;
    for (size_t i = 0; i < pairs->n; i++) {
        struct of_party *p = &c->threads->pairs[pairs->at[i]];
        correct(c, d, p);
        lack += fmax(0, p->measured_ns - p->model_ns);
        excess += fmax(0, p->model_ns - p->measured_ns);
    }
    double pool = d->unattributed.model_ns + d->own.model_ns + excess;
    double filled = lack > pool ? pool / lack : 1;
    double from_unattributed = fmin(lack * filled, d->unattributed.model_ns);
    double others = d->own.model_ns + excess;
    double left = others > 0 ? fmax(0, 1 - (lack * filled - from_unattributed) / others) : 1;
    d->unattributed.target_ns = d->unattributed.model_ns - from_unattributed + d->unknown_ns * filled;
    d->own.target_ns = d->own.model_ns * left;
    for (size_t i = 0; i < pairs->n; i++) {
        struct of_party *p = &c->threads->pairs[pairs->at[i]];
        double more = p->model_ns - p->measured_ns;
        p->target_ns = more > 0 ? p->measured_ns + more * left : p->model_ns - more * filled;
    }
    if (d->interrupts_known && !(c->idds[idd].tasks_seen && charge_by_task(&c->options)))
        limit_rest(c, pairs, d);
}

/* The parties of a driver domain, one after the other: it, nobody, its pairs. False: there is none left. */
static bool next_party(const struct charging *c, uint32_t idd, size_t *i, uint32_t *to)
{
    const struct indices *pairs = &c->idds[idd].pairs;
    if (*i >= pairs->n + 2)
        return false;
    *to = *i == 0 ? SHARE_OWN : *i == 1 ? SHARE_UNATTRIBUTED : pairs->at[*i - 2];
    (*i)++;
    return true;
}

/* How the shares of each period change so that they come to the targets. */
static void set_changes(struct charging *c, uint32_t idd, struct of_idd *d)
{
    double gains = 0;
    uint32_t to;
    for (size_t i = 0; next_party(c, idd, &i, &to);) {
        struct of_party *p = party_of(c, d, to);
        bool less = p->model_ns > p->target_ns && p->model_ns > 0;
        p->keeps = less ? p->target_ns / p->model_ns : 1;
        p->gains = fmax(0, p->target_ns - p->model_ns);
        p->part = p->target_ns > 0 ? fmin(1, p->measured_ns / p->target_ns) : 0;
        gains += p->gains;
    }
    for (size_t i = 0; gains > 0 && next_party(c, idd, &i, &to);)
        party_of(c, d, to)->gains /= gains;
}

/* ---- the shares of a period ---- */

/* What stays of a share. What of it was measured does not rest on events. */
static void keep_share(struct share *s, const struct of_party *p)
{
    float rest = (float)(1 - p->part);
    s->measured = (float)p->part;
    s->inferred *= rest;
    for (int k = 0; k < IO_KINDS; k++)
        s->by_kind[k] *= rest;
}

static void change(struct charging *c, struct period *p, struct of_idd *d)
{
    double sum = charging_sum_weights(p), given = 0;
    uint32_t to;
    if (!charging_restore_weights(c, p))
        return;
    for (size_t i = 0; i < p->shares_n; i++) {
        double weight = (double)p->weights[i] / sum, stays = weight * party_of(c, d, p->shares[i].to)->keeps;
        c->real_weights[i] = stays;
        given += weight - stays;
    }
    for (size_t i = 0; given > 0 && next_party(c, p->idd, &i, &to);)
        if (party_of(c, d, to)->gains > 0)
            charging_add_weight(c, p, to, given * party_of(c, d, to)->gains);
    for (size_t i = 0; i < p->shares_n; i++)
        keep_share(&p->shares[i], party_of(c, d, p->shares[i].to));
    if (!c->failed)
        charging_set_weights(c, p);
}

/* ---- stretches end ---- */

/* What the charges of a stretch rest on, once the model is known, and what each is charged. */
static void settle_idds(struct charging *c, uint64_t to_ns, bool last)
{
    struct thread_times *m = c->threads;
    uint64_t impossible_ns = 0;
    for (uint32_t idd = 0; idd < c->idds_n; idd++) {
        struct of_idd *d = &m->idds[idd];
        if (!(c->idds[idd].methods & CHARGE_THREADS))
            continue;
        thread_measured_doubt(c, idd, to_ns, last);
        set_targets(c, idd, d);
        set_changes(c, idd, d);
        impossible_ns = max64(impossible_ns, d->impossible_ns);
    }
    if (impossible_ns > 0 && c->seen.cpu_impossible_ns == 0)
        c->seen.cpu_impossible_at_ns = m->from_ns;
    c->seen.cpu_impossible_ns += impossible_ns;
}

/* Ends the open stretch at to_ns, with which the trace may end: all of its periods get their shares. */
static void end_stretch(struct charging *c, uint64_t to_ns, bool last)
{
    struct thread_times *m = c->threads;
    for (size_t i = 0; i < c->vcpus_n; i++)
        if (c->vcpus[i].preempted)
            count_wait(c, &c->vcpus[i], to_ns);
    for (size_t i = 0; i < m->held.n; i++)
        add_model(c, m->held.at[i].period);
    thread_measured_add(c, to_ns);
    bool room = (c->pairs_n == 0 || thread_times_pair(c, (uint32_t)c->pairs_n - 1)) &&
                (c->idds_n == 0 || thread_times_idd(c, (uint32_t)c->idds_n - 1)); /* they move no more */
    if (room)
        settle_idds(c, to_ns, last);
    for (size_t i = 0; i < m->held.n; i++) {
        struct period *p = m->held.at[i].period;
        if (!c->failed)
            change(c, p, &m->idds[p->idd]);
        settle(c, p);
        charging_release_period(c, p);
    }
    m->held.n = 0;
}

void thread_times_advance(struct charging *c, uint64_t until_ns)
{
    struct thread_times *m = c->threads;
    if (!m)
        return;
    begin_first(c);
    if (m->end_ns > until_ns)
        return;
    end_stretch(c, m->end_ns, false);
    begin_stretch(c, until_ns);
}

void thread_times_end(struct charging *c, uint64_t end_ns)
{
    if (c->threads)
        end_stretch(c, end_ns, true);
}
