/* The driver domains' running as transitions and time pass. See charging.h. */
#include "charging.h"

#include <stdlib.h>
#include <string.h>

#include "attribution.h"
#include "charge_choice.h"
#include "charge_marks.h"
#include "charge_own.h"
#include "charge_pairs.h"
#include "charge_running.h"
#include "charge_shares.h"
#include "charge_tasks.h"
#include "idle_share.h"
#include "metrics/min_max.h"
#include "thread_times.h"

#define CUTS_AT_ONCE 256 /* after that many the ledger takes the slices */
#define EMPTY_CUTS   2   /* after so many without anything between them a whole period was empty */

/* ---- begin and end ---- */

struct charging *charging_new(const struct charge_options *options, const struct model *model,
                              const struct charging_sink *sink, uint64_t grain_ns)
{
    struct charging *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->options = *options;
    c->sink = *sink;
    c->grain_ns = grain_ns;
    c->population = model_population(model);
    c->view = model_view(model);
    c->is_idd = calloc(65536, 1);
    if (!c->is_idd || (charge_by_task(options) && !marks_init(c))) {
        charging_free(c);
        return NULL;
    }
    c->explicit_idds = options->idds != NULL;
    if (options->idds)
        memcpy(c->is_idd, options->idds, 65536);
    else
        c->is_idd[0] = 1;
    c->cut_ns = c->length_ns = options->interval_ns ? options->interval_ns : CHARGE_SLICE_NS;
    c->threads = thread_times_new(c);
    c->own_loads = own_load_new(c);
    c->own_twice = NOBODY;
    return c;
}

void charging_free(struct charging *c)
{
    if (!c)
        return;
    charging_free_periods(c);
    for (size_t d = 0; d < c->idds_n; d++) {
        free(c->idds[d].awake.at);
        free(c->idds[d].awaiting.at);
        free(c->idds[d].pairs.at);
    }
    idle_share_free(c);
    thread_times_free(c->threads);
    own_load_free(c->own_loads);
    free(c->is_idd);
    free(c->vcpus);
    free(c->incarnations);
    free(c->idds);
    free(c->pairs);
    free(c->running.at);
    free(c->open.at);
    marks_free(c);
    free(c->waiting.at);
    free(c->measured.at);
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
    size_t incarnations_n = c->incarnations_n;
    if (c->vcpus_n >= c->population->vcpus_n && incarnations_n >= c->population->incarnations_n)
        return;
    charging_make_space(c, &c->vcpus, &c->vcpus_n, c->population->vcpus_n + 1, sizeof *c->vcpus);
    charging_make_space(c, &c->incarnations, &c->incarnations_n, c->population->incarnations_n + 1,
                        sizeof *c->incarnations);
    for (size_t l = incarnations_n; l < c->incarnations_n; l++)
        c->incarnations[l].idd = c->incarnations[l].partner = c->incarnations[l].pairs = NOBODY;
}

/* A vCPU has come or gone, or its state is unknown now, or known again. */
static void count_vcpus(struct charging *c, uint32_t vcpu)
{
    if (c->own_loads && c->vcpus[vcpu].in_driver_domain)
        own_load_count_vcpus(c, charging_idd_of_vcpu(c, vcpu));
}

/* ---- time ---- */

static void close_intervals(struct charging *c)
{
    for (size_t d = 0; d < c->idds_n; d++) {
        struct period *p = c->idds[d].interval;
        if (!p)
            continue;
        charging_close_period(c, p, c->now_ns);
        c->idds[d].interval = NULL;
        charging_release_period(c, p);
    }
}

static bool is_open(const struct charging *c)
{
    bool open = c->running.n > 0 || c->open.n > 0 || c->waiting.n > 0;
    for (size_t d = 0; d < c->idds_n && !open; d++)
        open = c->idds[d].interval != NULL;
    return open;
}

void charging_set_cut(struct charging *c, uint64_t after_ns)
{
    uint64_t begun_ns = after_ns - after_ns % c->length_ns;
    c->cut_ns = begun_ns > UINT64_MAX - c->length_ns ? UINT64_MAX : begun_ns + c->length_ns;
}

/* The same of intervals, all at once. */
static void cut_intervals(struct charging *c)
{
    for (size_t i = 0; i < c->running.n && !c->failed; i++)
        charging_close_slice(c, c->running.at[i], false);
    close_intervals(c);
    /* The view may be a transition ahead of the cut. */
    for (size_t i = 0; i < c->running.n && !c->failed; i++)
        charging_open_slice(c, c->running.at[i], c->vcpus[c->running.at[i]].pcpu);
}

/* Where T is a task: all open periods end. */
static void end_tasks(struct charging *c)
{
    for (size_t i = 0; i < c->running.n && !c->failed; i++) {
        uint32_t vcpu = c->running.at[i];
        attribution_catch_up(c, vcpu);
        if (charging_by_task(c, vcpu))
            tasks_end_stretch(c, vcpu);
    }
    tasks_end_periods(c);
}

/* The open periods end at cut_ns; who runs goes on in the next ones. */
static void cut(struct charging *c)
{
    c->now_ns = c->cut_ns;
    charging_set_cut(c, c->now_ns);
    if (c->options.interval_ns > 0)
        cut_intervals(c);
    end_tasks(c);
    for (size_t i = 0; i < c->running.n && c->options.interval_ns == 0 && !c->failed; i++)
        if (!charging_by_task(c, c->running.at[i]))
            charging_cut_slice(c, c->running.at[i]);
    charging_choose_executions(c);
}

/*
 * Whether each charging period up to settled_ns is like the last one, in which nothing happened from its beginning to its end, and
 * charges nobody: then one period instead of all of them gives the same, to the ns.
 */
static bool is_empty(const struct charging *c, uint64_t settled_ns)
{
    const struct charge_options *o = &c->options;
    bool charges = c->threads || c->own_loads || o->counters || o->dom0_trace || o->spread_own;
    bool empty = !charges && c->empty_cuts == EMPTY_CUTS;
    for (size_t i = 0; empty && i < c->running.n; i++)
        empty = !marks_due(c, c->running.at[i], settled_ns);
    return empty;
}

/* The charging periods up to until_ns are over: those that are held become final as far as what they wait for is known. */
static void advance_held(struct charging *c, uint64_t until_ns)
{
    thread_times_advance(c, until_ns);
    own_load_advance(c, min64(until_ns, thread_times_since(c)));
}

bool charging_advance(struct charging *c, uint64_t settled_ns)
{
    attribution_end_pages(c);
    for (unsigned cuts = 0; c->cut_ns <= settled_ns && c->cut_ns != UINT64_MAX && !c->failed; cuts++) {
        if (cuts == CUTS_AT_ONCE)
            return false;
        if (is_open(c)) {
            if (is_empty(c, settled_ns)) /* the work is of records, not of time without any */
                c->cut_ns = settled_ns - settled_ns % c->length_ns;
            cut(c);
            c->empty_cuts += c->empty_cuts < EMPTY_CUTS;
        } else
            charging_set_cut(c, settled_ns);
        if (c->cut_ns != UINT64_MAX)
            advance_held(c, c->cut_ns - c->length_ns);
    }
    c->now_ns = max64(c->now_ns, settled_ns);
    return true;
}

/* ---- transitions ---- */

static inline bool is_awake(unsigned state)
{
    return state <= RUNSTATE_RUNNABLE; /* or running */
}

/* It runs, or would if it had a pCPU, or may do so. */
static inline bool can_run(unsigned state)
{
    return state != RUNSTATE_BLOCKED && state != RUNSTATE_OFFLINE;
}

/* For CPU times: vCPUs whose threads can run, of every domain, as it may turn out to be a driver domain. */
static void count_can_run(struct charging *c, uint32_t life, int change, uint64_t before_ns)
{
    struct charging_life *l = &c->incarnations[life];
    l->can_run += (uint32_t)change;
    if (l->idd != NOBODY)
        thread_times_count(c, l->idd, change, before_ns);
}

static void emit(struct charging *c, const struct transition *t)
{
    c->sink.transition(c->sink.context, t);
}

/* The vCPU of a driver domain runs no longer on the pCPU: see charging_end_running. */
static void stops(struct charging *c, uint32_t vcpu, uint16_t pcpu, unsigned to, bool lost)
{
    if (!c->vcpus[vcpu].slice)
        return;
    attribution_stops(c, vcpu, pcpu);
    charging_end_running(c, vcpu, to, lost);
}

static void count_awake(struct charging *c, uint32_t vcpu, unsigned before, unsigned state)
{
    if (is_awake(before) != is_awake(state))
        charging_count_awake(c, c->population->vcpus[vcpu].life, is_awake(before) ? -1 : 1);
    if (c->threads && can_run(before) != can_run(state))
        count_can_run(c, c->population->vcpus[vcpu].life, can_run(before) ? -1 : 1, 0);
}

static void starts(struct charging *c, uint32_t vcpu, bool dispatched, bool blind)
{
    c->vcpus[vcpu].whole = dispatched;
    c->vcpus[vcpu].blind = blind;
    charging_begin_running(c, vcpu);
}

static void appear(struct charging *c, const struct transition *t)
{
    uint32_t life = c->population->vcpus[t->vcpu].life;
    struct charging_vcpu *v = &c->vcpus[t->vcpu];
    bool idle = c->view->vcpus[t->vcpu].idle;
    if (!idle && c->is_idd[c->population->incarnations[life].domain])
        charging_make_idd(c, life);
    emit(c, t); /* its time before it was seen is a driver domain's already */
    if (idle)
        return;
    v->in_driver_domain = c->incarnations[life].idd != NOBODY;
    count_awake(c, t->vcpu, RUNSTATE_OFFLINE, t->to);
    if (c->threads && can_run(t->to))
        count_can_run(c, life, 0, c->now_ns - min64(c->now_ns, c->population->incarnations[life].birth_ns));
    count_vcpus(c, t->vcpu);
    if (t->to == RUNSTATE_RUNNING && v->in_driver_domain && !v->slice)
        starts(c, t->vcpu, false, false);
}

static void change_state(struct charging *c, const struct transition *t)
{
    const struct model_view *view = c->view;
    const struct vcpu_view *now = &view->vcpus[t->vcpu];
    struct charging_vcpu *v = &c->vcpus[t->vcpu];
    unsigned before = view->before, to = t->to;
    bool ran = before == RUNSTATE_RUNNING, runs = to == RUNSTATE_RUNNING;
    bool moved = ran && runs && now->pcpu != view->before_pcpu;
    if (!now->alive || now->idle) {
        emit(c, t);
        return;
    }
    if (before != to && (before == RUNSTATE_UNKNOWN || to == RUNSTATE_UNKNOWN))
        count_vcpus(c, t->vcpu);
    struct period *ran_in = v->slice ? v->slice->period : NULL;
    bool preempted = v->slice && to == RUNSTATE_RUNNABLE && c->threads;
    if (v->preempted && !ran)
        thread_times_end_wait(c, t->vcpu);
    if (v->in_driver_domain && ran && (!runs || moved))
        stops(c, t->vcpu, c->view->before_pcpu, to, to == RUNSTATE_UNKNOWN || moved);
    else if (v->in_driver_domain && to == RUNSTATE_UNKNOWN)
        tasks_forget(c, t->vcpu);
    if (preempted)
        thread_times_begin_wait(c, t->vcpu, ran_in ? ran_in : v->task.whole);
    emit(c, t);
    if (ran && runs && !moved)
        return;
    count_awake(c, t->vcpu, before, to);
    if (t->from == RUNSTATE_BLOCKED && to == RUNSTATE_RUNNABLE && t->value < PCPUS_MAX)
        attribution_woken(c, t->vcpu, (uint16_t)t->value);
    bool known = t->from != RUNSTATE_UNKNOWN && t->from != RUNSTATE_RUNNING;
    if (!runs || !v->in_driver_domain)
        return;
    c->switch_ns = transition_switch_ns(t);
    starts(c, t->vcpu, known, !known);
    c->switch_ns = 0;
}

static void die(struct charging *c, const struct transition *t)
{
    if (c->vcpus[t->vcpu].preempted)
        thread_times_end_wait(c, t->vcpu);
    if (c->vcpus[t->vcpu].in_driver_domain && c->view->before == RUNSTATE_RUNNING)
        stops(c, t->vcpu, c->view->before_pcpu, RUNSTATE_OFFLINE, false);
    if (c->vcpus[t->vcpu].in_driver_domain)
        tasks_forget(c, t->vcpu);
    count_vcpus(c, t->vcpu);
    if (!c->view->vcpus[t->vcpu].idle)
        count_awake(c, t->vcpu, c->view->before, RUNSTATE_OFFLINE);
    emit(c, t);
}

void charging_take(struct charging *c, const struct transition *t)
{
    c->empty_cuts = 0;
    if (c->failed || attribution_goes_on(c, t))
        return;
    if (c->pages.end_ns > 0)
        attribution_end_pages(c);
    c->now_ns = max64(c->now_ns, t->time_ns);
    if (t->kind == TRANSITION_IO)
        attribution_record(c, t);
    else if (t->kind == TRANSITION_STATE)
        change_state(c, t);
    else if (t->kind == TRANSITION_APPEAR)
        appear(c, t);
    else if (t->kind == TRANSITION_DIE)
        die(c, t);
    else
        emit(c, t);
}

void charging_end(struct charging *c)
{
    attribution_end_pages(c);
    while (c->running.n > 0 && !c->failed) {
        uint32_t vcpu = c->running.at[c->running.n - 1];
        stops(c, vcpu, c->view->vcpus[vcpu].pcpu, RUNSTATE_RUNNING, false);
    }
    end_tasks(c);
    close_intervals(c);
    charging_choose_executions(c);
    thread_times_end(c, c->now_ns);
    own_load_end(c, c->now_ns);
    if (!charging_lacks_tasks(c))
        return;
    c->idle_untold = true;
    c->failed = true;
}

/* Whether idle time can be shared out shows soon: so long no row is handed out, as it may be refused. */
#define UNTOLD_NS 10000000000u

uint64_t charging_safe(const struct charging *c)
{
    if (c->now_ns < UNTOLD_NS && charging_lacks_tasks(c))
        return 0;
    uint64_t safe = min64(c->now_ns, min64(thread_times_since(c), own_load_since(c)));
    safe = min64(safe, charging_waiting_since(c));
    if (c->groups_open > 0 || c->waiting_interrupts > 0)
        safe = min64(safe, c->cut_ns - c->length_ns);
    for (size_t i = 0; i < c->running.n; i++)
        safe = min64(safe, c->vcpus[c->running.at[i]].slice->from_ns);
    for (size_t i = 0; i < c->open.n; i++)
        safe = min64(safe, c->vcpus[c->open.at[i]].task.whole->from_ns);
    for (size_t d = 0; d < c->idds_n; d++)
        if (c->idds[d].interval)
            safe = min64(safe, c->idds[d].interval->from_ns);
    return safe;
}

struct run_slice *charging_next_slice(struct charging *c)
{
    if (c->done_head == c->done_n) {
        c->done_head = c->done_n = 0;
        return NULL;
    }
    /* A period that is an interval has its shares only at its end; slices after this one are of the same or a later one. */
    return c->done[c->done_head]->period->closed ? c->done[c->done_head++] : NULL;
}

size_t charging_memory(const struct charging *c)
{
    return sizeof *c + c->memory;
}
