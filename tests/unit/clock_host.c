#include "clock_host.h"

#include <math.h>
#include <stdlib.h>

#include "random.h"

#define EVENTS  4096
#define IDLE_ID 32767u

struct teller {
    const struct clock_host *host;
    struct clock_probe *probe;
    struct stream *stream;
    uint64_t random;
    uint64_t last_tsc;
};

static void hand_on(struct teller *t)
{
    clock_probe_take(t->probe, t->stream);
    t->stream->n = t->stream->fresh = 0;
}

static uint64_t delay(struct teller *t)
{
    return 100 + random_below(&t->random, t->host->delay_ns);
}

/* A record is written `delay_ns` after `now`. */
static struct event *record(struct teller *t, unsigned slot, unsigned words, double now, double delay_ns)
{
    if (t->stream->n == EVENTS)
        hand_on(t);
    uint64_t tsc = 1000000000000u + (uint64_t)((now + delay_ns) * t->host->hz / 1e9);
    if (tsc < t->last_tsc)
        tsc = t->last_tsc;
    t->last_tsc = tsc;
    return stream_append(t->stream, tsc, words << 28, slot, EVENT_CLOCK);
}

static uint64_t run_ns(struct teller *t, unsigned i)
{
    const struct clock_host *h = t->host;
    double share = (double)random_below(&t->random, 1000000) / 1e6;
    switch (h->lengths) {
    case RUNS_TWO:
        return i % 2 ? h->longest_ns : h->shortest_ns;
    case RUNS_MULTIPLE:
        return h->shortest_ns * (1 + random_below(&t->random, 4));
    case RUNS_RANDOM:
        return h->shortest_ns + (uint64_t)(share * (double)(h->longest_ns - h->shortest_ns));
    case RUNS_SPREAD:
        return (uint64_t)((double)h->shortest_ns *
                          pow((double)h->longest_ns / (double)h->shortest_ns, share));
    default:
        return h->longest_ns;
    }
}

static void tell_run(struct teller *t, uint32_t dom, uint64_t begin, uint64_t ns)
{
    const struct clock_host *h = t->host;
    for (uint64_t at = h->continues_ns; at > 0 && at < ns; at += h->continues_ns) {
        struct event *e = record(t, EVENT_SWITCH_INFCONT, 4, (double)(begin + at), (double)delay(t));
        e->w[0] = dom;
        e->w[1] = 0;
        e->w[2] = (uint32_t)at;
    }
}

static void tell_switch(struct teller *t, uint32_t prev, uint32_t next, uint64_t now, uint64_t ran_ns)
{
    const struct clock_host *h = t->host;
    double late = (double)(delay(t) + (prev == IDLE_ID ? h->wake_ns : 0));
    struct event *e = record(t, EVENT_SWITCH_INFPREV, h->old ? 2 : 3, (double)now, late);
    e->w[0] = prev;
    e->w[1] = h->old ? (uint32_t)ran_ns : 0;
    e->w[2] = (uint32_t)ran_ns;
    if (h->silent)
        return;
    e = record(t, EVENT_SWITCH_INFNEXT, h->old ? 3 : 4, (double)now, late + 60);
    e->w[0] = next;
    e->w[1] = 0;
}

static void tell_pcpu(struct teller *t, unsigned pcpu)
{
    const struct clock_host *h = t->host;
    uint64_t now = random_below(&t->random, 1000000);
    unsigned dark = 0;
    t->stream->pcpu = (uint16_t)pcpu;
    t->last_tsc = 0;
    for (unsigned i = 0; i < h->runs; i++) {
        uint64_t ns = run_ns(t, i), begin = now;
        uint32_t prev = i % 2 ? pcpu + 1 : IDLE_ID, next = i % 2 ? IDLE_ID : pcpu + 1;
        now += ns;
        if (dark == 0 && h->lost_every && random_below(&t->random, h->lost_every) == 0)
            dark = 1 + (unsigned)random_below(&t->random, 4);
        if (dark > 0) {
            if (--dark == 0)
                record(t, EVENT_LOST_RECORDS, 4, (double)now, 5000);
            continue;
        }
        tell_run(t, prev, begin, ns);
        tell_switch(t, prev, next, now, ns);
    }
    hand_on(t);
}

void clock_host_run(const struct clock_host *h, uint64_t seed, struct clock_probe *p)
{
    struct teller t = {.host = h, .probe = p, .stream = stream_new(0), .random = seed};
    if (!t.stream || !stream_reserve(t.stream, EVENTS))
        abort();
    for (unsigned pcpu = 0; pcpu < h->pcpus; pcpu++)
        tell_pcpu(&t, pcpu);
    stream_free(t.stream);
}

struct clock_host clock_host_random(uint64_t seed)
{
    static const double hz[] = {1e6, 19.2e6, 24e6, 62.5e6, 100e6, 1e9, 1.8e9, 2.4e9, 3.7e9, 6e9};
    static const uint64_t ns[] = {50000,      200000,     1000000,     5000000,    30000000,
                                  1000000000, 3000000000, 4300000000u, 5000000000, 30000000000};
    static const unsigned runs[] = {3, 8, 20, 60, 300, 2000};
    uint64_t r = seed;
    struct clock_host h = {.hz = hz[random_below(&r, 10)], .lengths = random_below(&r, RUN_LENGTHS)};
    h.hz *= 1 + (double)random_below(&r, 2) * (double)random_below(&r, 10000) / 50000;
    h.hz = fmin(h.hz, 6e9);
    h.shortest_ns = ns[random_below(&r, 10)];
    h.longest_ns = ns[random_below(&r, 10)];
    if (h.shortest_ns > h.longest_ns) {
        uint64_t swap = h.shortest_ns;
        h.shortest_ns = h.longest_ns;
        h.longest_ns = swap;
    }
    h.delay_ns = 10 + random_below(&r, 4900);
    h.wake_ns = random_below(&r, 2) * random_below(&r, 3000);
    h.pcpus = 1 + (unsigned)random_below(&r, 4);
    h.runs = runs[random_below(&r, 6)];
    h.lost_every = random_below(&r, 3) ? 0 : 3 + (unsigned)random_below(&r, 40);
    h.continues_ns = random_below(&r, 4) ? 0 : 10000000;
    if (h.longest_ns / 10000000 * h.runs > 100000)
        h.continues_ns = 0;
    h.old = random_below(&r, 8) == 0 && !h.continues_ns;
    h.silent = random_below(&r, 8) == 0;
    return h;
}
