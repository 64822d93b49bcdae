/* Where captures are joined, or the tsc of a pCPU is set: what is missing then, and whether the file can show it. */
#include <stdlib.h>

#include "view_internal.h"

#define SLACK_NS  700e3 /* a record is never later than that */
#define DRIFT_PPM 300   /* nor do clocks drift apart faster */

enum {
    RUNS_BEFORE = 70, /* so many runs show how usual ones look, */
    RUNS_AFTER = 4,   /* and so many that the stamps do not come back, */
    SWEEPS_AFTER = 5  /* in so many sweeps */
};

static bool is_change(const struct recorded *r, enum runstate from)
{
    return r->event >= TRC_RUNSTATE_CHANGE + from * 4 && r->event < TRC_RUNSTATE_CHANGE + from * 4 + 4;
}

static bool switches_in(const struct recorded *r)
{
    return r->event >= TRC_RUNSTATE_CHANGE && (r->event - TRC_RUNSTATE_CHANGE) % 4 == RUNSTATE_RUNNING;
}

/* The last switch of the pCPU before tsc; NULL: there is none. */
static const struct recorded *switch_before(const struct recorded_pcpu *p, uint64_t tsc)
{
    const struct recorded *found = NULL;
    for (size_t i = 0; i < p->n && p->records[i].tsc < tsc; i++)
        if (switches_in(&p->records[i]))
            found = &p->records[i];
    return found;
}

/* The end of run number `n` that ended at tsc or later; NULL: there is none. */
static const struct recorded *run_end(const struct making *m, const struct recorded_pcpu *p, uint64_t tsc,
                                      unsigned n)
{
    for (size_t i = 0; i < p->n && p->records[i].tsc <= m->v->last_tsc; i++)
        if (p->records[i].tsc >= tsc && is_change(&p->records[i], RUNSTATE_RUNNING) && n-- == 0)
            return &p->records[i];
    return NULL;
}

/* Whether the mask has runs with their lengths. */
static bool tells_runs(const struct plan *p)
{
    return p->mix < 3 && p->omit != 1 && p->omit != 2;
}

static double ns(const struct making *m, uint64_t cycles)
{
    return (double)cycles * 1e9 / (double)m->r->cpu_hz;
}

/*
 * Whether a run of the pCPU that began at `from` by its record, and ended with the first one after `at`, shows that it is so
 * much longer by the stamps than by Xen's clock.
 */
static bool run_shows(const struct making *m, uint32_t pcpu, uint64_t from, uint64_t at, uint64_t longer)
{
    const struct recorded_pcpu *p = &m->r->pcpus[pcpu];
    const struct recorded *before = run_end(m, p, m->v->first_tsc, RUNS_BEFORE);
    const struct recorded *end = run_end(m, p, at, 0), *last = run_end(m, p, at, RUNS_AFTER);
    if (!tells_runs(m->plan) || !before || before->tsc >= from || !last)
        return false;
    double drift = DRIFT_PPM / 1e6 + 300e3 / ns(m, from - m->v->first_tsc);
    uint64_t soon = (uint64_t)m->plan->sweep_us * m->r->cpu_hz / 1000000 * SWEEPS_AFTER;
    bool in_time = last->tsc - at < soon || last->tsc - m->v->first_tsc < m->r->cpu_hz / 10 * 8;
    bool delivered = end->tsc - m->v->first_tsc > m->r->cpu_hz / 10 * 8 &&
                     ns(m, end->tsc - from) > (double)m->plan->sweep_us * 1e3 + 14e6;
    return in_time && !delivered && ns(m, longer) > SLACK_NS + drift * ns(m, end->tsc - from);
}

static unsigned pcpus_read(const struct making *m)
{
    unsigned n = 0;
    for (uint32_t pcpu = 0; pcpu < m->r->pcpus_n; pcpu++)
        n += !m->unseen[pcpu];
    return n;
}

static void nothing_shows(struct view *v, uint64_t since)
{
    v->unreported_tsc = since < v->unreported_tsc ? since : v->unreported_tsc;
}

/* ---- a clock that is set ---- */

/* A change of state, by its stamp. */
struct stamped {
    uint64_t tsc;
    uint32_t who;
    uint8_t from, to;
};

static uint64_t stamp_of(const struct making *m, uint32_t pcpu, uint64_t tsc)
{
    return tsc + (pcpu == m->shifted && tsc >= m->shift_tsc ? m->shift : 0);
}

static int by_vcpu_and_time(const void *a, const void *b)
{
    const struct stamped *x = a, *y = b;
    if (x->who != y->who)
        return x->who < y->who ? -1 : 1;
    return x->tsc < y->tsc ? -1 : x->tsc > y->tsc;
}

/* The changes of vCPUs in [from, to), by their stamps, sorted. NULL: no memory. */
static struct stamped *changes_within(const struct making *m, uint64_t from, uint64_t to, size_t *n)
{
    struct stamped *found = NULL;
    *n = 0;
    for (int pass = 0; pass < 2; pass++) {
        size_t k = 0;
        for (uint32_t pcpu = 0; pcpu < m->r->pcpus_n; pcpu++)
            for (size_t i = 0; i < m->r->pcpus[pcpu].n && !m->unseen[pcpu]; i++) {
                const struct recorded *r = &m->r->pcpus[pcpu].records[i];
                uint64_t tsc = stamp_of(m, pcpu, r->tsc);
                if (r->event < TRC_RUNSTATE_CHANGE || tsc < from || tsc >= to || r->tsc > m->v->last_tsc)
                    continue;
                unsigned change = r->event - TRC_RUNSTATE_CHANGE;
                if (pass)
                    found[k] = (struct stamped){tsc, r->words[0], (uint8_t)(change / 4), change % 4};
                k++;
            }
        if (!pass && !(found = malloc((k + 1) * sizeof *found)))
            return NULL;
        *n = k;
    }
    qsort(found, *n, sizeof *found, by_vcpu_and_time);
    return found;
}

/* Whether vCPUs' changes contradict one another, soon after the run that ended at `end`, and not only in records that are near. */
static bool changes_show(const struct making *m, uint64_t end)
{
    enum { CLEAR = 4 };
    uint64_t by = m->plan->shift_back ? -m->shift : m->shift, near = m->r->cpu_hz / 5000;
    uint64_t soon = (uint64_t)m->plan->sweep_us * m->r->cpu_hz / 1000000 * 2;
    size_t n, contradictions = 0;
    struct stamped *c = changes_within(m, end + 2 * by, end + 2 * by + soon, &n);
    for (size_t i = 1; c && i < n; i++)
        contradictions +=
            c[i].who == c[i - 1].who && c[i].from != c[i - 1].to && c[i].tsc - c[i - 1].tsc > near;
    free(c);
    return contradictions >= CLEAR && !m->plan->delayed;
}

/* Whether the stamps of the pCPU go back, by more than a late record does. */
static bool stamps_show(const struct making *m)
{
    const struct recorded_pcpu *p = &m->r->pcpus[m->shifted];
    uint64_t last = 0, clear = m->r->cpu_hz / 1000;
    unsigned back = 0;
    for (size_t i = 0; i < p->n && back < 3; i++) {
        if (plan_leaves_out(m->plan, (enum trace_event)p->records[i].event))
            continue;
        last = p->records[i].tsc < m->shift_tsc ? p->records[i].tsc : last;
        if (p->records[i].tsc >= m->shift_tsc && stamp_of(m, m->shifted, p->records[i].tsc) + clear > last)
            break;
        back += p->records[i].tsc >= m->shift_tsc;
    }
    return back == 3;
}

/* Whether no pCPU wrote anything for a while near `tsc`: then switches may be missing there, instead. */
static bool is_silent_near(const struct making *m, uint64_t tsc)
{
    uint64_t ms = m->r->cpu_hz / 1000, from = tsc - 2 * ms, last = from, longest = 0;
    for (uint64_t next = 0; next < tsc + 2 * ms; last = next) {
        next = tsc + 2 * ms;
        for (uint32_t pcpu = 0; pcpu < m->r->pcpus_n; pcpu++)
            for (size_t i = 0; i < m->r->pcpus[pcpu].n && !m->unseen[pcpu]; i++) {
                uint64_t stamp = stamp_of(m, pcpu, m->r->pcpus[pcpu].records[i].tsc);
                if (stamp > last && stamp < next)
                    next = stamp;
            }
        longest = next - last > longest ? next - last : longest;
    }
    return longest > ms / 10 * 9;
}

static bool shift_shows(const struct making *m, uint64_t from)
{
    const struct recorded *end = run_end(m, &m->r->pcpus[m->shifted], m->shift_tsc, 0);
    uint64_t by = m->plan->shift_back ? -m->shift : m->shift;
    /* A clock that is ahead of all sweeps that were read makes other pCPUs' records late. */
    bool ahead = !m->plan->shift_back && m->plan->sweep_us < m->plan->shift_us;
    if (pcpus_read(m) < 2 || m->v->lost || ahead || !end || !run_shows(m, m->shifted, from, m->shift_tsc, by))
        return false;
    bool stands_still = !m->plan->shift_back && m->plan->shift_us > 3000 && !is_silent_near(m, from + by);
    return stands_still || stamps_show(m) || changes_show(m, end->tsc);
}

/* What the pCPU wrote after its tsc was set has no place in time; since when is known to a run. */
static bool survey_shift(struct making *m)
{
    struct view *v = m->v;
    if (m->shift_offset >= v->n)
        return true;
    const struct recorded *start = switch_before(&m->r->pcpus[m->shifted], m->shift_tsc);
    uint64_t from = start ? start->tsc : v->first_tsc;
    v->is_shifted = shift_shows(m, from);
    if (!v->is_shifted)
        nothing_shows(v, 0); /* a first record that comes too early, or late, says what was before it */
    v->is_vague = true;      /* before it shows, its records contradict others, as if pCPUs were not read */
    return gaps_add(&v->gaps, m->shifted, from, UINT64_MAX);
}

/*
 * Whether a run that ended at tsc is read before what was delivered passes the pause: a sweep later, or, if the pause is clearly
 * longer than usual between sweeps, some time.
 */
static bool is_in_time(const struct making *m, uint64_t tsc)
{
    double sweep = (double)m->plan->sweep_us * 1e3, after = ns(m, tsc - m->hole_to);
    bool at_first = tsc - m->v->first_tsc < m->r->cpu_hz / 10 * 7;
    return after < sweep * 0.9 || at_first || (ns(m, m->hole_to - m->hole_from) > sweep * 4 && after < 150e6);
}

/* Whether the first vCPU that stopped running on the pCPU after the pause is not the last that ran before it. */
static bool another_ran(const struct making *m, const struct recorded_pcpu *p, const struct recorded *before)
{
    const struct recorded *end = run_end(m, p, m->hole_to, 0);
    return m->plan->mix < 4 && before && before->tsc >= m->v->first_tsc && end && is_in_time(m, end->tsc) &&
           end->words[0] != before->words[0];
}

/* Whether the file shows that switches are missing in the pause. With one odd pCPU only its clock may have been set, too. */
static bool pause_shows(struct making *m)
{
    unsigned odd = 0, missed = 0;
    for (uint32_t pcpu = 0; pcpu < m->r->pcpus_n; pcpu++) {
        const struct recorded_pcpu *p = &m->r->pcpus[pcpu];
        const struct recorded *before = switch_before(p, m->hole_from), *in = switch_before(p, m->hole_to);
        if (m->unseen[pcpu])
            continue;
        missed += another_ran(m, p, before);
        const struct recorded *end = run_end(m, p, m->hole_to, 0);
        odd += before && in && in->tsc >= m->hole_from && end && is_in_time(m, end->tsc) &&
               run_shows(m, pcpu, before->tsc, m->hole_to, in->tsc - before->tsc);
    }
    m->v->is_vague = missed == 0 && odd < 2;
    return missed > 0 || odd > 0;
}

/* Whether the file ends in the middle of a window of its first sweep. */
static bool ends_in_first_sweep(const struct making *m)
{
    bool in_window = m->v->n < m->writer.bytes && m->v->sweeps == 1;
    for (size_t i = 0; i < m->windows_n; i++)
        in_window = in_window && m->windows[i].offset != m->v->n;
    return in_window;
}

bool view_survey_joints(struct making *m)
{
    struct view *v = m->v;
    v->has_hole = m->before_hole && m->after_hole;
    if (m->plan->shift_us && !survey_shift(m))
        return false;
    if (v->has_hole && m->plan->pause_ms && !pause_shows(m)) {
        v->has_hole = false;
        nothing_shows(v, 0);
    }
    /* What was to be read after in the first sweep may be of further pCPUs. */
    return (!v->has_hole || gaps_add(&v->gaps, ALL_PCPUS, m->before_hole, m->after_hole)) &&
           (!ends_in_first_sweep(m) || gaps_add(&v->gaps, m->r->pcpus_n, 0, UINT64_MAX));
}
