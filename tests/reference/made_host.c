#include "tests/reference/made_host.h"

#include <assert.h>
#include <string.h>

#define RING_BYTES    (4096 - 8) /* a page less the two indices */
#define GROUP_BYTES   160        /* no group of records that are written together is longer */
#define MARK_BYTES    16
#define SWEEP_MOST    (100 * MS)
#define SILENCE_MOST  (1700 * MS) /* longer ones are holes */
#define SILENCE_SHORT (50 * MS)   /* where records are lost, and contradictions are to show soon */

/* ---- the bytes that decide ---- */

static uint8_t byte(struct made_host *h)
{
    return h->at < h->end ? *h->at++ : 0;
}

/* From 0 up to about 15 * 2^15 units, short ones more often. */
static uint64_t length(struct made_host *h)
{
    uint8_t b = byte(h);
    return ((uint64_t)(b & 15) << (b >> 4)) * h->unit;
}

/* ---- rings ---- */

static void current_of(const struct made_host *h, unsigned p, uint32_t *dom, uint32_t *vcpu)
{
    int v = h->current[p];
    *dom = v < 0 ? IDLE : h->vcpu[v].dom;
    *vcpu = v < 0 ? p : h->vcpu[v].vcpu;
}

/* There is space again: the record of what was lost says who runs. */
static void report_loss(struct made_host *h, unsigned p)
{
    uint32_t dom, vcpu;
    current_of(h, p, &dom, &vcpu);
    rec_lost(&h->capture, h->now, h->lost[p], dom, vcpu, h->lost_since[p]);
    h->lost[p] = 0;
}

static void read_ring(struct made_host *h)
{
    assert(h->pcpus > 0);
    unsigned p = h->next_read++ % h->pcpus;
    if (p == 0)
        h->sweep_since = h->now;
    flush(&h->capture, p);
    h->full[p] = false;
    if (h->lost[p]) { /* some interrupt comes soon: a loss that is reported seconds later is not waited for */
        on(&h->capture, p);
        report_loss(h, p);
        mark(&h->capture, h->now);
    }
}

static void end_sweep(struct made_host *h)
{
    assert(h->pcpus > 0);
    while (h->next_read % h->pcpus)
        read_ring(h);
}

static void read_all_rings(struct made_host *h)
{
    end_sweep(h);
    for (unsigned p = 0; p < h->pcpus; p++)
        read_ring(h);
}

/* Whether n records can be written on a pCPU now; if not, they are lost. */
static bool can_write(struct made_host *h, unsigned p, unsigned n)
{
    on(&h->capture, p);
    bool fits = h->capture.pcpus[p].n + GROUP_BYTES <= RING_BYTES && !h->full[p];
    if (!fits && !h->loses) { /* Xen asks for the rings to be read when one is half full */
        read_all_rings(h);
        fits = true;
    }
    if (!fits) {
        if (h->lost[p] == 0)
            h->lost_since[p] = h->now;
        h->lost[p] += n;
        h->full[p] = true;
        return false;
    }
    if (h->lost[p])
        report_loss(h, p);
    h->written = h->now;
    return true;
}

/* Records that mean nothing, until the ring is full. */
static void fill_ring(struct made_host *h, unsigned p)
{
    on(&h->capture, p);
    if (!h->loses || h->full[p])
        return;
    while (h->capture.pcpus[p].n + MARK_BYTES <= RING_BYTES)
        mark(&h->capture, h->now);
}

/* ---- states ---- */

static void set_state(struct made_host *h, int v, int state)
{
    struct made_vcpu *k = &h->vcpu[v];
    k->ns[k->state] += h->now - k->since;
    k->since = h->now;
    k->state = state;
}

/* The first vCPU in a state, from one that a byte chose; -1: there is none. */
static int any_in(struct made_host *h, int state)
{
    unsigned first = byte(h);
    for (unsigned i = 0; i < h->vcpus; i++) {
        unsigned v = (first + i) % h->vcpus;
        if (h->vcpu[v].state == state)
            return (int)v;
    }
    return -1;
}

/* ---- context switches ---- */

/* As Xen writes them: who leaves and how long it ran, who comes, both; then the two changes of state. */
static void write_switch(struct made_host *h, unsigned p, int new_state, int next, uint64_t between)
{
    struct trace_bytes *c = &h->capture;
    uint32_t out_dom, out_vcpu;
    uint32_t in_dom = next < 0 ? IDLE : h->vcpu[next].dom, in_vcpu = next < 0 ? p : h->vcpu[next].vcpu;
    current_of(h, p, &out_dom, &out_vcpu);
    if (h->switches) {
        /* It may have run before the trace began. */
        uint64_t ran = h->now - h->run_since[p] + (h->started[p] ? 0 : 5 * MS);
        rec_infprev(c, h->now, out_dom, out_vcpu, ran);
        rec_infnext(c, h->now, in_dom, in_vcpu, 0, next < 0 ? UINT32_MAX : 30000000);
        rec_switch(c, h->now, out_dom, out_vcpu, in_dom, in_vcpu);
    }
    if (h->runstates) {
        rec_runstate(c, h->now, out_dom, out_vcpu, RUNNING, h->current[p] < 0 ? RUNNABLE : new_state);
        rec_runstate(c, h->now + between, in_dom, in_vcpu, RUNNABLE, RUNNING);
    }
}

static void switch_to(struct made_host *h, unsigned p, int new_state, int next)
{
    int prev = h->current[p];
    uint64_t between = h->runstates && !h->switches ? byte(h) % 64 : 0;
    if (prev == next)
        return;
    if (can_write(h, p, 2))
        write_switch(h, p, new_state, next, between);
    if (prev >= 0) {
        set_state(h, prev, new_state);
        h->vcpu[prev].blocks += new_state == BLOCKED;
    }
    if (next >= 0) {
        struct made_vcpu *k = &h->vcpu[next];
        k->migrations += k->pcpu >= 0 && k->pcpu != (int)p;
        k->pcpu = (int)p;
        set_state(h, next, RUNNING);
        k->executions++;
    }
    h->current[p] = next;
    h->run_since[p] = h->now;
    h->started[p] = true;
    h->now += between;
}

/* ---- what happens on a pCPU ---- */

static void leave(struct made_host *h, unsigned p, int state)
{
    struct made_vcpu *k = &h->vcpu[h->current[p]];
    if (h->verbose && can_write(h, p, 1)) {
        if (state == BLOCKED)
            rec_block(&h->capture, h->now, k->dom, k->vcpu);
        else
            rec_sleep(&h->capture, h->now, k->dom, k->vcpu);
    }
    switch_to(h, p, state, any_in(h, RUNNABLE));
}

static void go_on(struct made_host *h, unsigned p)
{
    uint32_t dom, vcpu;
    current_of(h, p, &dom, &vcpu);
    if (h->runstates && can_write(h, p, 1))
        rec_continue(&h->capture, h->now, dom, vcpu);
}

static void preempt(struct made_host *h, unsigned p, bool yields)
{
    int next = any_in(h, RUNNABLE);
    struct made_vcpu *k = &h->vcpu[h->current[p]];
    if (next < 0) {
        go_on(h, p);
        return;
    }
    yields = yields && h->verbose;
    if (yields && can_write(h, p, 1))
        rec_yield(&h->capture, h->now, k->dom, k->vcpu);
    k->yields += yields;
    k->preemptions += !yields;
    switch_to(h, p, RUNNABLE, next);
}

static void wake(struct made_host *h, unsigned p, int state)
{
    int v = any_in(h, state);
    if (v < 0)
        return;
    struct made_vcpu *k = &h->vcpu[v];
    if (can_write(h, p, 1)) {
        if (h->verbose)
            rec_wake(&h->capture, h->now, k->dom, k->vcpu);
        if (h->runstates)
            rec_runstate(&h->capture, h->now, k->dom, k->vcpu, state, RUNNABLE);
    }
    k->wakes += state == BLOCKED;
    set_state(h, v, RUNNABLE);
}

/* A vCPU that does not run is paused. Not where records are lost: a pause whose both ends are lost does not show. */
static void pause_vcpu(struct made_host *h, unsigned p, int state)
{
    int v = h->runstates && !h->loses ? any_in(h, state) : -1;
    if (v < 0)
        return;
    struct made_vcpu *k = &h->vcpu[v];
    if (can_write(h, p, 1)) {
        if (h->verbose)
            rec_sleep(&h->capture, h->now, k->dom, k->vcpu);
        rec_runstate(&h->capture, h->now, k->dom, k->vcpu, state, OFFLINE);
    }
    set_state(h, v, OFFLINE);
}

/* Records that say nothing of states: with and without a time, of all lengths, known and unknown. */
static void write_other(struct made_host *h, unsigned p)
{
    static const struct {
        uint32_t event;
        uint8_t words;
        bool timed;
    } kinds[] = {{0x0008200e, 6, false}, {0x0008200c, 3, false}, {0x0800f123, 7, false},
                 {0x00084001, 6, true},  {0x00024abc, 5, true},  {0x00802008, 3, true},
                 {0x0010f001, 1, true},  {0x0010f002, 1, true},  {0x00801001, 2, true},
                 {0x00084003, 2, true},  {0x00021fff, 0, true},  {0x0800f000, 0, false}};
    uint8_t kind = byte(h) % (sizeof kinds / sizeof *kinds);
    uint32_t words[7];
    for (unsigned i = 0; i < 7; i++)
        words[i] = i == 0 ? byte(h) % 4 : 0x01010101u * (uint32_t)(kind + i);
    if (!can_write(h, p, 1))
        return;
    if (kinds[kind].timed)
        record(&h->capture, h->now, kinds[kind].event, kinds[kind].words, words);
    else
        record_untimed(&h->capture, kinds[kind].event, kinds[kind].words, words);
}

/* Padding at the end of the ring: in it is what was there before. */
static void write_padding(struct made_host *h, unsigned p, unsigned words)
{
    static const uint32_t stale[7] = {0x90021021, 0x12345678, 0x000000e8, 0x00010000, 0x80028004, 1, 2};
    if (can_write(h, p, 1))
        record_untimed(&h->capture, 0x0001f002, words, stale);
}

static void be_silent(struct made_host *h, unsigned p)
{
    uint64_t most = (h->loses ? SILENCE_SHORT : SILENCE_MOST) / 256;
    end_sweep(h);
    h->now += byte(h) * most;
    if (can_write(h, p, 1)) /* some pCPU always writes */
        mark(&h->capture, h->now);
}

static void act_on_guest(struct made_host *h, unsigned p, unsigned what)
{
    if (h->current[p] < 0)
        return;
    switch (what) {
    case 0:
        leave(h, p, BLOCKED);
        break;
    case 1:
        preempt(h, p, false);
        break;
    case 2:
        preempt(h, p, true);
        break;
    default:
        leave(h, p, OFFLINE);
        break;
    }
}

/* Whether a step leaves all states alone. */
static bool says_nothing(unsigned what)
{
    return (what >= 10 && what <= 12) || what == 15;
}

static void step(struct made_host *h)
{
    uint8_t b = byte(h);
    unsigned p = (b >> 4) % h->pcpus;
    if (h->now - h->sweep_since > SWEEP_MOST)
        end_sweep(h);
    if (h->now - h->written >
        MS * 100) { /* a time in which no pCPU writes anything is a hole: reading makes one write */
        read_all_rings(h);
        if (can_write(h, p, 1))
            mark(&h->capture, h->now);
    }
    /* At one moment no vCPU changes its state twice. */
    h->now += length(h) + !says_nothing(b & 15);
    switch (b & 15) {
    case 0:
    case 1:
        act_on_guest(h, p, 0);
        break;
    case 2:
    case 3:
        act_on_guest(h, p, 1);
        break;
    case 4:
    case 5:
        act_on_guest(h, p, (b & 15) == 5 && h->loses ? 0 : (b & 15) - 2);
        break;
    case 6:
    case 7:
        wake(h, p, BLOCKED);
        break;
    case 8:
        wake(h, p, OFFLINE);
        break;
    case 9:
        pause_vcpu(h, p, b & 16 ? BLOCKED : RUNNABLE);
        break;
    case 10:
    case 11:
        write_other(h, p);
        break;
    case 12:
        write_padding(h, p, b >> 5);
        break;
    case 13:
        be_silent(h, p);
        break;
    case 14:
        fill_ring(h, p);
        break;
    default:
        for (unsigned i = 0; i <= p; i++)
            read_ring(h);
        break;
    }
    if (h->current[p] < 0 && (b & 15) < 9)
        switch_to(h, p, RUNNABLE, any_in(h, RUNNABLE));
}

/* ---- the whole ---- */

static void begin(struct made_host *h)
{
    uint8_t size = byte(h), recorded = byte(h), state = byte(h);
    unsigned domains = 1 + (size >> 5) % 3;
    h->pcpus = 1 + size % MADE_PCPUS;
    h->vcpus = 1 + (size >> 2) % MADE_VCPUS;
    h->loses = (recorded & 7) > 1 && recorded & 1; /* with changes of state only */
    h->runstates = (recorded & 6) != 0;
    h->switches = !h->runstates || recorded & 8;
    h->verbose = !h->runstates || recorded & 16;
    h->unit = recorded & 32 ? 100 : 4;
    for (unsigned p = 0; p < h->pcpus; p++) {
        h->current[p] = -1;
        on(&h->capture, p);
        mark(&h->capture, 0);
    }
    for (unsigned v = 0; v < h->vcpus; v++) {
        struct made_vcpu *k = &h->vcpu[v];
        *k = (struct made_vcpu){.dom = v % domains, .vcpu = v / domains, .pcpu = -1};
        /* Without changes of state a vCPU that was paused before the trace began looks as if it was blocked. */
        k->state = v < h->pcpus && state >> v & 1
                       ? RUNNING
                       : 1 + (int)(state >> v) % (h->runstates && !h->loses ? 3 : 2);
        if (k->state == RUNNING)
            h->current[k->pcpu = (int)v] = (int)v;
    }
}

void made_host_run(struct made_host *h, const uint8_t *bytes, size_t n)
{
    memset(h, 0, sizeof *h);
    h->at = bytes;
    h->end = bytes + n;
    trace_bytes_init(&h->capture);
    begin(h);
    while (h->at < h->end)
        step(h);
    read_all_rings(h);
    h->now += 1;
    for (unsigned p = 0; p < h->pcpus; p++)
        if (can_write(h, p, 1))
            mark(&h->capture, h->now);
    read_all_rings(h);
    for (unsigned v = 0; v < h->vcpus; v++)
        set_state(h, (int)v, h->vcpu[v].state);
}

void made_host_free(struct made_host *h)
{
    trace_bytes_free(&h->capture);
}
