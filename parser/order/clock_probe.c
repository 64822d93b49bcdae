#include "clock_probe.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "clock_core.h"
#include "clock_sieve.h"

#define GAPS          256
#define GAP_MOST_NS   20e3 /* half of all switches write their records faster than this, on any host */
#define MARKS_LEAST   32
#define CHECK_SAMPLES 8 /* of fewer the standard error says little */

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

uint64_t clock_tsc(const struct clock *c, uint64_t ns)
{
    long double cycles =
        c->multiplier ? ldexpl((long double)ns, (int)c->shift) / (long double)c->multiplier : 0;
    if (cycles >= (long double)(UINT64_MAX - c->tsc_first))
        return UINT64_MAX;
    uint64_t tsc = c->tsc_first + (uint64_t)cycles; /* off by a cycle or two */
    for (int i = 0; i < 4 && clock_ns(c, tsc) < ns; i++)
        tsc++;
    for (int i = 0; i < 4 && tsc > c->tsc_first && clock_ns(c, tsc - 1) >= ns; i++)
        tsc--;
    return tsc;
}

const char *clock_source(const struct clock *c)
{
    if (!(c->cpu_hz > 0))
        return NULL;
    return c->measured ? "measured" : c->by_host ? "io-counts" : "given";
}

/* A pCPU, and who runs there as far as records say. */
struct clock_pcpu {
    uint32_t who;      /* CLOCK_NOBODY: not known */
    uint32_t ran_ns;   /* how long by then, when the last mark was made */
    uint32_t mark;     /* the last one of the chain; CLOCK_MARK_NONE: there is none */
    uint32_t prev, ns; /* of a SWITCH_INFPREV */
    uint64_t prev_tsc; /* whose SWITCH_INFNEXT comes now; 0: none */
    bool names_next;   /* there are records of SWITCH_INFNEXT */
    bool core;         /* it writes for others of its core */
};

static void break_chain(struct clock_pcpu *c)
{
    c->who = CLOCK_NOBODY;
    c->mark = CLOCK_MARK_NONE;
    c->ran_ns = 0;
    c->prev_tsc = 0;
}

bool clock_probe_init(struct clock_probe *p)
{
    p->by_pcpu = calloc(PCPUS_MAX, sizeof *p->by_pcpu);
    p->core = clock_core_new();
    p->marks.marks = calloc(CLOCK_MARKS, sizeof *p->marks.marks);
    p->room = clock_room_new();
    p->gaps = calloc(GAPS, sizeof *p->gaps);
    if (!p->by_pcpu || !p->core || !p->marks.marks || !p->room || !p->gaps)
        return false;
    for (size_t i = 0; i < PCPUS_MAX; i++)
        break_chain(&p->by_pcpu[i]);
    return true;
}

void clock_probe_free(struct clock_probe *p)
{
    free(p->by_pcpu);
    clock_core_free(p->core);
    free(p->marks.marks);
    clock_room_free(p->room);
    free(p->gaps);
}

void clock_probe_break(struct clock_probe *p)
{
    for (size_t i = 0; i < p->pcpus; i++)
        break_chain(&p->by_pcpu[i]);
    clock_core_break(p->core, 0);
}

void clock_probe_restart(struct clock_probe *p)
{
    clock_probe_break(p);
    clock_core_restart(p->core);
    p->marks.n = 0;
    p->estimated_at = 0;
    p->estimated = false;
}

/* Xen says that `who` has run for `ns` (low 32 bits) by now: a mark, in the chain if that goes on. */
static void mark_run(struct clock_probe *p, struct clock_pcpu *c, uint64_t tsc, uint32_t who, uint32_t ns,
                     bool within)
{
    bool goes_on = c->mark != CLOCK_MARK_NONE &&
                   (c->who == who || (c->who == CLOCK_NOBODY && !c->names_next)) &&
                   tsc >= p->marks.marks[c->mark].tsc;
    c->mark = goes_on ? clock_marks_append(&p->marks, c->mark, tsc, ns - c->ran_ns, within)
                      : clock_marks_begin(&p->marks, tsc, within);
}

static void switched_out(struct clock_probe *p, struct clock_pcpu *c, uint64_t tsc, uint32_t who, uint32_t ns,
                         bool names_vcpu)
{
    if (names_vcpu && c->who != CLOCK_NOBODY && c->who != who && !c->core) {
        break_chain(c);
        c->core = true;
    }
    c->prev = who;
    c->ns = ns;
    c->prev_tsc = tsc;
    if (!c->core)
        mark_run(p, c, tsc, who, ns, false);
    c->who = CLOCK_NOBODY;
    c->ran_ns = 0;
}

static void switched_in(struct clock_probe *p, struct clock_pcpu *c, uint64_t tsc, uint32_t who)
{
    if (c->prev_tsc && tsc >= c->prev_tsc && p->gaps_n < GAPS) {
        uint64_t gap = tsc - c->prev_tsc;
        p->gaps[p->gaps_n++] = gap < UINT32_MAX ? (uint32_t)gap : UINT32_MAX;
    }
    if (!c->prev_tsc)
        c->mark = CLOCK_MARK_NONE;
    else if (c->core)
        clock_core_switch(p->core, c->prev_tsc, c->prev, c->ns, who);
    c->prev_tsc = 0;
    c->who = who;
    c->names_next = true;
}

static void went_on(struct clock_probe *p, struct clock_pcpu *c, uint64_t tsc, uint32_t who, uint32_t ns)
{
    if (c->core)
        return;
    if (c->who != who)
        c->mark = CLOCK_MARK_NONE;
    mark_run(p, c, tsc, who, ns, true);
    c->who = who;
    c->ran_ns = ns;
}

/* Before Xen 4.8 records name the domain only. */
static uint32_t who_of(const struct event *e, bool names_vcpu)
{
    return e->w[0] << 16 | (names_vcpu ? e->w[1] & 0xffff : 0);
}

static void take(struct clock_probe *p, struct clock_pcpu *c, const struct event *e)
{
    unsigned words = event_words(e);
    bool whole = words >= 3; /* of SWITCH_INFPREV */
    if (e->slot == EVENT_SWITCH_INFPREV && words >= 2)
        switched_out(p, c, e->tsc, who_of(e, whole), e->w[whole ? 2 : 1], whole);
    else if (e->slot == EVENT_SWITCH_INFNEXT && words >= 3)
        switched_in(p, c, e->tsc, who_of(e, words >= 4));
    else if (e->slot == EVENT_SWITCH_INFCONT && words >= 4)
        went_on(p, c, e->tsc, who_of(e, true), e->w[2]);
    else if (e->slot == EVENT_LOST_RECORDS) {
        break_chain(c);
        if (c->core)
            clock_core_break(p->core, e->tsc);
    }
}

void clock_probe_take(struct clock_probe *p, struct stream *s)
{
    size_t kept = s->fresh;
    stream_settle_fresh(s);
    if (p->pcpus <= s->pcpu)
        p->pcpus = s->pcpu + 1u;
    for (size_t i = s->fresh; i < s->n; i++) {
        struct event *e = &s->events[i];
        if (e->flags & EVENT_CLOCK) {
            if (e->tsc != TSC_NONE)
                take(p, &p->by_pcpu[s->pcpu], e);
            e->flags &= (uint8_t)~EVENT_CLOCK;
        }
        if (!(e->flags & (EVENT_RAW | EVENT_MODEL | EVENT_WHO)))
            continue;
        if (kept < i)
            s->events[kept] = *e;
        kept++;
    }
    s->n = kept;
}

bool clock_probe_is_full(const struct clock_probe *p)
{
    return p->marks.n == CLOCK_MARKS;
}

static size_t marks_seen(const struct clock_probe *p)
{
    return p->marks.n + clock_core_switches(p->core);
}

bool clock_probe_has_more(const struct clock_probe *p)
{
    return marks_seen(p) >= MARKS_LEAST && marks_seen(p) >= p->estimated_at + p->estimated_at / 2;
}

static int compare_gaps(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* A counter that runs slower would have the records of most switches lie far apart. */
static double hz_least(struct clock_probe *p)
{
    if (p->gaps_n == 0)
        return CLOCK_HZ_LEAST;
    qsort(p->gaps, p->gaps_n, sizeof *p->gaps, compare_gaps);
    size_t middle = p->gaps_n / 2;
    double usual = p->gaps[middle];
    return fmax(CLOCK_HZ_LEAST, usual / GAP_MOST_NS * 1e9);
}

static void estimate(struct clock_probe *p)
{
    uint32_t own = p->marks.n;
    p->estimated_at = marks_seen(p);
    clock_core_marks(p->core, &p->marks);
    p->estimated = clock_estimate(&p->marks, hz_least(p), p->room, &p->estimate);
    p->marks.n = own;
}

bool clock_probe_estimate(struct clock_probe *p, struct clock *clock)
{
    const struct clock_estimate *e = &p->estimate;
    if (marks_seen(p) != p->estimated_at)
        estimate(p);
    if (!p->estimated)
        return false;
    clock->cpu_hz = e->cpu_hz;
    clock->measured = true;
    clock->pairs = e->samples;
    clock->spread_ppm = e->spread_ppm;
    clock->error_ppm = e->error_ppm;
    return true;
}

/* What of a difference is not explained by errors. */
static double excess(double difference_ppm, double error_ppm)
{
    return difference_ppm - 3 * error_ppm;
}

void clock_probe_check(struct clock_probe *p, struct clock *clock)
{
    struct clock later = {0};
    bool many = marks_seen(p) >= MARKS_LEAST || !clock->measured;
    if (!many || marks_seen(p) == p->estimated_at || !clock_probe_estimate(p, &later) ||
        later.pairs < CHECK_SAMPLES)
        return;
    double difference_ppm = fabs(later.cpu_hz / clock->cpu_hz - 1) * 1e6;
    if (clock->check_pairs &&
        excess(difference_ppm, later.error_ppm) <= excess(clock->difference_ppm, clock->check_error_ppm))
        return;
    clock->check_pairs = later.pairs;
    clock->check_hz = later.cpu_hz;
    clock->check_error_ppm = later.error_ppm;
    clock->difference_ppm = difference_ppm;
}
