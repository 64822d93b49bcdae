/* The driver domains' running as transitions and time pass. See charging.h. */
#include "charging.h"

#include <stdlib.h>
#include <string.h>

#include "metrics/array.h"
#include "metrics/min_max.h"

#define CUTS_AT_ONCE 256 /* after that many the ledger takes the slices */

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

struct charging *charging_new(const struct charge_options *options, const struct model *model,
                              const struct charging_sink *sink)
{
    struct charging *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->options = *options;
    c->sink = *sink;
    c->population = model_population(model);
    c->view = model_view(model);
    c->is_idd = calloc(65536, 1);
    if (charge_by_task(options))
        c->marks = calloc(PCPUS_MAX, sizeof *c->marks);
    if (!c->is_idd || (charge_by_task(options) && !c->marks) || (options->counters && !index_devices(c))) {
        charging_free(c);
        return NULL;
    }
    for (size_t p = 0; c->marks && p < PCPUS_MAX; p++)
        c->marks[p].next_ns = UINT64_MAX;
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
    while (c->slices_made) {
        struct run_slice *next = c->slices_made->next_made;
        free(c->slices_made);
        c->slices_made = next;
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
        free(c->idds[d].awake);
        free(c->idds[d].awaiting);
        free(c->idds[d].pairs);
    }
    idle_share_free(c);
    thread_times_free(c->threads);
    own_load_free(c->own_loads);
    free(c->is_idd);
    free(c->vcpus);
    free(c->incarnations);
    free(c->idds);
    free(c->pairs);
    free(c->running);
    free(c->open);
    for (size_t p = 0; c->marks && p < PCPUS_MAX; p++)
        free(c->marks[p].at);
    free(c->marks);
    free(c->waiting);
    free(c->real_weights);
    free(c->measured);
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
    size_t vcpus_n = c->vcpus_n, incarnations_n = c->incarnations_n;
    if (vcpus_n >= c->population->vcpus_n && incarnations_n >= c->population->incarnations_n)
        return;
    struct charging_vcpu *vcpus =
        array_reserve(c->vcpus, &c->vcpus_n, c->population->vcpus_n + 1, sizeof *vcpus);
    if (vcpus)
        c->vcpus = vcpus;
    struct charging_life *incarnations = array_reserve(
        c->incarnations, &c->incarnations_n, c->population->incarnations_n + 1, sizeof *incarnations);
    if (incarnations)
        c->incarnations = incarnations;
    for (size_t l = incarnations_n; l < c->incarnations_n; l++)
        c->incarnations[l].idd = c->incarnations[l].partner = c->incarnations[l].pairs = NOBODY;
    c->memory +=
        (c->vcpus_n - vcpus_n) * sizeof *vcpus + (c->incarnations_n - incarnations_n) * sizeof *incarnations;
    c->failed = c->failed || !vcpus || !incarnations;
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
    struct idd *d = &c->idds[idd];
    if (d->undecided)
        charging_choose_tasks(c, idd);
    d->tasks_seen = true;
    refuse_own_load(c, idd);
    /* What tasks did is better evidence than packets, which tell of no moment. */
    if (charge_methods_are_automatic(c->options.methods))
        d->methods = charging_methods(c, false, d->methods & CHARGE_THREADS);
    for (size_t i = 0; i < c->running_n && !c->failed; i++)
        if (c->incarnations[c->population->vcpus[c->running[i]].life].idd == idd)
            charging_cut_slice(c, c->running[i]);
}

uint32_t charging_make_idd(struct charging *c, uint32_t life)
{
    if (c->incarnations[life].idd != NOBODY)
        return c->incarnations[life].idd;
    size_t capacity = c->idds_capacity;
    struct idd *idds = array_reserve(c->idds, &c->idds_capacity, c->idds_n + 1, sizeof *idds);
    if (!idds) {
        c->failed = true;
        return NOBODY;
    }
    c->idds = idds;
    c->memory += (c->idds_capacity - capacity) * sizeof *idds;
    uint32_t idd = (uint32_t)c->idds_n++;
    uint16_t domain = (uint16_t)c->population->incarnations[life].domain;
    const struct counters *counters = c->options.counters;
    for (size_t i = 0; counters && i < counters->devices_n; i++)
        if (counters->devices[i].idd == domain && counter_device_has_events(&counters->devices[i]))
            c->idds[idd].counted = true;
    c->idds[idd].life = life;
    c->idds[idd].since_ns = c->now_ns;
    const struct dom0_trace *measured = c->options.dom0_trace;
    c->idds[idd].measured = measured && measured->domain == c->population->incarnations[life].domain;
    c->idds[idd].own_ppm = own_load_of(c->options.own, c->options.own_n, domain);
    if (c->idds[idd].measured)
        refuse_own_load(c, idd);
    c->idds[idd].methods =
        c->idds[idd].measured ? 0 : charging_methods(c, c->idds[idd].counted, thread_times_has(c, domain));
    charging_begin_choice(c, idd);
    c->incarnations[life].idd = idd;
    if (c->threads)
        thread_times_count(c, idd, (int)c->incarnations[life].can_run,
                           c->incarnations[life].can_run * c->now_ns);
    const struct incarnation *l = &c->population->incarnations[life];
    for (uint32_t id = 0; id < l->vcpus_n; id++) {
        uint32_t vcpu = l->vcpus[id];
        if (vcpu == NOBODY || vcpu >= c->vcpus_n || !c->view->vcpus[vcpu].alive)
            continue;
        c->vcpus[vcpu].in_driver_domain = true;
        if (c->view->vcpus[vcpu].state == RUNSTATE_RUNNING)
            charging_begin_running(c, vcpu);
    }
    own_load_count_vcpus(c, idd);
    return idd;
}

/* A vCPU has come or gone, or its state is unknown now, or known again. */
static void count_vcpus(struct charging *c, uint32_t vcpu)
{
    if (c->own_loads && c->vcpus[vcpu].in_driver_domain)
        own_load_count_vcpus(c, c->incarnations[c->population->vcpus[vcpu].life].idd);
}

/* ---- time ---- */

void charging_settle_period(struct charging *c, struct period *p)
{
    if (p->group)
        idle_share_settle(c, p);
    if (c->own_loads && c->idds[p->idd].own_ppm > 0)
        own_load_hold(c, p);
    else
        p->closed = true;
}

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
    bool open = c->running_n > 0 || c->open_n > 0 || c->waiting_n > 0;
    for (size_t d = 0; d < c->idds_n && !open; d++)
        open = c->idds[d].interval != NULL;
    return open;
}

static void set_cut(struct charging *c, uint64_t after_ns)
{
    uint64_t begun_ns = after_ns - after_ns % c->length_ns;
    c->cut_ns = begun_ns > UINT64_MAX - c->length_ns ? UINT64_MAX : begun_ns + c->length_ns;
}

/* The same of intervals, all at once. */
static void cut_intervals(struct charging *c)
{
    for (size_t i = 0; i < c->running_n && !c->failed; i++)
        charging_close_slice(c, c->running[i], false);
    close_intervals(c);
    /* The view may be a transition ahead of the cut. */
    for (size_t i = 0; i < c->running_n && !c->failed; i++)
        charging_open_slice(c, c->running[i], c->vcpus[c->running[i]].pcpu);
}

/* The open periods end at cut_ns; who runs goes on in the next ones. */
static void cut(struct charging *c)
{
    c->now_ns = c->cut_ns;
    set_cut(c, c->now_ns);
    if (c->options.interval_ns > 0)
        cut_intervals(c);
    tasks_end_periods(c);
    for (size_t i = 0; i < c->running_n && c->options.interval_ns == 0 && !c->failed; i++)
        if (!charging_by_task(c, c->running[i]))
            charging_cut_slice(c, c->running[i]);
    charging_choose_executions(c);
}

/* The charging periods up to until_ns are over: those that are held become final as far as what they wait for is known. */
static void advance_held(struct charging *c, uint64_t until_ns)
{
    if (c->threads)
        thread_times_advance(c, until_ns);
    if (c->own_loads)
        own_load_advance(c, min64(until_ns, thread_times_since(c)));
}

bool charging_advance(struct charging *c, uint64_t settled_ns)
{
    for (unsigned cuts = 0; c->cut_ns <= settled_ns && c->cut_ns != UINT64_MAX && !c->failed; cuts++) {
        if (cuts == CUTS_AT_ONCE)
            return false;
        if (is_open(c))
            cut(c);
        else
            set_cut(c, settled_ns);
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
    charging_emit(c, t); /* its time before it was seen is a driver domain's already */
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
        charging_emit(c, t);
        return;
    }
    if (before != to && (before == RUNSTATE_UNKNOWN || to == RUNSTATE_UNKNOWN))
        count_vcpus(c, t->vcpu);
    struct period *ran_in = v->slice ? v->slice->period : NULL;
    bool preempted = v->slice && to == RUNSTATE_RUNNABLE && c->threads;
    if (v->preempted && !ran)
        thread_times_end_wait(c, t->vcpu);
    if (v->in_driver_domain && ran && (!runs || moved))
        charging_end_running(c, t->vcpu, c->view->before_pcpu, to, to == RUNSTATE_UNKNOWN || moved);
    else if (v->in_driver_domain && to == RUNSTATE_UNKNOWN)
        tasks_forget(c, t->vcpu);
    if (preempted)
        thread_times_begin_wait(c, t->vcpu, ran_in ? ran_in : v->task.whole);
    charging_emit(c, t);
    if (ran && runs && !moved)
        return;
    count_awake(c, t->vcpu, before, to);
    if (t->from == RUNSTATE_BLOCKED && to == RUNSTATE_RUNNABLE && t->value < PCPUS_MAX)
        attribution_woken(c, t->vcpu, (uint16_t)t->value);
    bool known = t->from != RUNSTATE_UNKNOWN && t->from != RUNSTATE_RUNNING;
    if (runs && v->in_driver_domain)
        starts(c, t->vcpu, known, !known);
}

static void die(struct charging *c, const struct transition *t)
{
    if (c->vcpus[t->vcpu].preempted)
        thread_times_end_wait(c, t->vcpu);
    if (c->vcpus[t->vcpu].in_driver_domain && c->view->before == RUNSTATE_RUNNING)
        charging_end_running(c, t->vcpu, c->view->before_pcpu, RUNSTATE_OFFLINE, false);
    if (c->vcpus[t->vcpu].in_driver_domain)
        tasks_forget(c, t->vcpu);
    count_vcpus(c, t->vcpu);
    if (!c->view->vcpus[t->vcpu].idle)
        count_awake(c, t->vcpu, c->view->before, RUNSTATE_OFFLINE);
    charging_emit(c, t);
}

void charging_take(struct charging *c, const struct transition *t)
{
    if (c->failed)
        return;
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
        charging_emit(c, t);
}

bool charging_lacks_tasks(const struct charging *c)
{
    bool told = false;
    for (size_t i = 0; i < c->idds_n; i++)
        told = told || c->idds[i].tasks_seen || c->idds[i].measured;
    return c->options.charge_idle && c->idds_n > 0 && !told;
}

void charging_end(struct charging *c)
{
    while (c->running_n > 0 && !c->failed) {
        uint32_t vcpu = c->running[c->running_n - 1];
        charging_end_running(c, vcpu, c->view->vcpus[vcpu].pcpu, RUNSTATE_RUNNING, false);
    }
    tasks_end_periods(c);
    close_intervals(c);
    charging_choose_executions(c);
    if (c->threads)
        thread_times_end(c, c->now_ns);
    if (c->own_loads)
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
    if (c->groups_open > 0 || c->devices_n > 0)
        safe = min64(safe, c->cut_ns - c->length_ns);
    for (size_t i = 0; i < c->running_n; i++)
        safe = min64(safe, c->vcpus[c->running[i]].slice->from_ns);
    for (size_t i = 0; i < c->open_n; i++)
        safe = min64(safe, c->vcpus[c->open[i]].task.whole->from_ns);
    for (size_t d = 0; d < c->idds_n; d++)
        if (c->idds[d].interval)
            safe = min64(safe, c->idds[d].interval->from_ns);
    return safe;
}

size_t charging_memory(const struct charging *c)
{
    return sizeof *c + c->memory;
}
