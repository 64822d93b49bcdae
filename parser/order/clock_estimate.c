#include "clock_estimate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "clock_sieve.h"

#define OCTAVES        64
#define OCTAVE_SAMPLES 32 /* asked in the sieve, of stretches of about one length */
#define LONGER         64 /* times as long: so far a narrowed range reaches (UNSURE_LENGTHS of the sieve) */
#define SAMPLES_GOOD   16 /* the scatter of fewer is hardly known */
#define SAMPLES_LEAST  3
#define WORSE          1.3
#define FINE           1.1 /* times the least error that there can be: surer than this is not worth its time */
#define FEW            8   /* samples: too few for quartiles */
#define PARTS_MOST     64  /* after so many, values are ordered by a way that is never slow */

/* The delays of the stamps at both ends of a chain differ by this much: a third of what they may. */
#define DELAY_NS 2e3
/* A stamp is in whole cycles: of stretches that are all alike, each may be off by the same part of one. */
#define STEP_CYCLES 0.5
/* Delays are skewed: the median is off by up to so much of their scatter, in every sample alike. */
#define SKEW_SHARE 0.1

/* ---- which frequency at all ---- */

struct sample_pool {
    size_t n;
    struct stretch s[OCTAVES * OCTAVE_SAMPLES];
    unsigned char octave[OCTAVES];
};

struct clock_room {
    struct stretch *stretches; /* CLOCK_MARKS */
    struct candidate *candidates;
    struct sample_pool pool;
};

struct clock_room *clock_room_new(void)
{
    struct clock_room *room = calloc(1, sizeof *room);
    if (!room)
        return NULL;
    room->stretches = calloc(CLOCK_MARKS, sizeof *room->stretches);
    room->candidates = clock_sieve_room();
    if (room->stretches && room->candidates)
        return room;
    clock_room_free(room);
    return NULL;
}

void clock_room_free(struct clock_room *room)
{
    if (!room)
        return;
    free(room->stretches);
    free(room->candidates);
    free(room);
}

/* log2, rounded down, of cycles >= 1. */
static inline int octave_of(double cycles)
{
    return cycles < 0x1p63 ? 63 - __builtin_clzll((uint64_t)cycles) : OCTAVES - 1;
}

static void pool_add(struct sample_pool *p, const struct stretch *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int octave = octave_of(s[i].cycles);
        if (p->octave[octave] < OCTAVE_SAMPLES) {
            p->octave[octave]++;
            p->s[p->n++] = s[i];
        }
    }
}

/* The stretches between neighbours, and longer ones. */
static bool sieve_marks(const struct clock_marks *m, double longest, bool within, struct clock_room *room,
                        struct hz_range *range)
{
    struct sample_pool *p = &room->pool;
    p->n = 0;
    memset(p->octave, 0, sizeof p->octave);
    double cycles = 1;
    while (cycles <= longest) {
        pool_add(p, room->stretches, clock_marks_cut(m, cycles, within, room->stretches).n);
        cycles *= cycles < LONGER ? LONGER * LONGER * LONGER : LONGER;
    }
    return clock_sieve(p->s, p->n, room->candidates, range);
}

/* ---- how much exactly ---- */

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void swap(double *a, double *b)
{
    double was = *a;
    *a = *b;
    *b = was;
}

/* Parts v[*from .. *to] by the value at k, and narrows them to the part that rank k then lies in. */
static void part(double *v, ptrdiff_t *from, ptrdiff_t *to, ptrdiff_t k)
{
    double pivot = v[k];
    ptrdiff_t i = *from, j = *to;
    do {
        while (v[i] < pivot)
            i++;
        while (v[j] > pivot)
            j--;
        if (i <= j)
            swap(&v[i++], &v[j--]);
    } while (i <= j);
    if (j < k)
        *from = i;
    if (k < i)
        *to = j;
}

/* Puts the value of rank k of v[from .. to] at k, none that is higher before it, and none that is lower after it. */
static void select_rank(double *v, ptrdiff_t from, ptrdiff_t to, ptrdiff_t k)
{
    for (int parts = 0; from < to; parts++) {
        if (parts == PARTS_MOST) {
            qsort(v + from, (size_t)(to - from + 1), sizeof *v, compare_doubles);
            return;
        }
        part(v, &from, &to, k);
    }
}

/*
 * Puts the median (of an even number: the upper one of the two in the middle, the lower one before it) and both quartiles, of
 * few the least and the greatest value, where they are when all are in order: that costs a tenth of ordering all.
 */
static void order_quartiles(double *hz, size_t n)
{
    ptrdiff_t last = (ptrdiff_t)n - 1, middle = (ptrdiff_t)(n / 2), quarter = (ptrdiff_t)(n / 4);
    if (n < FEW) {
        qsort(hz, n, sizeof *hz, compare_doubles);
        return;
    }
    select_rank(hz, 0, last, middle);
    select_rank(hz, 0, middle - 1, middle - 1);
    select_rank(hz, 0, middle - 1, quarter);
    select_rank(hz, middle, last, last - quarter);
}

/* Half the distance of the quartiles, as a multiple of the half range of few normal samples. */
static double scatter(const double *hz, size_t n)
{
    return n < FEW ? (hz[n - 1] - hz[0]) / 2 : (hz[n - 1 - n / 4] - hz[n / 4]) / 2;
}

/* The estimate from `n` frequencies; `bias_ppm`: what all of them may be off by alike. */
static void estimate_from(double *hz, size_t n, double bias_ppm, struct clock_estimate *e)
{
    order_quartiles(hz, n);
    double median = n % 2 ? hz[n / 2] : (hz[n / 2 - 1] + hz[n / 2]) / 2;
    e->cpu_hz = median;
    e->samples = n;
    e->spread_ppm = scatter(hz, n) / median * 1e6;
    /*
     * Of a median of n normal samples: 1.253 sigma / sqrt(n), sigma = quartile distance / 1.349; and some more, as the
     * quartiles of few samples may lie closer than sigma has it.
     */
    double chance = 1.858 * e->spread_ppm / sqrt((double)n) * (1 + 3 / (double)n);
    e->error_ppm = hypot(hypot(chance, SKEW_SHARE * e->spread_ppm), bias_ppm);
}

/* Turns stretches into frequencies, in their place. Returns how many: the odd ones are left out. */
static size_t to_hz(struct stretch *s, size_t n, const struct hz_range *range)
{
    double *hz = (double *)s;
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        double cycles = s[i].cycles, ns;
        bool only;
        if (clock_unwrap(&s[i], range, &ns, &only) && only && ns > 0)
            hz[kept++] = cycles / ns * 1e9;
    }
    return kept * 4 >= n * 3 ? kept : 0;
}

/* What the delays at the ends of so many chains make unsure. */
static double ends_ppm(double cycles, size_t chains, const struct hz_range *range)
{
    double chain_ns = cycles / (double)chains / range->from * 1e9;
    return DELAY_NS / chain_ns * 1e6;
}

/* From stretches of so many cycles; the chains that they are of in `chains`. False: too few to say anything. */
static bool estimate_at(const struct clock_marks *m, double cycles, bool within, const struct hz_range *range,
                        struct stretch *room, struct clock_estimate *e, size_t *chains)
{
    struct clock_cut cut = clock_marks_cut(m, cycles, within, room);
    size_t n = to_hz(room, cut.n, range);
    if (n == 0)
        return false;
    *chains = cut.chains;
    double cycle_share = STEP_CYCLES / (cut.cycles / (double)cut.n);
    estimate_from((double *)room, n, ends_ppm(cut.cycles, cut.chains, range) + cycle_share * 1e6, e);
    return n >= SAMPLES_LEAST;
}

static bool estimate(const struct clock_marks *m, double hz_least, bool within, struct clock_room *room,
                     struct clock_estimate *e)
{
    struct hz_range range = {hz_least, CLOCK_HZ_MOST};
    double all, longest = clock_marks_longest(m, &all);
    bool found = false;
    if (!sieve_marks(m, longest, within, room, &range))
        return false;
    /* From the longest stretches on, as long as shorter ones, of which there are more, are not clearly worse. */
    double cycles = 2 * all / SAMPLES_GOOD;
    while ((cycles /= 2) >= 1) {
        struct clock_estimate next;
        size_t chains;
        if (!estimate_at(m, cycles, within, &range, room->stretches, &next, &chains))
            continue;
        if (!found || (e->samples < SAMPLES_GOOD && next.samples > e->samples) ||
            next.error_ppm < e->error_ppm)
            *e = next;
        else if (e->samples >= SAMPLES_GOOD && next.error_ppm > WORSE * e->error_ppm)
            break;
        found = true;
        /* Of shorter ones there are no fewer chains: the delays at their ends alone leave so much unsure. */
        if (e->samples >= SAMPLES_GOOD && e->error_ppm <= FINE * ends_ppm(all, chains, &range))
            break;
    }
    return found;
}

bool clock_estimate(const struct clock_marks *m, double hz_least, struct clock_room *room,
                    struct clock_estimate *e)
{
    return estimate(m, hz_least, false, room, e) || estimate(m, hz_least, true, room, e);
}
