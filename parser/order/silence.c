#include "silence.h"

#include <stdlib.h>
#include <string.h>

#define HOLE_SWEEPS 3 /* and longer than so many usual distances between sweeps */

#define HOLE_ALWAYS                                                                                          \
    1800 /* times HOLE_NS: no sweeps are an hour apart, if time does not leap from each to the next */

/* How far a run may seem longer or shorter by the stamps: the records of a switch are late, the clock is not exact. */
#define RUN_SLACK_NS  1000000u
#define RUN_SLACK_PPM 200
#define RUN_SLACK_MAX (1u << 29) /* beyond it, agreement modulo 2^32 would be chance */

void silences_free(struct silences *s)
{
    free(s->list);
    free(s->holes);
}

void silences_use_clock(struct silences *s, const struct clock *clock)
{
    double cycles = clock->cpu_hz * (HOLE_NS / 1e9);
    s->cycles = cycles >= 1 && cycles < 9e18 ? (uint64_t)cycles : 0;
    size_t kept = 0;
    for (size_t i = 0; i < s->n; i++)
        if (s->list[i].to - s->list[i].from >= silence_window_cycles(s))
            s->list[kept++] = s->list[i];
    s->n = kept;
}

void silences_sweep(struct silences *s, uint64_t first, uint64_t tsc)
{
    uint64_t last = s->sweeps > 0 ? s->sweep_ends[(s->sweeps - 1) % SWEEPS_KEPT] : UINT64_MAX;
    bool silent = first < UINT64_MAX && first > last;
    s->before_sweep[s->sweeps % SWEEPS_KEPT] = silent ? (struct hole){last, first} : (struct hole){0};
    s->sweep_ends[s->sweeps++ % SWEEPS_KEPT] = tsc;
}

bool silences_is_longest(const struct silences *s, const struct hole *h, uint64_t since)
{
    uint64_t kept = s->sweeps > SWEEPS_KEPT ? s->sweeps - SWEEPS_KEPT : 0;
    if (kept > 0 && s->sweep_ends[kept % SWEEPS_KEPT] > since)
        return false;
    for (uint64_t i = kept; i < s->sweeps; i++) {
        const struct hole *other = &s->before_sweep[i % SWEEPS_KEPT];
        if (other->to > since && other->to - other->from > h->to - h->from)
            return false;
    }
    return true;
}

/* Makes room for another one in a list. */
static bool make_room(struct silences *s, void **list, size_t n, size_t *capacity, size_t size)
{
    if (n < *capacity)
        return true;
    size_t more = *capacity ? 2 * *capacity : 64;
    void *larger = realloc(*list, more * size);
    if (!larger) {
        s->no_memory = true;
        return false;
    }
    *list = larger;
    *capacity = more;
    return true;
}

void silences_note(struct silences *s, const struct silence *silence)
{
    void *list = s->list;
    bool room = make_room(s, &list, s->n, &s->capacity, sizeof *s->list);
    s->list = list;
    if (room)
        s->list[s->n++] = *silence;
}

/* A hole that waits to be delivered did not end then. */
static void forget_hole(struct silences *s, uint64_t to)
{
    size_t kept = s->holes_head;
    for (size_t i = s->holes_head; i < s->holes_n; i++)
        if (s->holes[i].to != to)
            s->holes[kept++] = s->holes[i];
    s->holes_n = kept;
    if (s->last_hole.to == to)
        s->last_hole = (struct hole){0};
}

void silences_pull_back(struct silences *s, uint16_t pcpu, uint64_t tsc)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->n; i++) {
        struct silence silence = s->list[i];
        if (silence.pcpu == pcpu && silence.to > tsc) {
            forget_hole(s, silence.to);
            silence.to = tsc;
        }
        if (silence.to >= silence.from && silence.to - silence.from >= silence_window_cycles(s))
            s->list[kept++] = silence;
    }
    s->n = kept;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* The usual distance between two sweeps, without the one that the hole would be in; 0: not known. */
static uint64_t usual_distance(const struct silences *s, const struct hole *h)
{
    uint64_t distances[SWEEPS_KEPT];
    size_t n = 0;
    uint64_t first = s->sweeps > SWEEPS_KEPT ? s->sweeps - SWEEPS_KEPT : 0;
    for (uint64_t i = first + 1; i < s->sweeps; i++) {
        uint64_t from = s->sweep_ends[(i - 1) % SWEEPS_KEPT], to = s->sweep_ends[i % SWEEPS_KEPT];
        if (to > from && !(from <= h->from && to >= h->to))
            distances[n++] = to - from;
    }
    if (n == 0)
        return 0;
    qsort(distances, n, sizeof distances[0], compare);
    return distances[n / 2];
}

/* What the run that ended after the silence says. */
enum run { RUN_SAYS_NOTHING, RUN_AGREES, RUN_CONTRADICTS };

static enum run run_of(const struct silence *s, const struct clock *clock)
{
    if (s->from > 0 && s->run_cycles < s->to - s->from)
        return RUN_SAYS_NOTHING; /* it began after a record that was not understood */
    uint64_t ns = (uint64_t)(((uint128)s->run_cycles * clock->multiplier) >> clock->shift);
    uint64_t slack = RUN_SLACK_NS + ns / 1000000 * RUN_SLACK_PPM;
    if (s->from == 0) /* it may have begun before the trace */
        return s->run_cycles > 0 && s->runtime_ns + slack < ns ? RUN_CONTRADICTS : RUN_SAYS_NOTHING;
    uint32_t longer = (uint32_t)ns - s->runtime_ns;
    uint32_t off = longer < UINT32_MAX - longer ? longer : UINT32_MAX - longer + 1;
    return slack <= RUN_SLACK_MAX && off <= slack ? RUN_AGREES : RUN_CONTRADICTS;
}

/* The silence of a pCPU right before `at`; NULL: it was not silent, or is silent since its last record. */
static const struct silence *silence_before(const struct silences *s, uint16_t pcpu, uint64_t at)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->list[i].pcpu == pcpu && s->list[i].from < at && s->list[i].to >= at)
            return &s->list[i];
    return NULL;
}

/* How many pCPUs are silent as far as is known: */
struct silent {
    unsigned runs[RUN_CONTRADICTS + 1]; /* by what their next runs say, if the clock is given */
    unsigned busy;                      /* where a vCPU may have run, and not the idle one */
};

/* Whether all pCPUs were silent before h->to, for at least so many cycles; sets since when. Adds them up. */
static bool all_silent(const struct silences *s, const struct decoder *d, const struct clock *clock,
                       uint64_t least, struct hole *h, struct silent *silent)
{
    h->from = 0;
    for (unsigned i = 0; i < d->pcpus_n; i++) {
        const struct stream *stream = d->streams[d->pcpus[i]];
        const struct silence *silence = silence_before(s, stream->pcpu, h->to);
        uint64_t from = silence ? silence->from : stream->last_tsc;
        if (!silence && stream->begun && stream->last_tsc >= h->to)
            return false;
        if (!silence && !stream->begun)
            continue;
        h->from = from > h->from ? from : h->from;
        if (h->to - h->from < least)
            return false;
        silent->runs[silence && clock ? run_of(silence, clock) : RUN_SAYS_NOTHING]++;
        silent->busy += silence ? !silence->idle : !silence_is_idle(stream);
    }
    return h->from > 0;
}

static bool is_hole(const struct silences *s, const struct decoder *d, const struct clock *clock,
                    struct hole *h)
{
    struct silent silent = {0};
    if (!all_silent(s, d, clock, s->cycles, h, &silent))
        return false;
    bool recorded = silent.busy > 0 && silent.runs[RUN_AGREES] > 0 && silent.runs[RUN_CONTRADICTS] == 0;
    uint64_t length = h->to - h->from;
    return !recorded && (length / HOLE_SWEEPS > usual_distance(s, h) || length / HOLE_ALWAYS >= s->cycles);
}

/* ---- where all may be silent ---- */

/* The ends of the silences that are kept, each list ascending. */
struct silence_ends {
    uint64_t *from, *to; /* NULL: no memory, or too few to be worth it */
    size_t n;
};

#define FEW_SILENCES 64

static void sort_ends(const struct silences *s, struct silence_ends *ends)
{
    *ends = (struct silence_ends){.n = s->n};
    uint64_t *both = s->n > FEW_SILENCES ? malloc(2 * s->n * sizeof *both) : NULL;
    if (!both)
        return;
    ends->from = both;
    ends->to = both + s->n;
    for (size_t i = 0; i < s->n; i++) {
        ends->from[i] = s->list[i].from;
        ends->to[i] = s->list[i].to;
    }
    qsort(ends->from, ends->n, sizeof *ends->from, compare);
    qsort(ends->to, ends->n, sizeof *ends->to, compare);
}

/* How many of the times are less than `tsc`. */
static size_t count_before(const uint64_t *times, size_t n, uint64_t tsc)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (times[middle] < tsc)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/*
 * Whether all pCPUs can have been silent right before `at`: as many silences last then as pCPUs wrote after it. A pCPU may have
 * several of these, so true is no proof.
 */
static bool may_be_silent(const struct silence_ends *ends, const struct decoder *d, uint64_t at)
{
    if (!ends->from)
        return true;
    size_t last = count_before(ends->from, ends->n, at) - count_before(ends->to, ends->n, at), wrote = 0;
    for (unsigned i = 0; i < d->pcpus_n; i++) {
        const struct stream *stream = d->streams[d->pcpus[i]];
        wrote += stream->begun && stream->last_tsc >= at;
    }
    return last >= wrote;
}

bool silences_is_unusual(const struct silences *s, const struct hole *h)
{
    uint64_t usual = usual_distance(s, h);
    return usual > 0 && (h->to - h->from) / HOLE_SWEEPS > usual;
}

uint64_t silences_unusual(const struct silences *s, const struct decoder *d, uint64_t tsc)
{
    uint64_t earliest = UINT64_MAX;
    struct silence_ends ends;
    sort_ends(s, &ends);
    for (size_t i = 0; i < s->n; i++) {
        struct silent silent = {0};
        struct hole h = {.to = s->list[i].to};
        if (h.to > tsc && may_be_silent(&ends, d, h.to) &&
            all_silent(s, d, NULL, silence_window_cycles(s), &h, &silent) && silences_is_unusual(s, &h) &&
            h.from < earliest)
            earliest = h.from;
    }
    free(ends.from);
    return earliest;
}

bool silences_find(const struct silences *s, const struct decoder *d, uint64_t tsc, uint64_t near,
                   struct hole *longest)
{
    *longest = (struct hole){0};
    for (size_t i = 0; i < s->n; i++) {
        struct silent silent = {0};
        struct hole h = {.to = s->list[i].to};
        if (h.to + near >= tsc && all_silent(s, d, NULL, silence_window_cycles(s), &h, &silent) &&
            h.from <= tsc + near && h.to - h.from > longest->to - longest->from)
            *longest = h;
    }
    return longest->to > 0;
}

/* Keeps the holes in time order; several pCPUs may have ended one at the same tsc. */
void silences_add_hole(struct silences *s, const struct hole *h)
{
    size_t at = s->holes_n;
    s->last_hole = *h;
    while (at > s->holes_head && s->holes[at - 1].to > h->to)
        at--;
    if (at > s->holes_head && s->holes[at - 1].to == h->to)
        return;
    if (s->holes_head == s->holes_n)
        at = s->holes_head = s->holes_n = 0;
    void *holes = s->holes;
    bool room = make_room(s, &holes, s->holes_n, &s->holes_capacity, sizeof *s->holes);
    s->holes = holes;
    if (!room)
        return;
    memmove(s->holes + at + 1, s->holes + at, (s->holes_n++ - at) * sizeof *s->holes);
    s->holes[at] = *h;
}

void silences_settle(struct silences *s, const struct decoder *d, const struct clock *clock,
                     uint64_t watermark)
{
    size_t kept = 0;
    bool scheduler = decoder_has_runstates(d) || decoder_switches(d) > 0;
    for (size_t i = 0; s->cycles && scheduler && i < s->n; i++) {
        struct hole h = {.to = s->list[i].to};
        bool is_long = h.to - s->list[i].from >= s->cycles;
        if (is_long && h.to <= watermark && is_hole(s, d, clock, &h))
            silences_add_hole(s, &h);
    }
    for (size_t i = 0; i < s->n; i++)
        if (s->list[i].to > watermark)
            s->list[kept++] = s->list[i];
    s->n = kept;
}
