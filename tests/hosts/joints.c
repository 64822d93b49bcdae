/* Where captures are joined, or the tsc of a pCPU is set: what is missing then, and whether the file can show it. */
#include <stdlib.h>

#include "view_internal.h"

#define SLACK_NS  700e3 /* a record is never later than that */
#define DRIFT_PPM 300   /* nor do clocks drift apart faster */

enum {
    RUNS_BEFORE = 24, /* so many runs show how usual ones look, */
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
    double drift = DRIFT_PPM / 1e6 + 50e3 / ns(m, from - m->v->first_tsc);
    uint64_t soon = (uint64_t)m->plan->sweep_us * m->r->cpu_hz / 1000000 * SWEEPS_AFTER;
    bool in_time = last->tsc - at < soon || last->tsc - m->v->first_tsc < m->r->cpu_hz / 10 * 8;
    return in_time && ns(m, longer) > SLACK_NS + drift * ns(m, end->tsc - from);
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

/* What the pCPU wrote after its tsc was set has no place in time; since when is known to a run. */
static bool survey_shift(struct making *m)
{
    struct view *v = m->v;
    if (m->shift_offset >= v->n)
        return true;
    const struct recorded *start = switch_before(&m->r->pcpus[m->shifted], m->shift_tsc);
    uint64_t from = start ? start->tsc : 0;
    uint64_t by = m->plan->shift_back ? -m->shift : m->shift;
    v->is_shifted = pcpus_read(m) > 1 && run_shows(m, m->shifted, from, m->shift_tsc, by);
    if (!v->is_shifted)
        nothing_shows(v, from);
    return gaps_add(&v->gaps, m->shifted, from, UINT64_MAX);
}

/* Whether the first vCPU that stopped running on the pCPU after the pause is not the last that ran before it. */
static bool another_ran(const struct making *m, const struct recorded_pcpu *p, const struct recorded *before)
{
    const struct recorded *end = run_end(m, p, m->hole_to, 0);
    return m->plan->mix < 4 && before && before->tsc >= m->v->first_tsc && end &&
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
        odd += before && in && in->tsc >= m->hole_from &&
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
        nothing_shows(v, m->before_hole);
    }
    /* What was to be read after in the first sweep may be of further pCPUs. */
    return (!v->has_hole || gaps_add(&v->gaps, ALL_PCPUS, m->before_hole, m->after_hole)) &&
           (!ends_in_first_sweep(m) || gaps_add(&v->gaps, m->r->pcpus_n, 0, UINT64_MAX));
}
