#include "clock_probe.h"

#include <math.h>
#include <stdlib.h>

#define CHAIN_NS         20000000u   /* long enough for the few us between NOW() and the record to vanish */
#define PAIR_MIN_NS      200000u     /* shorter single runs measure the record's delay, not the clock */
#define PAIR_MAX_NS      4000000000u /* near the wrap of u32 */
#define WRAP_SAFE_CYCLES 4000000000u /* between two switches: at any x86 clock less than the wrap of u32 ns */
#define CHAINS_ENOUGH    8

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

void clock_probe_free(struct clock_probe *p)
{
    free(p->chains);
    free(p->pairs);
    p->chains = p->pairs = NULL;
    p->chains_n = p->pairs_n = 0;
}

static void keep_sample(double **samples, size_t *n, double sample)
{
    if (!*samples)
        *samples = malloc(PROBE_SAMPLES * sizeof **samples);
    if (*samples && *n < PROBE_SAMPLES)
        (*samples)[(*n)++] = sample;
}

void clock_probe_dispatch(struct stream *s, uint64_t tsc)
{
    s->dispatch_tsc = tsc;
}

void clock_probe_break(struct stream *s)
{
    s->chain_begun = false;
    s->dispatch_tsc = 0;
}

void clock_probe_switch(struct clock_probe *p, struct stream *s, uint64_t tsc, uint32_t runtime_ns)
{
    if (s->dispatch_tsc && runtime_ns >= PAIR_MIN_NS && runtime_ns <= PAIR_MAX_NS && tsc > s->dispatch_tsc)
        keep_sample(&p->pairs, &p->pairs_n, (double)(tsc - s->dispatch_tsc) / runtime_ns);
    s->dispatch_tsc = 0;

    if (s->chain_begun && tsc - s->chain_last_tsc < WRAP_SAFE_CYCLES) {
        s->chain_ns += runtime_ns;
        if (s->chain_ns >= CHAIN_NS) {
            keep_sample(&p->chains, &p->chains_n, (double)(tsc - s->chain_tsc) / (double)s->chain_ns);
            s->chain_tsc = tsc;
            s->chain_ns = 0;
        }
    } else {
        s->chain_begun = true;
        s->chain_tsc = tsc;
        s->chain_ns = 0;
    }
    s->chain_last_tsc = tsc;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

bool clock_probe_estimate(struct clock_probe *p, struct clock *clock)
{
    bool chains = p->chains_n >= CHAINS_ENOUGH;
    double *samples = chains ? p->chains : p->pairs;
    size_t n = chains ? p->chains_n : p->pairs_n;
    if (n == 0 && p->chains_n > 0) {
        samples = p->chains;
        n = p->chains_n;
    }
    p->estimated_at = p->chains_n;
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
