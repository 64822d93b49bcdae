#include "clock_sieve.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RANGES_MAX    4096  /* more: nothing is known */
#define PROPOSALS_MAX 65536 /* the same: hostile stamps would have it try for minutes */
#define GROUP_LEAST   8
#define GROUP_MOST    64
#define PIVOTS        3 /* stretches of a group that propose frequencies: one alone may be odd */
#define NARROW        1.05
/* No narrower than this, nor than stretches many times as long need: per-CPU clocks of an emulated host slip for a while. */
#define UNSURE_SHARE   0.02
#define UNSURE_LENGTHS 128
/* A stamp is this much later than Xen's clock, now more and now less: 0.1 to some us. */
#define DELAY_NS 10e3
/* What may be between stamps and payloads: odd delays; the slip of an emulated host's clocks, a random walk. */
#define SLACK_NS    50e3
#define SLACK_SHARE 3e-3
#define SLACK_WALK  0.3e9 /* ns up to which the slip grows by the share */

#define ALLOWED_LEAST 0.75 /* of all stretches */
#define RIVAL         0.9 /* of the stretches that allow the best candidate: another one may be right as well */
#define SPLIT_LEAST   16 /* stretches that have to be asked when the shortest one may have wrapped */

struct candidate {
    struct hz_range range;
    size_t allowed, asked; /* stretches that allow it, of so many */
    bool split;            /* one of several, at some length */
};

struct sieve {
    struct candidate *now, *then;
    size_t now_n, then_n;
    size_t proposed;
    bool full;
};

static double slack(double ns)
{
    return SLACK_NS + SLACK_SHARE * (ns < SLACK_WALK ? ns : sqrt(ns * SLACK_WALK));
}

/* What Xen's clock may have said, at least and at most. */
static struct hz_range possible_ns(const struct stretch *s, const struct hz_range *range)
{
    double least = s->cycles / range->to * 1e9, most = s->cycles / range->from * 1e9;
    return (struct hz_range){least - slack(least), most + slack(most)};
}

static double least_wrap(const struct stretch *s, const struct hz_range *ns)
{
    if (s->ns >= ns->from)
        return s->ns;
    return s->ns + ceil((ns->from - s->ns) / CLOCK_WRAP_NS) * CLOCK_WRAP_NS;
}

bool clock_unwrap(const struct stretch *s, const struct hz_range *range, double *ns, bool *only)
{
    struct hz_range possible = possible_ns(s, range);
    *ns = least_wrap(s, &possible);
    *only = *ns + CLOCK_WRAP_NS > possible.to;
    return *ns <= possible.to;
}

static int compare_cycles(const void *a, const void *b)
{
    double x = ((const struct stretch *)a)->cycles, y = ((const struct stretch *)b)->cycles;
    return (x > y) - (x < y);
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The range becomes what the ratios say, as far as delays and their scatter let them. */
static void narrow(struct hz_range *range, double *hz, size_t n, double shortest_ns, double longest_ns)
{
    if (n < 3)
        return;
    qsort(hz, n, sizeof *hz, compare_doubles);
    double median = hz[n / 2], quartiles = (hz[n - 1 - n / 4] - hz[n / 4]) / median;
    double unsure = DELAY_NS / shortest_ns + 2 * quartiles / sqrt((double)n);
    unsure = fmax(unsure, fmin(UNSURE_SHARE, CLOCK_WRAP_NS / UNSURE_LENGTHS / longest_ns));
    struct hz_range said = {median * (1 - unsure), median * (1 + unsure)};
    if (said.from > range->to || said.to < range->from)
        return;
    range->from = fmax(range->from, said.from);
    range->to = fmin(range->to, said.to);
}

/* Asks a group. Returns whether a frequency of the candidate is still to be thought of; narrows it. */
static bool ask(struct candidate *c, const struct stretch *s, size_t n)
{
    double hz[GROUP_MOST], shortest_ns = INFINITY, longest_ns = 0;
    size_t allowed = 0, certain = 0;
    for (size_t i = 0; i < n; i++) {
        double ns;
        bool only;
        if (!clock_unwrap(&s[i], &c->range, &ns, &only))
            continue;
        allowed++;
        if (only && ns > 0) {
            hz[certain++] = s[i].cycles / ns * 1e9;
            shortest_ns = fmin(shortest_ns, ns);
            longest_ns = fmax(longest_ns, ns);
        }
    }
    c->allowed += allowed;
    c->asked += n;
    if (n >= GROUP_LEAST && allowed * 2 < n)
        return false;
    if (certain * 2 > n)
        narrow(&c->range, hz, certain, shortest_ns, longest_ns);
    return true;
}

static void keep(struct sieve *v, const struct candidate *c)
{
    if (v->then_n == RANGES_MAX)
        v->full = true;
    else
        v->then[v->then_n++] = *c;
}

static bool mostly_certain(const struct candidate *c, const struct stretch *s, size_t n)
{
    size_t certain = 0;
    for (size_t i = 0; i < n; i++) {
        double ns;
        bool only;
        certain += !clock_unwrap(&s[i], &c->range, &ns, &only) || only;
    }
    return certain * 2 > n;
}

/* Each number of wraps of one stretch proposes frequencies: those that the group allows are kept. */
static void propose(struct sieve *v, const struct candidate *c, const struct stretch *pivot,
                    const struct stretch *s, size_t n)
{
    struct hz_range possible = possible_ns(pivot, &c->range);
    double ns = least_wrap(pivot, &possible), covered = INFINITY;
    while (ns <= possible.to && !v->full) {
        double least = fmax(ns - slack(ns), 1), most = ns + slack(ns);
        if (most - least >= CLOCK_WRAP_NS) /* from here on the wraps cannot be told apart */
            most = ns = possible.to;
        struct candidate next = *c;
        next.split = true;
        next.range.from = fmax(c->range.from, pivot->cycles / most * 1e9);
        next.range.to = fmin(fmin(c->range.to, pivot->cycles / least * 1e9), covered);
        covered = next.range.from;
        if (next.range.from <= next.range.to && ask(&next, s, n))
            keep(v, &next);
        v->full |= ++v->proposed == PROPOSALS_MAX;
        ns += CLOCK_WRAP_NS;
    }
}

static int compare_candidates(const void *a, const void *b)
{
    double x = ((const struct candidate *)a)->range.from, y = ((const struct candidate *)b)->range.from;
    return (x > y) - (x < y);
}

/* Candidates that overlap become one. */
static void merge(struct candidate *c, size_t *n)
{
    size_t kept = 0;
    qsort(c, *n, sizeof *c, compare_candidates);
    for (size_t i = 0; i < *n; i++) {
        struct candidate *last = kept ? &c[kept - 1] : NULL;
        if (!last || c[i].range.from > last->range.to) {
            c[kept++] = c[i];
            continue;
        }
        last->range.to = fmax(last->range.to, c[i].range.to);
        if (c[i].allowed > last->allowed)
            last->allowed = c[i].allowed;
    }
    *n = kept;
}

static void ask_all(struct sieve *v, const struct stretch *s, size_t n)
{
    v->then_n = 0;
    for (size_t i = 0; i < v->now_n && !v->full; i++) {
        struct candidate c = v->now[i];
        if (mostly_certain(&c, s, n)) {
            if (ask(&c, s, n))
                keep(v, &c);
            continue;
        }
        for (size_t k = 0; k < PIVOTS; k++)
            propose(v, &c, &s[k * (n - 1) / (PIVOTS - 1)], s, n);
    }
    merge(v->then, &v->then_n);
    struct candidate *swap = v->now;
    v->now = v->then;
    v->then = swap;
    v->now_n = v->then_n;
}

/* Stretches of about one length, from s[0] on. */
static size_t group_of(const struct stretch *s, size_t n)
{
    size_t k = 1;
    while (k < n && k < GROUP_MOST && (k < GROUP_LEAST || s[k].cycles <= 2 * s[0].cycles))
        k++;
    return k;
}

static double allowed_share(const struct candidate *c)
{
    return (double)c->allowed / (double)c->asked;
}

/* The candidate that most stretches allow, if no other one is allowed by about as many; NULL. */
static const struct candidate *the_one(const struct sieve *v)
{
    const struct candidate *one = NULL;
    for (size_t i = 0; i < v->now_n; i++)
        if (!one || allowed_share(&v->now[i]) > allowed_share(one))
            one = &v->now[i];
    if (!one || allowed_share(one) < ALLOWED_LEAST || (one->split && one->asked < SPLIT_LEAST))
        return NULL;
    for (size_t i = 0; i < v->now_n; i++)
        if (&v->now[i] != one && allowed_share(&v->now[i]) >= RIVAL * allowed_share(one))
            return NULL;
    return one->range.to <= one->range.from * NARROW ? one : NULL;
}

struct candidate *clock_sieve_room(void)
{
    return malloc(2 * RANGES_MAX * sizeof(struct candidate));
}

bool clock_sieve(struct stretch *s, size_t n, struct candidate *room, struct hz_range *range)
{
    struct sieve v = {.now = room, .then = room + RANGES_MAX, .now_n = 1};
    v.now[0] = (struct candidate){.range = *range};
    qsort(s, n, sizeof *s, compare_cycles);
    for (size_t i = 0, k; i < n && v.now_n > 0 && !v.full; i += k) {
        k = group_of(s + i, n - i);
        ask_all(&v, s + i, k);
    }
    const struct candidate *one = n > 0 && !v.full ? the_one(&v) : NULL;
    if (one)
        *range = one->range;
    return one != NULL;
}
