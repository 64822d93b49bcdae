/* Which records are written by whom, and in which order: Xen xen/common/sched/core.c, from 4.13 on. */
#include "core_recording.h"

#include <string.h>

#include "random.h"

#define RING_BYTES (2 * 4096 - 8)

static unsigned below(struct core_host *h, uint64_t n)
{
    return (unsigned)random_below(&h->random, n);
}

static unsigned pcpu_of(const struct core_host *h, unsigned core, unsigned sibling)
{
    return h->plan.strided ? sibling * h->plan.cores + core : core * h->plan.siblings + sibling;
}

static struct core_vcpu *vcpu_of(struct core_host *h, int unit, unsigned sibling)
{
    return unit < 0 ? NULL : &h->vcpu[(unsigned)unit * h->plan.siblings + sibling];
}

/* ---- rings ---- */

/* Whether the pCPU can write now; if not, `n` records are lost. */
static bool can_write(struct core_host *h, unsigned pcpu, unsigned n)
{
    on(&h->capture, pcpu);
    if (h->plan.loses && !h->lost[pcpu] && below(h, 300) == 0) {
        while (h->capture.pcpus[pcpu].n + 16 <= RING_BYTES)
            mark(&h->capture, h->now);
        h->full[pcpu] = true;
        h->blind_since[pcpu] = h->now;
        h->lost[pcpu] = 1;
    }
    if (h->lost[pcpu])
        h->lost[pcpu] += n;
    return !h->lost[pcpu];
}

static bool runs(const struct core_vcpu *k)
{
    return k && k->state == RUNNING;
}

static void see_again(struct core_host *h, unsigned core, unsigned sibling)
{
    unsigned pcpu = pcpu_of(h, core, sibling);
    const struct core_vcpu *k = vcpu_of(h, h->unit_of[core], sibling);
    on(&h->capture, pcpu);
    rec_lost(&h->capture, h->now, h->lost[pcpu], runs(k) ? k->dom : IDLE, runs(k) ? k->vcpu : pcpu,
             h->blind_since[pcpu]);
    h->lost[pcpu] = 0;
}

/* ---- the truth, and its records ---- */

static void set_state(struct core_host *h, struct core_vcpu *k, unsigned pcpu, int state)
{
    k->ns[k->state] += h->now - k->since;
    if (k->state == RUNNING)
        h->ran_ns[pcpu] += h->now - k->since;
    k->since = h->now;
    k->state = state;
}

static void change(struct core_host *h, struct core_vcpu *k, unsigned pcpu, int state, bool write)
{
    if (write)
        rec_runstate(&h->capture, h->now, k->dom, k->vcpu, k->state, state);
    k->recorded |= write;
    set_state(h, k, pcpu, state);
}

/* One sibling goes from what it runs to `next`, NULL: its idle vCPU; both at one instant. */
static void sibling_switches(struct core_host *h, unsigned pcpu, struct core_vcpu *prev, int prev_state,
                             struct core_vcpu *next, bool write)
{
    if (!prev && !next)
        return;
    if (prev)
        change(h, prev, pcpu, prev_state, write);
    else if (write)
        rec_runstate(&h->capture, h->now, IDLE, pcpu, RUNNING, RUNNABLE);
    if (next)
        change(h, next, pcpu, RUNNING, write);
    else if (write)
        rec_runstate(&h->capture, h->now, IDLE, pcpu, RUNNABLE, RUNNING);
    h->now += 40 + below(h, 100);
}

static void write_switch(struct core_host *h, int prev, int next, unsigned core)
{
    const struct core_vcpu *a = vcpu_of(h, prev, 0), *b = vcpu_of(h, next, 0);
    uint32_t idle = pcpu_of(h, core, 0);
    uint32_t dom = a ? a->dom : IDLE, vcpu = a ? a->vcpu : idle;
    uint32_t next_dom = b ? b->dom : IDLE, next_vcpu = b ? b->vcpu : idle;
    rec_infprev(&h->capture, h->now, dom, vcpu, 1000);
    rec_infnext(&h->capture, h->now, next_dom, next_vcpu, 0, 5000000);
    rec_switch(&h->capture, h->now, dom, vcpu, next_dom, next_vcpu);
}

/* The sibling that comes last to the rendezvous switches all of them to another unit, -1: none, and writes all records. */
static void switch_to(struct core_host *h, unsigned core, int next)
{
    int prev = h->unit_of[core];
    bool write = can_write(h, pcpu_of(h, core, below(h, h->plan.siblings)), 2 * h->plan.siblings);
    if (write && h->plan.switches)
        write_switch(h, prev, next, core);
    for (unsigned i = 0; i < h->plan.siblings; i++) {
        struct core_vcpu *a = vcpu_of(h, prev, i), *b = vcpu_of(h, next, i);
        sibling_switches(h, pcpu_of(h, core, i), runs(a) ? a : NULL, RUNNABLE,
                         b && b->state == RUNNABLE ? b : NULL, write);
    }
    if (prev >= 0)
        h->core_of[prev] = -1;
    if (next >= 0)
        h->core_of[next] = (int)core;
    h->unit_of[core] = next;
}

/* ---- what happens ---- */

static unsigned count(struct core_host *h, int unit, int state)
{
    unsigned n = 0;
    for (unsigned i = 0; i < h->plan.siblings; i++)
        n += vcpu_of(h, unit, i)->state == state;
    return n;
}

/* A unit that waits for a core; -1: none. */
static int any_waiting(struct core_host *h)
{
    unsigned first = below(h, h->plan.units);
    for (unsigned i = 0; i < h->plan.units; i++) {
        int unit = (int)((first + i) % h->plan.units);
        if (h->core_of[unit] < 0 && count(h, unit, RUNNABLE) > 0)
            return unit;
    }
    return -1;
}

/* A vCPU is woken by whoever runs on some pCPU; where its unit has a core, its own sibling takes it up itself. */
static void wake(struct core_host *h, unsigned waker)
{
    unsigned v = below(h, h->plan.units * h->plan.siblings), sibling = v % h->plan.siblings;
    struct core_vcpu *k = &h->vcpu[v];
    int core = h->core_of[v / h->plan.siblings];
    if (k->state != BLOCKED)
        return;
    change(h, k, 0, RUNNABLE, can_write(h, waker, 1));
    h->now += 500 + below(h, 3000);
    if (core < 0)
        return;
    unsigned pcpu = pcpu_of(h, (unsigned)core, sibling);
    sibling_switches(h, pcpu, NULL, 0, k, can_write(h, pcpu, 2));
}

/* A vCPU blocks: its sibling goes idle, or the core switches if it was the last one of its unit. */
static void block(struct core_host *h, unsigned core, unsigned sibling)
{
    int unit = h->unit_of[core];
    struct core_vcpu *k = vcpu_of(h, unit, sibling);
    unsigned pcpu = pcpu_of(h, core, sibling);
    if (!runs(k))
        return;
    int next = count(h, unit, RUNNING) > 1 ? unit : any_waiting(h);
    if (h->plan.never_idle)
        return;
    if (next == unit) {
        sibling_switches(h, pcpu, k, BLOCKED, NULL, can_write(h, pcpu, 2));
        return;
    }
    /* As a switch, but that the last one goes blocked. */
    bool write = can_write(h, pcpu, 2 * h->plan.siblings);
    for (unsigned i = 0; i < h->plan.siblings; i++) {
        struct core_vcpu *b = vcpu_of(h, next, i);
        sibling_switches(h, pcpu_of(h, core, i), i == sibling ? k : NULL, BLOCKED,
                         b && b->state == RUNNABLE ? b : NULL, write);
    }
    h->core_of[unit] = -1;
    h->unit_of[core] = next;
    if (next >= 0)
        h->core_of[next] = (int)core;
}

static void go_on(struct core_host *h, unsigned core, unsigned sibling)
{
    const struct core_vcpu *k = vcpu_of(h, h->unit_of[core], sibling);
    unsigned pcpu = pcpu_of(h, core, sibling);
    if (runs(k) && can_write(h, pcpu, 1))
        rec_continue(&h->capture, h->now, k->dom, k->vcpu);
}

static void step(struct core_host *h)
{
    unsigned core = below(h, h->plan.cores), sibling = below(h, h->plan.siblings);
    unsigned pcpu = pcpu_of(h, core, sibling);
    int next = any_waiting(h);
    if (h->lost[pcpu] && !h->full[pcpu] && below(h, 4) == 0)
        see_again(h, core, sibling);
    switch (below(h, 6)) {
    case 0:
    case 1:
        block(h, core, sibling);
        break;
    case 2:
        if (next >= 0)
            switch_to(h, core, next);
        break;
    case 3:
        go_on(h, core, sibling);
        break;
    default:
        wake(h, pcpu);
        break;
    }
    if (h->unit_of[core] < 0 && (next = any_waiting(h)) >= 0)
        switch_to(h, core, next);
}

/* ---- from beginning to end ---- */

static void begin(struct core_host *h)
{
    const struct core_host_plan *plan = &h->plan;
    for (unsigned core = 0; core < plan->cores; core++)
        h->unit_of[core] = -1;
    for (unsigned v = 0; v < plan->units * plan->siblings; v++) {
        unsigned unit = v / plan->siblings;
        bool running = plan->busy && unit < plan->cores;
        h->core_of[unit] = running ? (int)unit : -1;
        if (running)
            h->unit_of[unit] = (int)unit;
        /* Two units a domain. */
        h->vcpu[v] = (struct core_vcpu){.dom = 1 + unit / 2,
                                        .vcpu = unit % 2 * plan->siblings + v % plan->siblings,
                                        .unit = unit,
                                        .state = running                           ? RUNNING
                                                 : plan->never_idle || below(h, 2) ? RUNNABLE
                                                                                   : BLOCKED};
    }
    for (unsigned p = 0; p < plan->cores * plan->siblings; p++) {
        on(&h->capture, p);
        mark(&h->capture, 0);
    }
}

static void read_rings(struct core_host *h)
{
    sweep(&h->capture);
    memset(h->full, 0, sizeof h->full);
}

void core_host_run(struct core_host *h, const struct core_host_plan *plan)
{
    memset(h, 0, sizeof *h);
    h->plan = *plan;
    h->random = plan->seed;
    trace_bytes_init(&h->capture);
    begin(h);
    unsigned read_every = 40 + below(h, 100);
    for (unsigned i = 0; i < plan->steps; i++) {
        h->now += 1 * US + below(h, 200 * US);
        step(h);
        if (i % read_every == 0)
            read_rings(h);
    }
    read_rings(h);
    h->now += 300 * US;
    for (unsigned p = 0; p < plan->cores * plan->siblings; p++) {
        unsigned core = plan->strided ? p % plan->cores : p / plan->siblings;
        if (h->lost[p])
            see_again(h, core, plan->strided ? p / plan->cores : p % plan->siblings);
        on(&h->capture, p);
        mark(&h->capture, h->now);
    }
    sweep(&h->capture);
    for (unsigned v = 0; v < plan->units * plan->siblings; v++) {
        int core = h->core_of[v / plan->siblings];
        unsigned pcpu = core < 0 ? 0 : pcpu_of(h, (unsigned)core, v % plan->siblings);
        set_state(h, &h->vcpu[v], pcpu, h->vcpu[v].state);
    }
}

void core_host_free(struct core_host *h)
{
    trace_bytes_free(&h->capture);
}
