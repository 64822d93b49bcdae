#include "clock_probe.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CHAIN_NS         20000000u   /* long enough for the few us between NOW() and the record to vanish */
#define PAIR_MIN_NS      200000u     /* shorter single runs measure the record's delay, not the clock */
#define PAIR_MAX_NS      4000000000u /* near the wrap of u32 */
#define WRAP_SAFE_CYCLES 4000000000u /* between two switches: at any x86 clock less than the wrap of u32 ns */
#define CHAINS_ENOUGH    8
#define CHECK_CHAINS     32 /* of fewer the standard error says little */

void clock_set(struct clock *c, uint64_t tsc_first, double cpu_hz)
{
    c->tsc_first = tsc_first;
    c->cpu_hz = cpu_hz;
    /* The largest shift whose multiplier fits 64 bits: at 2.4 GHz an error of 2^-63 per cycle. */
    long double ns_per_cycle = cpu_hz > 0 ? 1e9L / (long double)cpu_hz : 1;
    int exponent;
    frexpl(ns_per_cycle, &exponent);
    int shift = 63 - exponent;
    c->shift = shift < 0 ? 0 : shift > 126 ? 126 : (unsigned)shift;
    /* Rounded up, so that cycles that make whole ns give them. */
    c->multiplier = (uint64_t)ceill(ldexpl(ns_per_cycle, (int)c->shift));
}

struct chain {
    uint64_t tsc, ns, last_tsc; /* where its stretch began, how long it is, and up to when */
    uint64_t dispatch_tsc;      /* SWITCH_INFNEXT without its SWITCH_INFPREV yet; 0: none */
    bool begun;
};

void clock_probe_free(struct clock_probe *p)
{
    free(p->by_pcpu);
    free(p->chains);
    free(p->pairs);
}

void clock_probe_break(struct clock_probe *p)
{
    memset(p->by_pcpu, 0, PCPUS_MAX * sizeof *p->by_pcpu);
}

void clock_probe_restart(struct clock_probe *p)
{
    clock_probe_break(p);
    p->chains->n = p->pairs->n = p->estimated_at = 0;
}

static void keep_sample(struct clock_samples *s, double sample)
{
    if (s->n < PROBE_SAMPLES)
        s->cycles_per_ns[s->n++] = sample;
}

/* A vCPU was switched out at `tsc` after `runtime_ns` (low 32 bits). */
static void switched_out(struct clock_probe *p, struct chain *c, uint64_t tsc, uint32_t runtime_ns)
{
    if (c->dispatch_tsc && runtime_ns >= PAIR_MIN_NS && runtime_ns <= PAIR_MAX_NS && tsc > c->dispatch_tsc)
        keep_sample(p->pairs, (double)(tsc - c->dispatch_tsc) / runtime_ns);
    c->dispatch_tsc = 0;

    bool goes_on = c->begun && tsc - c->last_tsc < WRAP_SAFE_CYCLES;
    c->ns += runtime_ns;
    if (goes_on && c->ns >= CHAIN_NS)
        keep_sample(p->chains, (double)(tsc - c->tsc) / (double)c->ns);
    if (!goes_on || c->ns >= CHAIN_NS) {
        c->tsc = tsc;
        c->ns = 0;
    }
    c->begun = true;
    c->last_tsc = tsc;
}

static void take(struct clock_probe *p, struct chain *c, const struct event *e)
{
    unsigned words = event_words(e);
    if (e->slot == EVENT_SWITCH_INFPREV && words >= 2)
        switched_out(p, c, e->tsc, e->w[words >= 3 ? 2 : 1]);
    else if (e->slot == EVENT_SWITCH_INFNEXT && words >= 3)
        c->dispatch_tsc = e->tsc;
    else if (e->slot == EVENT_LOST_RECORDS)
        *c = (struct chain){0};
}

bool clock_probe_init(struct clock_probe *p)
{
    p->by_pcpu = calloc(PCPUS_MAX, sizeof *p->by_pcpu);
    p->chains = calloc(1, sizeof *p->chains);
    p->pairs = calloc(1, sizeof *p->pairs);
    return p->by_pcpu && p->chains && p->pairs;
}

void clock_probe_take(struct clock_probe *p, struct stream *s)
{
    size_t kept = s->fresh;
    for (size_t i = s->fresh; i < s->n; i++) {
        struct event *e = &s->events[i];
        if (e->flags & EVENT_CLOCK)
            take(p, &p->by_pcpu[s->pcpu], e);
        if (e->flags & (EVENT_RAW | EVENT_MODEL | EVENT_WHO))
            s->events[kept++] = *e;
    }
    s->n = kept;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

bool clock_probe_estimate(struct clock_probe *p, struct clock *clock)
{
    bool chains = p->chains->n >= CHAINS_ENOUGH || p->pairs->n == 0;
    double *samples = (chains ? p->chains : p->pairs)->cycles_per_ns;
    size_t n = (chains ? p->chains : p->pairs)->n;
    p->estimated_at = p->chains->n;
    if (n == 0)
        return false;
    qsort(samples, n, sizeof *samples, compare_doubles);
    double median = n % 2 ? samples[n / 2] : (samples[n / 2 - 1] + samples[n / 2]) / 2;
    if (!(median > 0))
        return false;
    double quartiles = samples[n - 1 - n / 4] - samples[n / 4];
    clock->cpu_hz = median * 1e9;
    clock->measured = true;
    clock->pairs = n;
    clock->spread_ppm = quartiles / 2 / median * 1e6;
    /* Of a median of n normal samples: 1.253 sigma / sqrt(n), sigma = quartile distance / 1.349. */
    clock->error_ppm = 0.929 * quartiles / sqrt((double)n) / median * 1e6;
    return true;
}

void clock_probe_check(struct clock_probe *p, struct clock *clock)
{
    struct clock later = {0};
    if (p->chains->n < CHECK_CHAINS || p->chains->n == p->estimated_at || !clock_probe_estimate(p, &later))
        return;
    clock->check_pairs = later.pairs;
    clock->check_error_ppm = later.error_ppm;
    clock->difference_ppm = fabs(later.cpu_hz / clock->cpu_hz - 1) * 1e6;
}
