/* The time of day of a moment, and the moment of a time of day, by pairs of both. */
#include <math.h>
#include <stdlib.h>

#include "archive/host_facts_fields.h"

/*
 * The time of day and CLOCK_MONOTONIC are read one after the other, and both follow the corrections of the frequency: they part by
 * more only if the time of day was set.
 */
#define STEP_NS 1000000

/* Beyond the pairs time is off by at most this: the frequency may be, and NTP corrects by up to 500 ppm. */
#define BEYOND_PPM 500

__extension__ typedef __int128 int128;

/* How much the time of day was set between two pairs, ns. */
static int64_t step_ns(const struct fact_clock *a, const struct fact_clock *b)
{
    int64_t step = (b->utc_ns - a->utc_ns) - (int64_t)(b->monotonic_ns - a->monotonic_ns);
    int64_t slack = STEP_NS;
    if (a->error_ns < STEP_NS * 1000u && b->error_ns < STEP_NS * 1000u)
        slack += (int64_t)(a->error_ns + b->error_ns);
    return llabs(step) > slack ? step : 0;
}

/* The last pair that is not after tsc; 0 also where all are. */
static size_t pair_before(const struct host_facts *f, uint64_t tsc)
{
    size_t from = 0, to = f->clocks_n;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (f->clocks[middle].tsc <= tsc)
            from = middle + 1;
        else
            to = middle;
    }
    return from > 0 ? from - 1 : 0;
}

/* The frequency beyond the pairs: the given one, or what the first and the last pair say. 0: not known. */
static double frequency(const struct host_facts *f, double cpu_hz)
{
    const struct fact_clock *a = &f->clocks[0], *b = &f->clocks[f->clocks_n - 1];
    if (cpu_hz > 0)
        return cpu_hz;
    return b->tsc > a->tsc && b->monotonic_ns > a->monotonic_ns
               ? (double)(b->tsc - a->tsc) * 1e9 / (double)(b->monotonic_ns - a->monotonic_ns)
               : 0;
}

/* ns from tsc `from` on to tsc `to`; negative if `to` is the earlier. */
static long double ns_between(uint64_t from, uint64_t to, double hz)
{
    long double cycles = to >= from ? (long double)(to - from) : -(long double)(from - to);
    return cycles * 1e9L / (long double)hz;
}

static bool in_range(long double utc_ns)
{
    return utc_ns > -4e18L && utc_ns < 9e18L;
}

static bool utc_beyond(const struct fact_clock *c, double hz, uint64_t tsc, int64_t *utc_ns,
                       uint64_t *error_ns)
{
    if (tsc != c->tsc && !(hz > 0))
        return false;
    long double off = tsc == c->tsc ? 0 : ns_between(c->tsc, tsc, hz);
    if (!in_range((long double)c->utc_ns + off))
        return false;
    *utc_ns = c->utc_ns + (int64_t)roundl(off);
    *error_ns = c->error_ns + (uint64_t)(fabsl(off) * BEYOND_PPM / 1e6L);
    return true;
}

/* ns since pair a, on the line from a to b, rounded to the nearest. */
static int64_t since(const struct fact_clock *a, const struct fact_clock *b, uint64_t tsc, int64_t length_ns)
{
    int128 cycles = b->tsc - a->tsc, product = (int128)length_ns * (tsc - a->tsc);
    return (int64_t)((product + (product < 0 ? -cycles : cycles) / 2) / cycles);
}

static void utc_between(const struct fact_clock *a, const struct fact_clock *b, uint64_t tsc, int64_t *utc_ns,
                        uint64_t *error_ns)
{
    int64_t step = step_ns(a, b);
    uint64_t error = a->error_ns > b->error_ns ? a->error_ns : b->error_ns;
    if (step == 0) {
        *utc_ns = a->utc_ns + since(a, b, tsc, b->utc_ns - a->utc_ns);
        *error_ns = error;
        return;
    }
    int64_t length = (int64_t)(b->monotonic_ns - a->monotonic_ns), past = since(a, b, tsc, length);
    bool nearer_to_b = tsc - a->tsc > b->tsc - tsc;
    *utc_ns = nearer_to_b ? b->utc_ns - (length - past) : a->utc_ns + past;
    *error_ns =
        tsc == a->tsc ? a->error_ns : error + (uint64_t)llabs(step); /* it is not known when it was set */
}

bool host_facts_utc(const struct host_facts *f, double cpu_hz, uint64_t tsc, int64_t *utc_ns,
                    uint64_t *error_ns)
{
    uint64_t ignored = 0;
    error_ns = error_ns ? error_ns : &ignored;
    if (f->clocks_n == 0)
        return false;
    size_t i = pair_before(f, tsc);
    const struct fact_clock *a = &f->clocks[i];
    if (tsc < a->tsc || i + 1 == f->clocks_n)
        return utc_beyond(a, frequency(f, cpu_hz), tsc, utc_ns, error_ns);
    utc_between(a, a + 1, tsc, utc_ns, error_ns);
    return true;
}

/* ---- the other way round ---- */

/* The moment so many ns after pair c. False: there is none, or no frequency is known. */
static bool tsc_beyond(const struct fact_clock *c, double hz, int64_t ns, uint64_t *tsc)
{
    long double at = (long double)c->tsc + (ns ? (long double)ns * (long double)hz / 1e9L : 0);
    if ((ns && !(hz > 0)) || at > 18e18L)
        return false;
    *tsc = at > 0 ? (uint64_t)ceill(at) : 0;
    return true;
}

/* The first moment between two pairs that has this time of day, in ns of CLOCK_MONOTONIC since a. -1: there is none. */
static int64_t since_of_utc(const struct fact_clock *a, const struct fact_clock *b, int64_t utc_ns,
                            int64_t length, int64_t step)
{
    int64_t by_a = utc_ns - a->utc_ns, by_b = length - (b->utc_ns - utc_ns), half = length / 2;
    if (by_a >= 0 && by_a <= (step ? half : length))
        return by_a;
    if (step && by_b >= half && by_b <= length)
        return by_b;
    return step > 0 && by_a > half && by_b < half ? half : -1; /* a time of day that was left out */
}

static bool tsc_between(const struct fact_clock *a, const struct fact_clock *b, int64_t utc_ns, uint64_t *tsc)
{
    int64_t step = step_ns(a, b);
    int64_t length = step ? (int64_t)(b->monotonic_ns - a->monotonic_ns) : b->utc_ns - a->utc_ns;
    int64_t past = length > 0 ? since_of_utc(a, b, utc_ns, length, step) : -1;
    if (past < 0)
        return false;
    *tsc = a->tsc + (uint64_t)(((int128)(b->tsc - a->tsc) * past + length - 1) / length);
    return true;
}

bool host_facts_tsc(const struct host_facts *f, double cpu_hz, int64_t utc_ns, uint64_t *tsc)
{
    if (f->clocks_n == 0 || utc_ns < 0 || utc_ns > FACT_UTC_MAX)
        return false;
    const struct fact_clock *first = &f->clocks[0], *last = &f->clocks[f->clocks_n - 1];
    for (const struct fact_clock *a = first; a < last; a++)
        if (tsc_between(a, a + 1, utc_ns, tsc))
            return true;
    const struct fact_clock *c = utc_ns < first->utc_ns ? first : last;
    return tsc_beyond(c, frequency(f, cpu_hz), utc_ns - c->utc_ns, tsc);
}
