#include "charge_running.h"

#include "charge_choice.h"
#include "charge_marks.h"
#include "charge_measured.h"
#include "charge_own.h"
#include "charge_shares.h"
#include "charge_tally.h"
#include "charge_tasks.h"
#include "thread_times.h"

/* ---- slices ---- */

static bool is_measured(const struct charging *c, uint32_t vcpu)
{
    return charging_driver(c, vcpu)->measured;
}

void charging_open_slice(struct charging *c, uint32_t vcpu, uint16_t pcpu)
{
    bool apart = charging_by_task(c, vcpu) || is_measured(c, vcpu);
    struct period *period = apart ? NULL : charging_period(c, vcpu);
    struct run_slice *slice = charging_new_slice(c, vcpu, pcpu, c->now_ns);
    if ((!period && !apart) || !slice)
        return;
    slice->period = period;
    c->vcpus[vcpu].slice = slice;
    c->vcpus[vcpu].pcpu = pcpu;
    if (apart) {
        tasks_begin(c, vcpu, c->switch_ns);
        return;
    }
    period->references++;
    if (c->options.interval_ns == 0)
        period->from_ns = c->now_ns;
}

void charging_begin_running(struct charging *c, uint32_t vcpu)
{
    uint16_t pcpu = c->view->vcpus[vcpu].pcpu;
    if (c->vcpus[vcpu].slice) /* it runs already: only of a damaged snapshot states do not fit each other */
        return;
    c->vcpus[vcpu].running_at = (uint32_t)c->running.n;
    if (!charging_append(c, &c->running, vcpu))
        return;
    marks_skip(c, pcpu);
    charging_open_slice(c, vcpu, pcpu);
}

/* A kernel that says when it switches tasks does so many times in the time that it runs here. */
#define TOLD_WITHIN_NS 20000000u

static void run_untold(struct charging *c, const struct run_slice *slice)
{
    c->untold_ns += slice->to_ns - slice->from_ns;
    if (c->untold_ns < TOLD_WITHIN_NS || !charging_lacks_tasks(c))
        return;
    c->idle_untold = true;
    c->failed = true;
}

void charging_close_slice(struct charging *c, uint32_t vcpu, bool lost)
{
    struct charging_vcpu *v = &c->vcpus[vcpu];
    struct run_slice *slice = v->slice;
    if (!slice) {
        c->failed = true;
        return;
    }
    if (is_measured(c, vcpu)) {
        charging_close_measured(c, vcpu, c->now_ns);
        return;
    }
    struct period *period = slice->period;
    charging_append_done(c, slice);
    charging_end_in_period(c, slice, c->now_ns);
    if (c->options.charge_idle)
        run_untold(c, slice);
    period->partial = period->partial || lost;
    v->slice = NULL;
    if (c->options.interval_ns == 0) {
        v->period = NULL;
        charging_close_period(c, period, c->now_ns);
        charging_release_period(c, period);
    }
}

void charging_end_running(struct charging *c, uint32_t vcpu, unsigned to, bool lost)
{
    struct charging_vcpu *v = &c->vcpus[vcpu];
    if (!v->slice)
        return;
    v->slice->io_free = v->whole && !v->io_seen && !lost;
    if (charging_by_task(c, vcpu))
        tasks_stop(c, vcpu, to == RUNSTATE_BLOCKED, lost);
    else
        charging_close_slice(c, vcpu, lost);
    uint32_t last = c->running.at[--c->running.n];
    c->running.at[v->running_at] = last;
    c->vcpus[last].running_at = v->running_at;
    v->io_seen = false;
}

void charging_cut_slice(struct charging *c, uint32_t vcpu)
{
    charging_close_slice(c, vcpu, false);
    if (!c->failed)
        charging_open_slice(c, vcpu, c->vcpus[vcpu].pcpu); /* the view may be a transition ahead of a cut */
}

/* ---- driver domains ---- */

/* The trace separates the own work of the driver domain: a load given for it as well would count that work twice. */
static void refuse_own_load(struct charging *c, uint32_t idd)
{
    if (c->idds[idd].own_ppm == 0)
        return;
    c->own_twice = idd;
    c->failed = true;
}

void charging_see_tasks(struct charging *c, uint32_t idd)
{
    charging_choose_tasks(c, idd);
    refuse_own_load(c, idd);
    for (size_t i = 0; i < c->running.n && !c->failed; i++)
        if (charging_idd_of_vcpu(c, c->running.at[i]) == idd)
            charging_cut_slice(c, c->running.at[i]);
}

/* Its packets or requests were counted outside. */
static bool is_counted(const struct charging *c, uint16_t domain)
{
    const struct counters *counters = c->options.counters;
    for (size_t i = 0; counters && i < counters->devices_n; i++)
        if (counters->devices[i].idd == domain && counter_device_has_events(&counters->devices[i]))
            return true;
    return false;
}

/* Its vCPUs; some may run. */
static void take_vcpus(struct charging *c, uint32_t life)
{
    const struct incarnation *l = &c->population->incarnations[life];
    for (uint32_t id = 0; id < l->vcpus_n; id++) {
        uint32_t vcpu = l->vcpus[id];
        if (vcpu == NOBODY || vcpu >= c->vcpus_n || !c->view->vcpus[vcpu].alive)
            continue;
        c->vcpus[vcpu].in_driver_domain = true;
        if (c->view->vcpus[vcpu].state == RUNSTATE_RUNNING)
            charging_begin_running(c, vcpu);
    }
}

uint32_t charging_make_idd(struct charging *c, uint32_t life)
{
    struct charging_life *l = &c->incarnations[life];
    if (l->idd != NOBODY)
        return l->idd;
    if (!charging_make_space(c, &c->idds, &c->idds_capacity, c->idds_n + 1, sizeof *c->idds))
        return NOBODY;
    uint32_t idd = (uint32_t)c->idds_n++;
    uint16_t domain = (uint16_t)c->population->incarnations[life].domain;
    const struct dom0_trace *measured = c->options.dom0_trace;
    c->idds[idd] = (struct idd){.life = life,
                                .since_ns = c->now_ns,
                                .counted = is_counted(c, domain),
                                .measured = measured && measured->domain == domain,
                                .own_ppm = own_load_of(c->options.own, c->options.own_n, domain)};
    if (c->idds[idd].measured)
        refuse_own_load(c, idd);
    charging_begin_choice(c, idd);
    l->idd = idd;
    thread_times_count(c, idd, (int)l->can_run, l->can_run * c->now_ns);
    take_vcpus(c, life);
    own_load_count_vcpus(c, idd);
    return idd;
}
