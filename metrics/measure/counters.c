#include "counters.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "parser/error.h"

/* ---- order ---- */

static int compare(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int by_tsc(const void *a, const void *b)
{
    const struct counter_reading *x = a, *y = b;
    return x->device != y->device ? compare(x->device, y->device) : compare(x->tsc, y->tsc);
}

static int by_time(const void *a, const void *b)
{
    const struct counter_reading *x = a, *y = b;
    return x->device != y->device ? compare(x->device, y->device) : compare(x->time_ns, y->time_ns);
}

static int index_devices(struct counters *c, struct error *err)
{
    size_t domains = UINT16_MAX + 1, i = 0;
    counters_free_index(c);
    c->begins = calloc(c->devices_n + 1, sizeof *c->begins);
    c->first = malloc(domains * sizeof *c->first);
    c->next = malloc((c->devices_n + 1) * sizeof *c->next);
    if (!c->begins || !c->first || !c->next)
        return error_no_memory(err, "outside counters");
    for (size_t device = 0; device <= c->devices_n; device++) {
        while (i < c->readings_n && c->readings[i].device < device)
            i++;
        c->begins[device] = i;
    }
    memset(c->first, 0xff, domains * sizeof *c->first); /* NO_DEVICE */
    for (uint32_t d = (uint32_t)c->devices_n; d-- > 0;) {
        c->next[d] = c->first[c->devices[d].domain];
        c->first[c->devices[d].domain] = d;
    }
    return 0;
}

static int contradiction(const struct counters *c, const struct counter_reading *a,
                         const struct counter_reading *b, struct error *err)
{
    const struct counter_device *d = &c->devices[a->device];
    uint32_t first = a->line < b->line ? a->line : b->line, second = a->line < b->line ? b->line : a->line;
    return error_on_line(
        err, second, "%s of domain %u was read at %s %" PRIu64 " in line %" PRIu32 ", too, with other counts",
        d->name, d->domain, c->has_tsc ? "tsc" : "time_ns", c->has_tsc ? a->tsc : a->time_ns, first);
}

/* Makes the counts of one device grow throughout: adds the old count where a count began anew from 0. */
static void join_lives(struct counter_reading *r, size_t n)
{
    for (unsigned kind = 0; kind < COUNTER_KINDS; kind++) {
        uint64_t last = 0, total = 0;
        for (size_t i = 0; i < n; i++) {
            uint64_t now = r[i].count[kind];
            uint64_t grown = now >= last ? now - last : now;
            total = grown > UINT64_MAX - total ? UINT64_MAX : total + grown;
            last = now;
            r[i].count[kind] = total;
        }
    }
}

int counters_sort(struct counters *c, struct error *err)
{
    int (*order)(const void *, const void *) = c->has_tsc ? by_tsc : by_time;
    if (c->readings_n)
        qsort(c->readings, c->readings_n, sizeof *c->readings, order);
    for (size_t i = 1; i < c->readings_n; i++) {
        const struct counter_reading *a = &c->readings[i - 1], *b = &c->readings[i];
        if (order(a, b) == 0 && memcmp(a->count, b->count, sizeof a->count) != 0)
            return contradiction(c, a, b, err);
    }
    if (index_devices(c, err) != 0)
        return -1;
    for (size_t device = 0; device < c->devices_n; device++)
        join_lives(c->readings + c->begins[device], c->begins[device + 1] - c->begins[device]);
    return 0;
}

/* ---- the clock ---- */

#define FREQUENCY_PAIRS   8 /* the scatter of fewer is hardly known */
#define FREQUENCY_SPAN_NS 1000000000u

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Each reading of the first half with the one half of all later. Returns how many frequencies. */
static size_t pair_readings(const struct counter_reading *r, size_t n, double *hz)
{
    size_t pairs = 0;
    for (size_t i = 0; i + n / 2 < n; i++) {
        const struct counter_reading *a = &r[i], *b = &r[i + n / 2];
        if (a->time_ns && b->tsc > a->tsc && b->time_ns > a->time_ns + FREQUENCY_SPAN_NS)
            hz[pairs++] = (double)(b->tsc - a->tsc) / (double)(b->time_ns - a->time_ns) * 1e9;
    }
    return pairs;
}

bool counters_frequency(const struct counters *c, double *hz, double *error_ppm)
{
    double *all = c->has_tsc ? malloc((c->readings_n + 1) * sizeof *all) : NULL;
    size_t n = 0;
    for (size_t d = 0; all && d < c->devices_n; d++)
        n += pair_readings(c->readings + c->begins[d], c->begins[d + 1] - c->begins[d], all + n);
    bool enough = n >= FREQUENCY_PAIRS;
    if (enough) {
        qsort(all, n, sizeof *all, compare_doubles);
        *hz = all[n / 2];
        *error_ppm = (all[n - 1 - n / 4] - all[n / 4]) / 2 / *hz * 1e6;
    }
    free(all);
    return enough;
}

void counters_free_index(struct counters *c)
{
    free(c->begins);
    free(c->first);
    free(c->next);
    c->begins = NULL;
    c->first = c->next = NULL;
}

void counters_free(struct counters *c)
{
    if (!c)
        return;
    free(c->readings);
    free(c->devices);
    counters_free_index(c);
    free(c);
}

bool counter_device_has_events(const struct counter_device *d)
{
    bool any = false;
    for (unsigned kind = 0; kind < COUNTER_KINDS; kind++)
        any |= d->counts[kind];
    return any;
}

/* ---- the count at a moment ---- */

/* The counts of one kind by one device. */
struct series {
    const struct counter_reading *readings;
    size_t n;
    unsigned kind;
    const struct clock *clock; /* NULL: readings have time_ns */
};

/* A count at a moment: whole events, and the fraction of the next. */
struct level {
    uint64_t whole;
    double part;
};

static int64_t limited(uint64_t ns)
{
    return ns > INT64_MAX ? INT64_MAX : (int64_t)ns;
}

/* clock_ns for any tsc: before the trace's start it is negative. Monotone, and limited to what int64_t holds. */
static int64_t signed_clock_ns(const struct clock *clock, uint64_t tsc)
{
    bool before = tsc < clock->tsc_first;
    uint64_t cycles = before ? clock->tsc_first - tsc : tsc - clock->tsc_first;
    uint128 ns = ((uint128)cycles * clock->multiplier) >> clock->shift;
    int64_t distance = ns > INT64_MAX ? INT64_MAX : (int64_t)ns;
    return before ? -distance : distance;
}

static int64_t reading_ns(const struct series *s, size_t i)
{
    const struct counter_reading *r = &s->readings[i];
    return s->clock ? signed_clock_ns(s->clock, r->tsc) : limited(r->time_ns);
}

/* The number of readings up to `ns`, included. */
static size_t readings_until(const struct series *s, int64_t ns)
{
    size_t low = 0, high = s->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (reading_ns(s, middle) <= ns)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The count at `ns`, which lies after reading `next` - 1 and before `next`. */
static struct level level_between(const struct series *s, size_t next, int64_t ns)
{
    uint64_t before = s->readings[next - 1].count[s->kind], after = s->readings[next].count[s->kind];
    /* Unsigned: the distance of two int64_t fits. */
    uint64_t last_ns = (uint64_t)reading_ns(s, next - 1);
    uint64_t passed_ns = (uint64_t)ns - last_ns, step_ns = (uint64_t)reading_ns(s, next) - last_ns;
    assert(passed_ns < step_ns);
    uint128 grown = (uint128)(after - before) * passed_ns;
    return (struct level){before + (uint64_t)(grown / step_ns),
                          (double)(uint64_t)(grown % step_ns) / (double)step_ns};
}

static struct level level_at(const struct series *s, uint64_t at_ns)
{
    size_t next = readings_until(s, limited(at_ns));
    if (next > 0 && next < s->n)
        return level_between(s, next, limited(at_ns));
    return (struct level){s->readings[next ? next - 1 : 0].count[s->kind], 0};
}

static struct series series_of(const struct counters *c, uint32_t device, unsigned kind,
                               const struct clock *clock)
{
    return (struct series){c->readings + c->begins[device], c->begins[device + 1] - c->begins[device], kind,
                           c->has_tsc ? clock : NULL};
}

/* False: the device counts no such kind, or has no readings there. */
static bool levels(const struct counters *c, uint32_t device, unsigned kind, const uint64_t span_ns[2],
                   const struct clock *clock, struct level at[2])
{
    struct series s = series_of(c, device, kind, clock);
    if (span_ns[0] >= span_ns[1] || s.n < 2 || !c->devices[device].counts[kind])
        return false;
    at[0] = level_at(&s, span_ns[0]);
    at[1] = level_at(&s, span_ns[1]);
    return true;
}

double counters_between(const struct counters *c, uint32_t device, unsigned kind, uint64_t from_ns,
                        uint64_t to_ns, const struct clock *clock)
{
    struct level at[2];
    if (!levels(c, device, kind, (uint64_t[]){from_ns, to_ns}, clock, at))
        return 0;
    return (double)(at[1].whole - at[0].whole) + (at[1].part - at[0].part);
}

uint64_t counters_whole_between(const struct counters *c, uint32_t device, unsigned kind, uint64_t from_ns,
                                uint64_t to_ns, const struct clock *clock)
{
    struct level at[2];
    if (!levels(c, device, kind, (uint64_t[]){from_ns, to_ns}, clock, at))
        return 0;
    return at[1].whole - at[0].whole;
}

/* A kernel adds up a thread's time when it stops running, or at its next tick: a reading may be so much behind. */
#define CPU_LATE_NS 20000000u

/* By how much the CPU time grew from reading i - 1 to reading i. False: that cannot be. */
static bool cpu_time_grew(const struct series *s, size_t i, uint64_t step_ns, uint32_t vcpus, uint64_t *grown)
{
    uint64_t before = s->readings[i - 1].count[COUNTER_CPU], after = s->readings[i].count[COUNTER_CPU];
    *grown = after > before ? after - before : 0;
    return (after >= before || after == 0) && *grown <= ((uint128)step_ns + CPU_LATE_NS) * vcpus;
}

struct cpu_time counters_cpu_between(const struct counters *c, uint32_t device, uint64_t from_ns,
                                     uint64_t to_ns, const struct clock *clock, uint32_t vcpus)
{
    struct series s = series_of(c, device, COUNTER_CPU, clock);
    struct cpu_time t = {0};
    int64_t from = limited(from_ns), to = limited(to_ns);
    if (from >= to || s.n < 2 || !c->devices[device].counts[COUNTER_CPU])
        return t;
    size_t i = readings_until(&s, from);
    for (i += i == 0; i < s.n && reading_ns(&s, i - 1) <= to; i++) {
        int64_t begin = reading_ns(&s, i - 1), end = reading_ns(&s, i);
        /* Unsigned: the distance of two int64_t fits. */
        uint64_t step_ns = (uint64_t)end - (uint64_t)begin, grown;
        uint64_t part_ns = (uint64_t)(end < to ? end : to) - (uint64_t)(begin > from ? begin : from);
        if (!cpu_time_grew(&s, i, step_ns, vcpus, &grown)) {
            t.impossible_ns += step_ns ? part_ns : 1;
            continue;
        }
        double elsewhere_ns = (double)(step_ns - part_ns) * vcpus;
        t.ns += step_ns ? (double)grown * (double)part_ns / (double)step_ns : (double)grown;
        t.least_ns += (double)grown > elsewhere_ns ? (double)grown - elsewhere_ns : 0;
    }
    return t;
}

bool counters_last(const struct counters *c, uint32_t device, uint64_t until_ns, const struct clock *clock,
                   uint64_t *ns)
{
    struct series s = series_of(c, device, 0, clock);
    size_t next = readings_until(&s, limited(until_ns));
    if (next == 0 || reading_ns(&s, next - 1) < 0)
        return false;
    *ns = (uint64_t)reading_ns(&s, next - 1);
    return true;
}

bool counters_next(const struct counters *c, uint32_t device, uint64_t after_ns, const struct clock *clock,
                   uint64_t *ns)
{
    struct series s = series_of(c, device, 0, clock);
    size_t next = readings_until(&s, limited(after_ns));
    if (next == s.n)
        return false;
    *ns = (uint64_t)reading_ns(&s, next);
    return true;
}

bool counters_cover(const struct counters *c, uint32_t device, uint64_t from_ns, uint64_t to_ns,
                    const struct clock *clock)
{
    struct series s = series_of(c, device, 0, clock);
    return s.n >= 2 && reading_ns(&s, 0) <= (int64_t)from_ns && reading_ns(&s, s.n - 1) >= (int64_t)to_ns;
}

bool counters_span(const struct counters *c, const struct clock *clock, int64_t *from_ns, int64_t *to_ns)
{
    bool any = false;
    for (size_t d = 0; d < c->devices_n; d++) {
        struct series s = series_of(c, (uint32_t)d, 0, clock);
        if (s.n < 2)
            continue;
        int64_t first = reading_ns(&s, 0), last = reading_ns(&s, s.n - 1);
        *from_ns = !any || first < *from_ns ? first : *from_ns;
        *to_ns = !any || last > *to_ns ? last : *to_ns;
        any = true;
    }
    return any;
}
