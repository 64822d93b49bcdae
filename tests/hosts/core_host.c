#include "core_host.h"

#include <stdlib.h>
#include <string.h>

#include "fixtures/prng.h"

enum { IDLE = 32767, NONE = -1 };
#define NEVER UINT64_MAX

struct core_vcpu {
    uint16_t domain, id;
    uint8_t state; /* enum runstate */
    bool blocked;  /* it waits for an event; its state may not be so yet */
    bool paused;
    int unit;
    uint32_t sibling;
    uint64_t due;        /* when it wakes, or has run enough; NEVER: neither */
    uint64_t taken_up;   /* when its sibling will take it up, while its unit runs; NEVER */
    uint64_t burst_left; /* while it does not run */
    size_t truth;        /* its place in recording->vcpus */
};

struct unit {
    int core; /* where it runs, NONE */
    int first_vcpu, vcpus;
    uint32_t id;
    uint16_t domain;
    uint64_t since; /* it runs, or does not */
};

struct core {
    int unit; /* that runs, NONE: idle */
    uint64_t since;
    uint64_t slice_end;
    uint64_t tickled; /* when it will look who waits; NEVER */
    bool used;        /* somebody ran there */
};

struct core_host {
    struct recording *r;
    const struct plan *plan;
    struct prng rng;
    uint64_t now;
    bool tracing;
    uint32_t siblings, cores_n, units_n, vcpus_n;
    struct core_vcpu *vcpus;
    struct unit *units;
    struct core *cores;
    int *current; /* by pCPU: vCPU, NONE: idle */
    uint64_t pause_due;
    int paused_domain; /* NONE */
};

/* ---- who is where ---- */

uint32_t core_of_pcpu(const struct plan *plan, uint32_t pcpu)
{
    uint32_t cores = (uint32_t)(plan->pcpus / plan->siblings);
    return plan->strided ? pcpu % cores : pcpu / (uint32_t)plan->siblings;
}

static uint32_t pcpu_of(const struct core_host *h, uint32_t core, uint32_t sibling)
{
    return h->plan->strided ? sibling * h->cores_n + core : core * h->siblings + sibling;
}

/* The vCPU of a unit for a sibling; NONE: it has none. */
static int vcpu_of(const struct core_host *h, int unit, uint32_t sibling)
{
    if (unit == NONE || (int)sibling >= h->units[unit].vcpus)
        return NONE;
    return h->units[unit].first_vcpu + (int)sibling;
}

static bool wants_to_run(const struct core_vcpu *v)
{
    return !v->blocked && !v->paused;
}

/* Whom a sibling runs when the unit does; NONE: its idle vCPU. */
static int runner_of(const struct core_host *h, int unit, uint32_t sibling)
{
    int v = vcpu_of(h, unit, sibling);
    return v != NONE && wants_to_run(&h->vcpus[v]) ? v : NONE;
}

static bool unit_can_run(const struct core_host *h, int unit)
{
    for (uint32_t i = 0; i < h->siblings; i++)
        if (runner_of(h, unit, i) != NONE)
            return true;
    return false;
}

/* ---- time ---- */

static uint64_t cycles(const struct core_host *h, double ns)
{
    return (uint64_t)(ns * (double)h->r->cpu_hz / 1e9) + 2;
}

static uint32_t ns_since(const struct core_host *h, uint64_t tsc)
{
    return (uint32_t)((double)(h->now - tsc) * 1e9 / (double)h->r->cpu_hz);
}

static uint64_t some(struct core_host *h, double mean_ns)
{
    return prng_skewed(&h->rng, cycles(h, mean_ns));
}

static uint32_t below(struct core_host *h, uint32_t n)
{
    return prng_below(&h->rng, n);
}

/* Usual, quiet, burners, busy; no two domains are alike. */
static double burst_ns(const struct core_host *h, const struct core_vcpu *v)
{
    static const double usual[] = {300000, 40000, 2000000, 30000};
    return usual[h->plan->mood & 3] * (1 + v->domain % 4);
}

static double sleep_ns(const struct core_host *h, const struct core_vcpu *v)
{
    static const double usual[] = {900000, 15000000, 100000, 60000};
    return usual[h->plan->mood & 3] * (1 + v->domain % 3);
}

/* ---- records and truth ---- */

static void record(struct core_host *h, uint32_t pcpu, enum trace_event event, const uint32_t *words,
                   unsigned count)
{
    int current = h->current[pcpu];
    if (!h->tracing)
        return;
    struct recorded of = {.tsc = h->now,
                          .domain = current == NONE ? IDLE : h->vcpus[current].domain,
                          .vcpu = current == NONE ? (uint16_t)pcpu : h->vcpus[current].id,
                          .event = (uint8_t)event,
                          .count = (uint8_t)count};
    memcpy(of.words, words, count * sizeof *words);
    recording_add_record(h->r, pcpu, &of);
}
#define RECORD(h, pcpu, event, ...)                                                                          \
    record(h, pcpu, event, (const uint32_t[]){__VA_ARGS__},                                                  \
           sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

static void record_vcpu(struct core_host *h, uint32_t pcpu, enum trace_event event, const struct core_vcpu *v)
{
    RECORD(h, pcpu, event, v->domain, v->id);
}

/* Written by `ring`; running: on `pcpu`. */
static void change(struct core_host *h, struct core_vcpu *v, enum runstate state, uint32_t ring,
                   uint32_t pcpu)
{
    RECORD(h, ring, (enum trace_event)(TRC_RUNSTATE_CHANGE + v->state * 4 + state),
           (uint32_t)v->domain << 16 | v->id);
    if (v->state == RUNSTATE_RUNNING) {
        v->burst_left = v->due > h->now ? v->due - h->now : 1;
        v->due = NEVER;
    }
    v->state = (uint8_t)state;
    if (state == RUNSTATE_RUNNING)
        v->due = h->now + v->burst_left;
    if (state == RUNSTATE_BLOCKED)
        v->due = h->now + some(h, sleep_ns(h, v));
    v->taken_up = NEVER;
    if (h->tracing)
        recording_add_change(h->r, v->truth, state, h->now, (uint16_t)pcpu);
}

static void change_idle(struct core_host *h, uint32_t pcpu, enum runstate state, uint32_t ring)
{
    enum runstate old = state == RUNSTATE_RUNNING ? RUNSTATE_RUNNABLE : RUNSTATE_RUNNING;
    RECORD(h, ring, (enum trace_event)(TRC_RUNSTATE_CHANGE + old * 4 + state), (uint32_t)IDLE << 16 | pcpu);
}

/* One sibling goes from one vCPU to another, NONE: its idle one; `ring` writes. */
static void switch_sibling(struct core_host *h, uint32_t pcpu, int prev, int next, uint32_t ring)
{
    if (prev == NONE) {
        change_idle(h, pcpu, RUNSTATE_RUNNABLE, ring);
    } else {
        struct core_vcpu *v = &h->vcpus[prev];
        change(h, v,
               v->blocked  ? RUNSTATE_BLOCKED
               : v->paused ? RUNSTATE_OFFLINE
                           : RUNSTATE_RUNNABLE,
               ring, pcpu);
    }
    if (next == NONE)
        change_idle(h, pcpu, RUNSTATE_RUNNING, ring);
    else
        change(h, &h->vcpus[next], RUNSTATE_RUNNING, ring, pcpu);
}

static uint16_t unit_domain(const struct core_host *h, int unit)
{
    return unit == NONE ? IDLE : h->units[unit].domain;
}

/* Xen names a unit by its first vCPU; the idle unit of a core by that of its first pCPU. */
static uint32_t unit_id(const struct core_host *h, int unit, uint32_t core)
{
    return unit == NONE ? pcpu_of(h, core, 0) : h->units[unit].id;
}

static void record_switch(struct core_host *h, uint32_t core, int prev, int next, uint32_t slice_ns,
                          uint32_t ring)
{
    uint32_t a = unit_domain(h, prev), b = unit_domain(h, next);
    uint32_t a_id = unit_id(h, prev, core), b_id = unit_id(h, next, core);
    uint32_t waited = next == NONE ? 0 : ns_since(h, h->units[next].since);
    RECORD(h, ring, TRC_SWITCH_INFPREV, a, a_id, ns_since(h, h->cores[core].since));
    RECORD(h, ring, TRC_SWITCH_INFNEXT, b, b_id, waited, slice_ns);
    RECORD(h, ring, TRC_SWITCH, a, a_id, b, b_id);
}

/* The sibling goes on with whom it runs, and writes that itself. */
static void record_go_on(struct core_host *h, uint32_t pcpu, int unit, uint32_t core, uint32_t slice_ns)
{
    int v = h->current[pcpu];
    uint32_t domain = v == NONE ? IDLE : h->vcpus[v].domain, id = v == NONE ? pcpu : h->vcpus[v].id;
    RECORD(h, pcpu, TRC_SWITCH_INFCONT, domain, unit_id(h, unit, core), 1000, slice_ns);
    RECORD(h, pcpu, TRC_CONTINUE_RUNNING, domain << 16 | id);
}

/* ---- switches ---- */

/* A unit that waits for a core, and may run on this one; NONE. */
static int any_waiting(struct core_host *h, uint32_t core)
{
    uint32_t first = below(h, h->units_n);
    for (uint32_t i = 0; i < h->units_n; i++) {
        uint32_t unit = (first + i) % h->units_n;
        bool here = !h->plan->pinned || unit % h->cores_n == core;
        if (here && h->units[unit].core == NONE && unit_can_run(h, (int)unit))
            return (int)unit;
    }
    return NONE;
}

static void set_unit(struct core_host *h, uint32_t core, int next)
{
    struct core *c = &h->cores[core];
    if (c->unit != NONE) {
        h->units[c->unit].core = NONE;
        h->units[c->unit].since = h->now;
    }
    if (next != NONE) {
        c->used = true;
        h->units[next].core = (int)core;
        h->units[next].since = h->now;
    }
    c->unit = next;
    c->since = h->now;
}

/* All siblings go to `next`, or the same one; the last one at the rendezvous writes. */
static void switch_core(struct core_host *h, uint32_t core, int next)
{
    struct core *c = &h->cores[core];
    int prev = c->unit, before[64];
    uint32_t ring = pcpu_of(h, core, below(h, h->siblings));
    uint32_t slice_ns = h->plan->endless || next == NONE ? UINT32_MAX : 500000 + below(h, 9500000);
    RECORD(h, ring, TRC_CSCHED2_SCHEDULE, ring, 0);
    if (next != prev)
        record_switch(h, core, prev, next, slice_ns, ring);
    for (uint32_t i = 0; i < h->siblings; i++) {
        uint32_t pcpu = pcpu_of(h, core, i);
        int runner = runner_of(h, next, i);
        before[i] = h->current[pcpu];
        if (before[i] != runner)
            switch_sibling(h, pcpu, before[i], runner, ring);
    }
    if (next != prev)
        set_unit(h, core, next);
    c->slice_end = slice_ns == UINT32_MAX ? NEVER : h->now + cycles(h, slice_ns);
    c->tickled = NEVER;
    for (uint32_t i = 0; i < h->siblings; i++) {
        uint32_t pcpu = pcpu_of(h, core, i);
        h->current[pcpu] = runner_of(h, next, i);
        if (h->current[pcpu] == before[i])
            record_go_on(h, pcpu, next, core, slice_ns);
    }
}

static void reschedule(struct core_host *h, uint32_t core, bool gives_way)
{
    int prev = h->cores[core].unit;
    bool stays = prev != NONE && unit_can_run(h, prev);
    int waiting = stays && !gives_way ? NONE : any_waiting(h, core);
    switch_core(h, core, waiting != NONE ? waiting : stays ? prev : NONE);
}

static void tickle(struct core_host *h, uint32_t core, uint32_t on)
{
    uint64_t tsc = h->now + cycles(h, 1000 + below(h, 2000));
    RECORD(h, on, TRC_CSCHED2_TICKLE, pcpu_of(h, core, 0));
    if (tsc < h->cores[core].tickled)
        h->cores[core].tickled = tsc;
}

/* ---- what vCPUs do ---- */

static void find_core(struct core_host *h, int unit, uint32_t on)
{
    uint32_t first = below(h, h->cores_n);
    for (uint32_t i = 0; i < h->cores_n; i++) {
        uint32_t core = (first + i) % h->cores_n;
        bool here = !h->plan->pinned || (uint32_t)unit % h->cores_n == core;
        if (here && (h->cores[core].unit == NONE || below(h, 8) == 0)) {
            tickle(h, core, on);
            return;
        }
    }
}

/* Xen's vcpu_wake() on the pCPU `on`. */
static void wake(struct core_host *h, struct core_vcpu *v, uint32_t on)
{
    record_vcpu(h, on, TRC_WAKE, v);
    v->blocked = false;
    if (v->state < RUNSTATE_BLOCKED)
        return;
    if (v->burst_left <= 1)
        v->burst_left = some(h, burst_ns(h, v));
    if (v->paused) {
        if (v->state == RUNSTATE_BLOCKED)
            change(h, v, RUNSTATE_OFFLINE, on, on);
        v->due = NEVER;
        return;
    }
    change(h, v, RUNSTATE_RUNNABLE, on, on);
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
    if (core == NONE || v->state != RUNSTATE_RUNNABLE || !wants_to_run(v))
        return;
    uint32_t pcpu = pcpu_of(h, (uint32_t)core, v->sibling);
    switch_sibling(h, pcpu, h->current[pcpu], (int)(v - h->vcpus), pcpu);
    h->current[pcpu] = (int)(v - h->vcpus);
}

/* It has run enough: it blocks, yields, or an event comes just in time. */
static void end_burst(struct core_host *h, struct core_vcpu *v)
{
    uint32_t core = (uint32_t)h->units[v->unit].core, pcpu = pcpu_of(h, core, v->sibling);
    if (below(h, 40) == 0) {
        record_vcpu(h, pcpu, TRC_YIELD, v);
        v->due = h->now + some(h, burst_ns(h, v));
        h->now += cycles(h, 300 + below(h, 1500));
        reschedule(h, core, true);
        return;
    }
    record_vcpu(h, pcpu, TRC_BLOCK, v);
    if (below(h, 200) == 0) {
        record_vcpu(h, pcpu, TRC_WAKE, v);
        v->due = h->now + some(h, burst_ns(h, v));
    } else {
        v->blocked = true;
    }
    h->now += cycles(h, 300 + below(h, 1500));
    reschedule(h, core, below(h, 2));
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
    record_vcpu(h, on, TRC_SLEEP, v);
    v->paused = true;
    if (v->state == RUNSTATE_RUNNABLE)
        change(h, v, RUNSTATE_OFFLINE, on, on);
    else if (v->state == RUNSTATE_RUNNING)
        tickle(h, (uint32_t)h->units[v->unit].core, on);
}

static void unpause_vcpu(struct core_host *h, struct core_vcpu *v, uint32_t on)
{
    v->paused = false;
    if (v->state == RUNSTATE_OFFLINE)
        wake(h, v, on);
    else
        record_vcpu(h, on, TRC_WAKE, v);
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
            reschedule(h, i, true);
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
        v->due = h->now + some(h, sleep_ns(h, v) / 4);
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
        uint32_t pcpu = core == NONE ? 0 : pcpu_of(h, (uint32_t)core, v->sibling);
        const struct truth_vcpu of = {.domain = v->domain,
                                      .vcpu = v->id,
                                      .life = 1,
                                      .from_start = true,
                                      .born_tsc = h->now,
                                      .died_tsc = UINT64_MAX};
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
