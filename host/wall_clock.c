#include "host/wall_clock.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PAIRS             64
#define STEP_LEAST_NS     1000000  /* less is no step: the clocks were not read at the same time */
#define SUSPEND_LEAST_NS  10000000 /* */
#define APART_LEAST_NS    1000000  /* readings give a frequency */
#define AHEAD_MOST_NS     1e6      /* counters of pCPUs differ a little */
#define CONTRARY_READINGS 3
#define LATE_TIMES                                                                                           \
    30 /* records that come so many times later than they should are not late, but another counter's */
#define FAR                4e18 /* cycles or ns, beyond which nothing is near the pairs */
#define FREQUENCY_LEAST_HZ 1e6
#define DRIFT_MOST                                                                                           \
    1e-3 /* CLOCK_MONOTONIC is slewed by at most 500 ppm, and so may have been the pairs before */

enum basis { NOT_KNOWN, COUNTER, STREAM };

struct instant_pair {
    int64_t utc_ns;
    uint64_t monotonic_ns, tsc, error_ns;
};

struct wall_clock {
    struct time_source source;
    uint64_t late_ns;
    bool has_read;
    struct time_reading first, last; /* readings of the same run of the counter */
    int64_t day_offset,
        boot_offset; /* CLOCK_REALTIME and CLOCK_BOOTTIME - CLOCK_MONOTONIC, as far as it is reported */
    enum basis basis;
    unsigned contrary;                /* readings in a row that speak for the other basis */
    struct instant_pair anchor;       /* the pair from which the frequency counts: an early one, and exact */
    struct instant_pair pairs[PAIRS]; /* the last ones, the latest at the end */
    size_t pairs_n;
};

struct wall_clock *wall_clock_new(const struct time_source *source, uint64_t late_ns, struct error *err)
{
    struct wall_clock *c = calloc(1, sizeof *c);
    if (!c) {
        error_no_memory(err, "the time of day");
        return NULL;
    }
    c->source = *source;
    c->late_ns = late_ns;
    return c;
}

void wall_clock_free(struct wall_clock *c)
{
    free(c);
}

/* ---- frequencies ---- */

static double ratio_hz(uint64_t from_tsc, uint64_t from_ns, uint64_t to_tsc, uint64_t to_ns)
{
    if (to_ns < from_ns + APART_LEAST_NS || to_tsc <= from_tsc)
        return 0;
    double hz = (double)(to_tsc - from_tsc) / ((double)(to_ns - from_ns) / 1e9);
    return hz >= FREQUENCY_LEAST_HZ ? hz : 0;
}

/* Of this machine's counter. */
static double counter_hz(const struct wall_clock *c)
{
    return ratio_hz(c->first.tsc, c->first.monotonic_ns, c->last.tsc, c->last.monotonic_ns);
}

/* How far off the frequency is at most that follows from two pairs. */
static double error_ppm_of(const struct instant_pair *a, const struct instant_pair *z)
{
    if (z->monotonic_ns <= a->monotonic_ns)
        return INFINITY;
    return (double)(a->error_ns + z->error_ns) / (double)(z->monotonic_ns - a->monotonic_ns) * 1e6;
}

double wall_clock_hz(const struct wall_clock *c, double *error_ppm)
{
    if (c->pairs_n == 0)
        return 0;
    const struct instant_pair *a = &c->anchor, *z = &c->pairs[c->pairs_n - 1];
    double hz = ratio_hz(a->tsc, a->monotonic_ns, z->tsc, z->monotonic_ns);
    if (error_ppm && hz > 0)
        *error_ppm = error_ppm_of(a, z);
    return hz;
}

/* ---- pairs ---- */

static void forget(struct wall_clock *c, struct clock_news *news)
{
    news->broken |= c->pairs_n > 0;
    c->pairs_n = 0;
}

/* Whether the pair is on the line of those before it. */
static bool goes_on(const struct wall_clock *c, const struct instant_pair *p)
{
    const struct instant_pair *last = &c->pairs[c->pairs_n - 1];
    double hz_error_ppm = 0, hz = wall_clock_hz(c, &hz_error_ppm);
    if (p->tsc < last->tsc || p->monotonic_ns < last->monotonic_ns)
        return false;
    if (c->basis == STREAM || hz <= 0)
        return true;
    double passed = (double)(p->monotonic_ns - last->monotonic_ns);
    double counted = (double)(p->tsc - last->tsc) / hz * 1e9;
    return fabs(passed - counted) <=
           (double)(p->error_ns + last->error_ns) + passed * (DRIFT_MOST + hz_error_ppm / 1e6);
}

/* The first pairs of a stream can be bad ones: a later one takes the anchor's place once it makes the frequency more exact. */
static void choose_anchor(struct wall_clock *c)
{
    const struct instant_pair *last = &c->pairs[c->pairs_n - 1];
    for (size_t i = 0; i + 1 < c->pairs_n; i++)
        if (error_ppm_of(&c->pairs[i], last) < error_ppm_of(&c->anchor, last))
            c->anchor = c->pairs[i];
}

static void add_pair(struct wall_clock *c, const struct instant_pair *p, struct clock_news *news)
{
    if (c->pairs_n > 0 && !goes_on(c, p))
        forget(c, news);
    if (c->pairs_n == 0)
        c->anchor = *p;
    if (c->pairs_n == PAIRS)
        memmove(c->pairs, c->pairs + 1, --c->pairs_n * sizeof *c->pairs);
    c->pairs[c->pairs_n++] = *p;
    choose_anchor(c);
    news->has_pair = true;
    news->pair = (struct fact_clock){.tsc = p->tsc,
                                     .utc_ns = p->utc_ns,
                                     .monotonic_ns = p->monotonic_ns,
                                     .error_ns = p->error_ns,
                                     .by_stream = c->basis == STREAM};
}

static struct instant_pair pair_of_reading(const struct time_reading *r)
{
    return (struct instant_pair){r->utc_ns, r->monotonic_ns, r->tsc, r->error_ns};
}

/* The first pair by the counter is as good as the first reading: the frequency is known at once. */
static void add_counter_pair(struct wall_clock *c, struct clock_news *news)
{
    struct instant_pair p = pair_of_reading(&c->last);
    bool none = c->pairs_n == 0;
    add_pair(c, &p, news);
    if (none)
        c->anchor = pair_of_reading(&c->first);
    if (news->broken)
        c->first = c->last;
}

static void add_stream_pair(struct wall_clock *c, const struct stream_moment *newest, struct clock_news *news)
{
    const struct time_reading *r = &c->last;
    uint64_t age = newest->age_ns < r->monotonic_ns ? newest->age_ns : r->monotonic_ns;
    struct instant_pair p = {r->utc_ns - (int64_t)age, r->monotonic_ns - age, newest->tsc,
                             newest->sweep_ns + r->error_ns};
    if (c->pairs_n == 0 || newest->tsc != c->pairs[c->pairs_n - 1].tsc)
        add_pair(c, &p, news);
}

/* ---- readings ---- */

/* Steps of the time of day, suspended times, a counter that begins anew. */
static void note_jumps(struct wall_clock *c, const struct time_reading *r, struct clock_news *news)
{
    int64_t day = r->utc_ns - (int64_t)r->monotonic_ns, boot = (int64_t)(r->boot_ns - r->monotonic_ns);
    int64_t error = (int64_t)(r->error_ns + c->last.error_ns);
    int64_t suspended = c->has_read ? boot - c->boot_offset : 0;
    if (suspended > SUSPEND_LEAST_NS + error) {
        news->suspended_ns = (uint64_t)suspended;
        c->day_offset += suspended;
        c->boot_offset = boot;
    }
    int64_t step = c->has_read ? day - c->day_offset : 0;
    if (llabs(step) > STEP_LEAST_NS + error) {
        news->step_ns = step;
        c->day_offset = day;
    }
    if (!c->has_read) {
        c->day_offset = day;
        c->boot_offset = boot;
    }
    if (news->suspended_ns > 0)
        forget(c, news);
    if (!c->has_read || news->suspended_ns > 0 || r->tsc < c->last.tsc ||
        r->monotonic_ns < c->last.monotonic_ns)
        c->first = *r;
    c->last = *r;
    c->has_read = true;
}

enum judgement { CANNOT_JUDGE, FITS, LATE, CONTRADICTS };

/* Whether the counter can be the one that the newest record has. */
static enum judgement judge(const struct wall_clock *c, const struct stream_moment *newest)
{
    double hz = counter_hz(c);
    if (hz <= 0)
        return CANNOT_JUDGE;
    double late_ns = newest->tsc > c->last.tsc ? -(double)(newest->tsc - c->last.tsc) / hz * 1e9
                                               : (double)(c->last.tsc - newest->tsc) / hz * 1e9;
    late_ns -= (double)newest->age_ns;
    if (late_ns > (double)c->late_ns)
        return late_ns > LATE_TIMES * (double)c->late_ns ? CONTRADICTS : LATE;
    return late_ns + (double)newest->age_ns >= -AHEAD_MOST_NS ? FITS : CONTRADICTS;
}

/*
 * A clear judgement counts at once if it is the first one, later where several in a row agree. Late records are weak evidence: a busy
 * domain 0 makes some.
 */
static void settle(struct wall_clock *c, enum judgement judgement, struct clock_news *news)
{
    enum basis basis = judgement == FITS ? COUNTER : STREAM;
    if (judgement == LATE && c->basis == COUNTER)
        return;
    c->contrary = c->basis == basis ? 0 : c->contrary + 1;
    bool at_once = c->basis == NOT_KNOWN && judgement != LATE;
    if (c->basis == basis || (!at_once && c->contrary < CONTRARY_READINGS))
        return;
    forget(c, news);
    c->basis = basis;
    c->contrary = 0;
}

int wall_clock_read(struct wall_clock *c, const struct stream_moment *newest, struct clock_news *news,
                    struct error *err)
{
    struct time_reading r;
    *news = (struct clock_news){.has_pair = false};
    if (c->source.read(c->source.context, &r, err) != 0)
        return -1;
    note_jumps(c, &r, news);
    enum judgement judgement = newest ? judge(c, newest) : CANNOT_JUDGE;
    if (judgement == CANNOT_JUDGE)
        return 0;
    settle(c, judgement, news);
    if (c->basis == COUNTER && judgement == FITS)
        add_counter_pair(c, news);
    if (c->basis == STREAM)
        add_stream_pair(c, newest, news);
    return 0;
}

bool wall_clock_by_stream(const struct wall_clock *c)
{
    return c->basis == STREAM;
}

/* ---- other moments ---- */

static bool no_step_between(const struct instant_pair *a, const struct instant_pair *b)
{
    int64_t step = (b->utc_ns - a->utc_ns) - (int64_t)(b->monotonic_ns - a->monotonic_ns);
    return llabs(step) <= STEP_LEAST_NS + (int64_t)(a->error_ns + b->error_ns);
}

/* Cycles per ns from pair i on. */
static double slope_at(const struct wall_clock *c, size_t i, double hz)
{
    const struct instant_pair *a = &c->pairs[i], *b = a + 1;
    if (i + 1 < c->pairs_n && b->utc_ns > a->utc_ns && b->tsc > a->tsc && no_step_between(a, b))
        return (double)(b->tsc - a->tsc) / (double)(b->utc_ns - a->utc_ns);
    return hz / 1e9;
}

bool wall_clock_tsc_of(const struct wall_clock *c, int64_t utc_ns, uint64_t *tsc)
{
    double hz = wall_clock_hz(c, NULL);
    if (hz <= 0)
        return false;
    size_t i = c->pairs_n - 1;
    while (i > 0 && c->pairs[i].utc_ns > utc_ns)
        i--;
    double distance = (double)(utc_ns - c->pairs[i].utc_ns);
    double ticks = distance * (distance < 0 ? hz / 1e9 : slope_at(c, i, hz));
    if (!(ticks < FAR) || (ticks < 0 && -ticks > (double)c->pairs[i].tsc))
        return false;
    *tsc = ticks < 0 ? c->pairs[i].tsc - (uint64_t)-ticks : c->pairs[i].tsc + (uint64_t)ticks;
    return true;
}

bool wall_clock_utc_of(const struct wall_clock *c, uint64_t tsc, int64_t *utc_ns)
{
    double hz = wall_clock_hz(c, NULL);
    if (hz <= 0)
        return false;
    size_t i = c->pairs_n - 1;
    while (i > 0 && c->pairs[i].tsc > tsc)
        i--;
    const struct instant_pair *p = &c->pairs[i];
    double passed =
        tsc < p->tsc ? -(double)(p->tsc - tsc) / hz * 1e9 : (double)(tsc - p->tsc) / slope_at(c, i, hz);
    if (!(fabs(passed) < FAR))
        return false;
    *utc_ns = p->utc_ns + llround(passed);
    return true;
}
