#include "core_host_internal.h"

#include <stdlib.h>

/* ---- what vCPUs do ---- */

static void find_core(struct core_host *h, int unit, uint32_t on)
{
    uint32_t first = below(h, h->cores_n);
    for (uint32_t i = 0; i < h->cores_n; i++) {
        uint32_t core = (first + i) % h->cores_n;
        bool here = !h->plan->pinned || (uint32_t)unit % h->cores_n == core;
        if (here && (h->cores[core].unit == NONE || below(h, 8) == 0)) {
            core_tickle(h, core, on);
            return;
        }
    }
}

/* Xen's vcpu_wake() on the pCPU `on`. */
static void wake(struct core_host *h, struct core_vcpu *v, uint32_t on)
{
    core_record_vcpu(h, on, TRC_WAKE, v);
    v->blocked = false;
    if (v->state < RUNSTATE_BLOCKED)
        return;
    if (v->burst_left <= 1)
        v->burst_left = some(h, core_burst_ns(h, v));
    if (v->paused) {
        if (v->state == RUNSTATE_BLOCKED)
            core_change(h, v, RUNSTATE_OFFLINE, on, on);
        v->due = NEVER;
        return;
    }
    core_change(h, v, RUNSTATE_RUNNABLE, on, on);
    v->due = NEVER;
    if (h->units[v->unit].core != NONE)
        v->taken_up = h->now + cycles(h, 500 + below(h, 3000));
    else
        find_core(h, v->unit, on);
}

/* Its unit runs: its sibling takes it up by itself. */
static void take_up(struct core_host *h, struct core_vcpu *v)
{
    int core = h->units[v->unit].core;
    v->taken_up = NEVER;
    if (core == NONE || v->state != RUNSTATE_RUNNABLE || !core_vcpu_wants_to_run(v))
        return;
    uint32_t pcpu = core_pcpu(h, (uint32_t)core, v->sibling);
    core_switch_sibling(h, pcpu, h->current[pcpu], (int)(v - h->vcpus), pcpu);
    h->current[pcpu] = (int)(v - h->vcpus);
}

/* It has run enough: it blocks, yields, or an event comes just in time. */
static void end_burst(struct core_host *h, struct core_vcpu *v)
{
    uint32_t core = (uint32_t)h->units[v->unit].core, pcpu = core_pcpu(h, core, v->sibling);
    if (below(h, 40) == 0) {
        core_record_vcpu(h, pcpu, TRC_YIELD, v);
        v->due = h->now + some(h, core_burst_ns(h, v));
        h->now += cycles(h, 300 + below(h, 1500));
        core_reschedule(h, core, true);
        return;
    }
    core_record_vcpu(h, pcpu, TRC_BLOCK, v);
    if (below(h, 200) == 0) {
        core_record_vcpu(h, pcpu, TRC_WAKE, v);
        v->due = h->now + some(h, core_burst_ns(h, v));
    } else {
        v->blocked = true;
    }
    h->now += cycles(h, 300 + below(h, 1500));
    core_reschedule(h, core, below(h, 2));
}

/* A pCPU on which somebody ran, to write about others: one that never switched does not say that it is idle. */
static uint32_t any_pcpu(struct core_host *h)
{
    uint32_t first = below(h, (uint32_t)h->plan->pcpus), pcpu = first;
    for (int64_t i = 0; i < h->plan->pcpus && !h->cores[core_of_pcpu(h->plan, pcpu)].used; i++)
        pcpu = (first + (uint32_t)i) % (uint32_t)h->plan->pcpus;
    return pcpu;
}

static void vcpu_due(struct core_host *h, struct core_vcpu *v)
{
    if (v->state == RUNSTATE_RUNNING)
        end_burst(h, v);
    else
        wake(h, v, any_pcpu(h));
}

/* ---- the toolstack ---- */

static void pause_vcpu(struct core_host *h, struct core_vcpu *v, uint32_t on)
{
    core_record_vcpu(h, on, TRC_SLEEP, v);
    v->paused = true;
    if (v->state == RUNSTATE_RUNNABLE)
        core_change(h, v, RUNSTATE_OFFLINE, on, on);
    else if (v->state == RUNSTATE_RUNNING)
        core_tickle(h, (uint32_t)h->units[v->unit].core, on);
}

static void unpause_vcpu(struct core_host *h, struct core_vcpu *v, uint32_t on)
{
    v->paused = false;
    if (v->state == RUNSTATE_OFFLINE)
        wake(h, v, on);
    else
        core_record_vcpu(h, on, TRC_WAKE, v);
}

static void pause_due(struct core_host *h)
{
    uint32_t on = any_pcpu(h);
    int domain = h->paused_domain == NONE ? 1 + (int)below(h, (uint32_t)h->plan->domains) : h->paused_domain;
    for (uint32_t i = 0; i < h->vcpus_n; i++) {
        if (h->vcpus[i].domain != domain)
            continue;
        if (h->paused_domain == NONE)
            pause_vcpu(h, &h->vcpus[i], on);
        else
            unpause_vcpu(h, &h->vcpus[i], on);
    }
    h->pause_due = h->now + some(h, h->paused_domain == NONE ? 20e6 : 200e6);
    h->paused_domain = h->paused_domain == NONE ? domain : NONE;
}

/* ---- from beginning to end ---- */

static uint64_t earliest(const struct core_host *h)
{
    uint64_t due = h->pause_due;
    for (uint32_t i = 0; i < h->vcpus_n; i++) {
        due = h->vcpus[i].due < due ? h->vcpus[i].due : due;
        due = h->vcpus[i].taken_up < due ? h->vcpus[i].taken_up : due;
    }
    for (uint32_t i = 0; i < h->cores_n; i++) {
        due = h->cores[i].slice_end < due ? h->cores[i].slice_end : due;
        due = h->cores[i].tickled < due ? h->cores[i].tickled : due;
    }
    return due;
}

/* Does one thing that is due; each has a moment of its own. */
static void act(struct core_host *h, uint64_t due)
{
    h->now = due > h->now ? due : h->now + 1;
    for (uint32_t i = 0; i < h->vcpus_n; i++) {
        if (h->vcpus[i].due == due) {
            vcpu_due(h, &h->vcpus[i]);
            return;
        }
        if (h->vcpus[i].taken_up == due) {
            take_up(h, &h->vcpus[i]);
            return;
        }
    }
    for (uint32_t i = 0; i < h->cores_n; i++) {
        if (h->cores[i].slice_end == due || h->cores[i].tickled == due) {
            core_reschedule(h, i, true);
            return;
        }
    }
    pause_due(h);
}

static void run_until(struct core_host *h, uint64_t tsc)
{
    for (uint64_t due = earliest(h); due < tsc; due = earliest(h))
        act(h, due);
    h->now = tsc > h->now ? tsc : h->now;
}

static void make_vcpus(struct core_host *h)
{
    uint32_t each = (uint32_t)h->plan->vcpus, units_each = (each + h->siblings - 1) / h->siblings;
    for (uint32_t i = 0; i < h->vcpus_n; i++) {
        uint32_t domain = i / each, id = i % each;
        struct core_vcpu *v = &h->vcpus[i];
        *v = (struct core_vcpu){.domain = (uint16_t)domain,
                                .id = (uint16_t)id,
                                .state = RUNSTATE_BLOCKED,
                                .blocked = true,
                                .unit = (int)(domain * units_each + id / h->siblings),
                                .sibling = id % h->siblings,
                                .taken_up = NEVER};
        v->due = h->now + some(h, core_sleep_ns(h, v) / 4);
        struct unit *u = &h->units[v->unit];
        if (v->sibling == 0)
            *u = (struct unit){
                .core = NONE, .first_vcpu = (int)i, .id = id, .domain = (uint16_t)domain, .since = h->now};
        u->vcpus++;
    }
}

static bool begin(struct core_host *h)
{
    uint32_t pcpus = (uint32_t)h->plan->pcpus, each = (uint32_t)h->plan->vcpus;
    uint32_t domains = 1 + (uint32_t)h->plan->domains;
    h->siblings = (uint32_t)h->plan->siblings;
    h->cores_n = pcpus / h->siblings;
    h->vcpus_n = domains * each;
    h->units_n = domains * ((each + h->siblings - 1) / h->siblings);
    h->vcpus = calloc(h->vcpus_n, sizeof *h->vcpus);
    h->units = calloc(h->units_n, sizeof *h->units);
    h->cores = calloc(h->cores_n, sizeof *h->cores);
    h->current = malloc(pcpus * sizeof *h->current);
    if (!h->vcpus || !h->units || !h->cores || !h->current)
        return false;
    prng_seed(&h->rng, h->plan->seed ^ 0x636f7265);
    h->now = h->r->cpu_hz * 1000 + below(h, 1 << 20);
    for (uint32_t i = 0; i < pcpus; i++)
        h->current[i] = NONE;
    for (uint32_t i = 0; i < h->cores_n; i++)
        h->cores[i] = (struct core){.unit = NONE, .since = h->now, .slice_end = NEVER, .tickled = NEVER};
    make_vcpus(h);
    h->paused_domain = NONE;
    h->pause_due = h->now + some(h, 200e6);
    return true;
}

static void start_tracing(struct core_host *h)
{
    h->tracing = true;
    h->r->begin_tsc = h->now;
    for (uint32_t i = 0; i < h->vcpus_n; i++) {
        struct core_vcpu *v = &h->vcpus[i];
        int core = h->units[v->unit].core;
        uint32_t pcpu = core == NONE ? 0 : core_pcpu(h, (uint32_t)core, v->sibling);
        const struct truth_vcpu of = {
            .domain = v->domain, .vcpu = v->id, .life = 1, .born_tsc = h->now, .died_tsc = UINT64_MAX};
        v->truth = recording_add_vcpu(h->r, &of);
        recording_add_change(h->r, v->truth, (enum runstate)v->state, h->now, (uint16_t)pcpu);
    }
}

bool core_host_record(struct recording *r, const struct plan *plan)
{
    struct core_host h = {.r = r, .plan = plan};
    bool done = recording_begin(r, (uint64_t)plan->khz * 1000, (uint32_t)plan->pcpus) && begin(&h);
    if (done) {
        run_until(&h, h.now + cycles(&h, 30e6));
        start_tracing(&h);
        run_until(&h, h.now + cycles(&h, (double)plan->host_ms * 1e6));
        recording_end(r);
    }
    free(h.vcpus);
    free(h.units);
    free(h.cores);
    free(h.current);
    return done && !r->failed;
}
