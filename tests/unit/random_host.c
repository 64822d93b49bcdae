#include "random_host.h"

#include <string.h>

#include "random.h"

static uint64_t below(struct host *h, uint64_t n)
{
    return random_below(&h->random, n);
}

#define RING_BYTES (2 * 4096 - 8) /* of a pCPU: whole pages less the two indices */

static uint64_t time_on(const struct host *h, unsigned p)
{
    return h->now + (h->skewed && p % 2 ? 4 * US : 0);
}

/* ---- records ---- */

/* Records are lost when the ring is full, and only then. */
static void fill_ring(struct host *h, unsigned p)
{
    while (h->capture.pcpus[p].n + 16 <= RING_BYTES)
        mark(&h->capture, time_on(h, p));
    h->full[p] = true;
}

/* Whether the pCPU can write now; if not, `n` records are lost. */
static bool can_write(struct host *h, unsigned p, unsigned n)
{
    on(&h->capture, p);
    if (!h->loses)
        return true;
    if (!h->lost[p] && below(h, 200) == 0) {
        fill_ring(h, p);
        h->blind_since[p] = h->now;
        h->lost[p] = 1;
    }
    if (!h->lost[p])
        return true;
    h->lost[p] += n;
    return false;
}

/* Space again: the record of what was lost tells who runs. */
static void see_again(struct host *h, unsigned p)
{
    int v = h->current[p];
    uint64_t first = h->blind_since[p] + (time_on(h, p) - h->now);
    on(&h->capture, p);
    rec_lost(&h->capture, time_on(h, p), h->lost[p], v < 0 ? IDLE : h->vcpu[v].dom,
             v < 0 ? p : h->vcpu[v].vcpu, first);
    h->lost[p] = 0;
    h->scheduled[p] = true;
    if (v >= 0)
        h->vcpu[v].hypercalls_seen = true;
}

/* ---- the truth ---- */

static void set_state(struct host *h, int v, int state)
{
    struct host_vcpu *k = &h->vcpu[v];
    k->ns[k->state] += h->now - k->since;
    if (k->state == RUNNING)
        h->ran_ns[k->pcpu] += h->now - k->since;
    k->since = h->now;
    k->state = state;
}

/* ---- what happens ---- */

static void switch_to(struct host *h, unsigned p, int new_state, int next)
{
    int prev = h->current[p];
    if (prev == next)
        return;
    bool write = can_write(h, p, 2);
    uint64_t t = time_on(h, p), between = below(h, 60);
    struct host_vcpu *a = prev < 0 ? NULL : &h->vcpu[prev], *b = next < 0 ? NULL : &h->vcpu[next];
    if (write) {
        if (b && below(h, 2))
            rec_infnext(&h->capture, t, b->dom, b->vcpu, 0, (uint32_t)below(h, 30000000));
        rec_runstate(&h->capture, t, a ? a->dom : IDLE, a ? a->vcpu : p, RUNNING, a ? new_state : RUNNABLE);
        rec_runstate(&h->capture, t + between, b ? b->dom : IDLE, b ? b->vcpu : p, RUNNABLE, RUNNING);
        h->scheduled[p] = true;
    }
    if (a) {
        set_state(h, prev, new_state);
        a->blocks += new_state == BLOCKED;
        a->hypercalls_seen = a->hypercalls_seen || write;
    }
    if (b) {
        b->migrations += b->pcpu >= 0 && b->pcpu != (int)p;
        b->pcpu = (int)p;
        set_state(h, next, RUNNING);
        b->executions++;
        b->hypercalls_seen = b->hypercalls_seen || write;
    }
    h->current[p] = next;
    h->now += between;
}

/* A vCPU in the state, chosen at random; -1: there is none. */
static int any_in(struct host *h, int state)
{
    unsigned first = (unsigned)below(h, h->vcpus);
    for (unsigned i = 0; i < h->vcpus; i++) {
        unsigned v = (first + i) % h->vcpus;
        if (h->vcpu[v].state == state)
            return (int)v;
    }
    return -1;
}

static void wake(struct host *h, unsigned p, int state)
{
    int v = any_in(h, state);
    if (v < 0)
        return;
    struct host_vcpu *k = &h->vcpu[v];
    if (can_write(h, p, 1)) {
        rec_wake(&h->capture, time_on(h, p), k->dom, k->vcpu);
        rec_runstate(&h->capture, time_on(h, p), k->dom, k->vcpu, state, RUNNABLE);
        k->hypercalls_seen = true;
    }
    set_state(h, v, RUNNABLE);
    k->wakes += state == BLOCKED;
}

static void go_on(struct host *h, unsigned p)
{
    struct host_vcpu *k = &h->vcpu[h->current[p]];
    if (!can_write(h, p, 1))
        return;
    rec_continue(&h->capture, time_on(h, p), k->dom, k->vcpu);
    k->hypercalls_seen = h->scheduled[p] = true;
}

static void preempt(struct host *h, unsigned p, bool yields)
{
    int next = any_in(h, RUNNABLE);
    if (next < 0) {
        go_on(h, p);
        return;
    }
    struct host_vcpu *k = &h->vcpu[h->current[p]];
    if (yields && can_write(h, p, 1)) {
        rec_yield(&h->capture, time_on(h, p), k->dom, k->vcpu);
        k->yields++;
        k->hypercalls_seen = h->scheduled[p] = true;
    }
    switch_to(h, p, RUNNABLE, next);
}

/* Records of I/O: hypercalls and grants that concern some domain or other. */
static void do_io(struct host *h, unsigned p)
{
    static const uint32_t calls[] = {3, 32, 32, 23};
    uint32_t dom = (uint32_t)below(h, 4);
    if (!can_write(h, p, 1))
        return;
    switch (below(h, 4)) {
    case 0:
        rec_map(&h->capture, time_on(h, p), dom);
        break;
    case 1:
        rec_unmap(&h->capture, time_on(h, p), dom);
        break;
    case 2:
        rec_copy(&h->capture, time_on(h, p), 1 + (uint32_t)below(h, 64));
        break;
    default:
        rec_hypercall(&h->capture, time_on(h, p), calls[below(h, 4)]);
        break;
    }
}

static void step(struct host *h)
{
    unsigned p = (unsigned)below(h, h->pcpus);
    for (uint64_t n = below(h, 4); n > 0; n--)
        do_io(h, p);
    bool busy = h->current[p] >= 0;
    if (h->lost[p] && !h->full[p] && below(h, 4) == 0)
        see_again(h, p);
    switch (below(h, 10)) {
    case 0:
    case 1:
    case 2:
        if (busy)
            switch_to(h, p, BLOCKED, any_in(h, RUNNABLE));
        break;
    case 3:
    case 4:
        if (busy)
            preempt(h, p, false);
        break;
    case 5:
        if (busy)
            preempt(h, p, true);
        break;
    case 6:
        if (busy && below(h, 4) == 0)
            switch_to(h, p, OFFLINE, any_in(h, RUNNABLE));
        break;
    case 7:
        wake(h, p, OFFLINE);
        break;
    default:
        wake(h, p, BLOCKED);
        break;
    }
    if (h->current[p] < 0)
        switch_to(h, p, 0, any_in(h, RUNNABLE));
}

static void read_next_ring(struct host *h)
{
    unsigned p = h->next_flush++ % h->pcpus;
    flush(&h->capture, p);
    h->full[p] = false;
}

static void begin(struct host *h)
{
    h->pcpus = 1 + (unsigned)below(h, HOST_PCPUS);
    h->vcpus = 1 + (unsigned)below(h, HOST_VCPUS);
    unsigned domains = 1 + (unsigned)below(h, 3);
    for (unsigned p = 0; p < h->pcpus; p++) {
        h->current[p] = -1;
        on(&h->capture, p);
        mark(&h->capture, 0);
    }
    for (unsigned v = 0; v < h->vcpus; v++) {
        h->vcpu[v] = (struct host_vcpu){.dom = v % domains, .vcpu = v / domains, .pcpu = -1};
        h->vcpu[v].state = v < h->pcpus && below(h, 2) ? RUNNING : 1 + (int)below(h, 3);
        if (h->vcpu[v].state == RUNNING)
            h->current[h->vcpu[v].pcpu = (int)v] = (int)v;
    }
}

void host_run(struct host *h, uint64_t seed, unsigned steps, bool loses, bool skewed)
{
    memset(h, 0, sizeof *h);
    h->random = seed;
    h->loses = loses;
    h->skewed = skewed;
    h->scale = seed % 5 == 4 ? 20 : 1; /* longer than the meter waits for first records */
    trace_bytes_init(&h->capture);
    begin(h);
    unsigned flush_every = 5 + (unsigned)below(h, 60);
    for (unsigned i = 0; i < steps; i++) {
        step(h);
        h->now += (below(h, 20) ? below(h, 100 * US) : below(h, 2 * MS)) * h->scale;
        if (i % flush_every == 0)
            read_next_ring(h); /* a sweep takes a while: windows are not aligned */
    }
    do /* the sweep that was begun, to its end, and another; what follows is the last one */
        read_next_ring(h);
    while (h->next_flush % h->pcpus);
    for (unsigned p = 0; p < h->pcpus; p++)
        read_next_ring(h);
    for (unsigned p = 0; p < h->pcpus; p++) {
        if (h->lost[p])
            see_again(h, p);
        on(&h->capture, p);
        mark(&h->capture, time_on(h, p));
    }
    for (unsigned v = 0; v < h->vcpus; v++)
        set_state(h, (int)v, h->vcpu[v].state);
}

void host_free(struct host *h)
{
    trace_bytes_free(&h->capture);
}
