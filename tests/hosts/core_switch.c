#include "core_host_internal.h"

#include <string.h>

#include "sim/scenario.h"

/* ---- who is where ---- */

uint32_t core_of_pcpu(const struct plan *plan, uint32_t pcpu)
{
    uint32_t cores = (uint32_t)(plan->pcpus / plan->siblings);
    return plan->strided ? pcpu % cores : pcpu / (uint32_t)plan->siblings;
}

uint32_t core_pcpu(const struct core_host *h, uint32_t core, uint32_t sibling)
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

bool core_vcpu_wants_to_run(const struct core_vcpu *v)
{
    return !v->blocked && !v->paused;
}

/* Whom a sibling runs when the unit does; NONE: its idle vCPU. */
static int runner_of(const struct core_host *h, int unit, uint32_t sibling)
{
    int v = vcpu_of(h, unit, sibling);
    return v != NONE && core_vcpu_wants_to_run(&h->vcpus[v]) ? v : NONE;
}

static bool unit_can_run(const struct core_host *h, int unit)
{
    for (uint32_t i = 0; i < h->siblings; i++)
        if (runner_of(h, unit, i) != NONE)
            return true;
    return false;
}

/* ---- time ---- */

static uint32_t ns_since(const struct core_host *h, uint64_t tsc)
{
    return (uint32_t)((double)(h->now - tsc) * 1e9 / (double)h->r->cpu_hz);
}

/* Usual, quiet, burners, busy; no two domains are alike. */
double core_burst_ns(const struct core_host *h, const struct core_vcpu *v)
{
    static const double usual[] = {300000, 40000, 2000000, 30000};
    return usual[h->plan->mood & 3] * (1 + v->domain % 4);
}

double core_sleep_ns(const struct core_host *h, const struct core_vcpu *v)
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

void core_record_vcpu(struct core_host *h, uint32_t pcpu, enum trace_event event, const struct core_vcpu *v)
{
    RECORD(h, pcpu, event, v->domain, v->id);
}

/* Written by `ring`; running: on `pcpu`. */
void core_change(struct core_host *h, struct core_vcpu *v, enum runstate state, uint32_t ring, uint32_t pcpu)
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
        v->due = h->now + some(h, core_sleep_ns(h, v));
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
void core_switch_sibling(struct core_host *h, uint32_t pcpu, int prev, int next, uint32_t ring)
{
    if (prev == NONE) {
        change_idle(h, pcpu, RUNSTATE_RUNNABLE, ring);
    } else {
        struct core_vcpu *v = &h->vcpus[prev];
        core_change(h, v,
                    v->blocked  ? RUNSTATE_BLOCKED
                    : v->paused ? RUNSTATE_OFFLINE
                                : RUNSTATE_RUNNABLE,
                    ring, pcpu);
    }
    if (next == NONE)
        change_idle(h, pcpu, RUNSTATE_RUNNING, ring);
    else
        core_change(h, &h->vcpus[next], RUNSTATE_RUNNING, ring, pcpu);
}

static uint16_t unit_domain(const struct core_host *h, int unit)
{
    return unit == NONE ? IDLE : h->units[unit].domain;
}

/* Xen names a unit by its first vCPU; the idle unit of a core by that of its first pCPU. */
static uint32_t unit_id(const struct core_host *h, int unit, uint32_t core)
{
    return unit == NONE ? core_pcpu(h, core, 0) : h->units[unit].id;
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
    uint32_t ring = core_pcpu(h, core, below(h, h->siblings));
    uint32_t slice_ns =
        h->plan->scheduler == SCENARIO_NULL || next == NONE ? UINT32_MAX : 500000 + below(h, 9500000);
    RECORD(h, ring, TRC_CSCHED2_SCHEDULE, ring, 0);
    if (next != prev)
        record_switch(h, core, prev, next, slice_ns, ring);
    for (uint32_t i = 0; i < h->siblings; i++) {
        uint32_t pcpu = core_pcpu(h, core, i);
        int runner = runner_of(h, next, i);
        before[i] = h->current[pcpu];
        if (before[i] != runner)
            core_switch_sibling(h, pcpu, before[i], runner, ring);
    }
    if (next != prev)
        set_unit(h, core, next);
    c->slice_end = slice_ns == UINT32_MAX ? NEVER : h->now + cycles(h, slice_ns);
    c->tickled = NEVER;
    for (uint32_t i = 0; i < h->siblings; i++) {
        uint32_t pcpu = core_pcpu(h, core, i);
        h->current[pcpu] = runner_of(h, next, i);
        if (h->current[pcpu] == before[i])
            record_go_on(h, pcpu, next, core, slice_ns);
    }
}

void core_reschedule(struct core_host *h, uint32_t core, bool gives_way)
{
    int prev = h->cores[core].unit;
    bool stays = prev != NONE && unit_can_run(h, prev);
    int waiting = stays && !gives_way ? NONE : any_waiting(h, core);
    switch_core(h, core, waiting != NONE ? waiting : stays ? prev : NONE);
}

void core_tickle(struct core_host *h, uint32_t core, uint32_t on)
{
    uint64_t tsc = h->now + cycles(h, 1000 + below(h, 2000));
    RECORD(h, on, TRC_CSCHED2_TICKLE, core_pcpu(h, core, 0));
    if (tsc < h->cores[core].tickled)
        h->cores[core].tickled = tsc;
}
