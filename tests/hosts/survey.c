/* What a file lacks that was written in part, and what it says of that itself. */
#include <stdlib.h>
#include <string.h>

#include "core_host.h"
#include "view_internal.h"

/* The first window of the second sweep. A file that ends in the first one cannot say which pCPUs are to come. */
static size_t second_sweep(const struct making *m)
{
    size_t i = 0;
    while (i < m->windows_n && m->windows[i].sweep == m->windows[0].sweep)
        i++;
    return i;
}

void view_cut(struct making *m)
{
    size_t first = m->plan->cut == 4 ? 0 : second_sweep(m), whole = m->writer.bytes;
    m->v->n = whole;
    if (m->plan->cut == 0 || first >= m->windows_n)
        return;
    size_t offset = m->windows[first].offset;
    size_t i = first + prng_below(&m->rng, m->windows_n - first);
    switch (m->plan->cut) {
    case 1:
        m->v->n = offset + prng_below(&m->rng, whole - offset + 1);
        break;
    case 3: /* a window that a lower pCPU's comes before */
        while (i > first && m->windows[i].sweep != m->windows[i - 1].sweep)
            i--;
        m->v->n = m->windows[i].offset;
        break;
    case 4:
        m->v->n = prng_below(
            &m->rng, (second_sweep(m) < m->windows_n ? m->windows[second_sweep(m)].offset : whole) + 1);
        break;
    default:
        m->v->n = m->windows[i].offset;
        break;
    }
}

static void see_tsc(struct view *v, uint64_t tsc)
{
    v->first_tsc = v->first_tsc == 0 || tsc < v->first_tsc ? tsc : v->first_tsc;
    v->last_tsc = tsc > v->last_tsc ? tsc : v->last_tsc;
}

/*
 * The pCPU's first and last record in what is left, its first one that says who runs there, and its first beyond; each 0 when
 * there is none.
 */
struct edge {
    uint64_t first, last, named, cut_off;
};

/* One record at *at of a window's bytes; false when it is not whole. tsc: of the last that had one. */
static bool next_record(const unsigned char *bytes, size_t *at, size_t end, uint32_t *event, uint64_t *tsc,
                        const unsigned char **words)
{
    uint32_t header;
    if (end - *at < sizeof header)
        return false;
    memcpy(&header, bytes + *at, sizeof header);
    size_t size = sizeof header + (header >> 31) * 8u + (header >> 28 & 7) * 4u;
    if (end - *at < size)
        return false;
    *event = header & 0x0fffffff;
    if (header >> 31)
        memcpy(tsc, bytes + *at + sizeof header, 8);
    *words = bytes + *at + sizeof header + (header >> 31) * 8u;
    *at += size;
    return true;
}

static bool see_lost(struct view *v, uint32_t pcpu, uint64_t skew, uint64_t tsc, const unsigned char *words)
{
    uint32_t count;
    uint64_t first;
    memcpy(&count, words, sizeof count);
    memcpy(&first, words + 8, sizeof first);
    v->lost += count;
    return gaps_add(&v->gaps, pcpu, first - skew, tsc);
}

static bool see_change(struct view *v, uint32_t pcpu, uint64_t tsc, uint32_t event,
                       const unsigned char *words)
{
    if (v->changes_n == v->changes_capacity) {
        size_t more = v->changes_capacity ? v->changes_capacity * 2 : 1024;
        struct seen_change *changes = realloc(v->changes, more * sizeof *changes);
        if (!changes)
            return false;
        v->changes = changes;
        v->changes_capacity = more;
    }
    uint32_t who;
    memcpy(&who, words, sizeof who);
    v->changes[v->changes_n++] = (struct seen_change){.tsc = tsc,
                                                      .pcpu = pcpu,
                                                      .domain = (uint16_t)(who >> 16),
                                                      .vcpu = (uint16_t)who,
                                                      .from = event >> 8 & 3,
                                                      .to = event >> 4 & 3};
    return true;
}

/* A hole is no shorter than from the last record before it to the first one after it. */
static void see_hole_edge(struct making *m, uint64_t tsc)
{
    if (m->hole_to == 0)
        return;
    if (tsc < m->hole_from && tsc > m->before_hole)
        m->before_hole = tsc;
    if (tsc >= m->hole_to && (m->after_hole == 0 || tsc < m->after_hole))
        m->after_hole = tsc;
}

/* Whether the record says who runs on its pCPU: a wake, which a timer may bring, does not. */
static bool names_runner(uint32_t event)
{
    bool changes = (event & ~0x330u) == 0x21001;
    bool runs = (event >> 8 & 3) == RUNSTATE_RUNNING || (event >> 4 & 3) == RUNSTATE_RUNNING;
    bool switches =
        event >= trace_event_info[TRC_SWITCH].id && event <= trace_event_info[TRC_SWITCH_INFCONT].id;
    return (changes && runs) || switches || event == trace_event_info[TRC_CONTINUE_RUNNING].id;
}

/* Whether it is the record of a context switch that the mask leaves. */
static bool switches(const struct making *m, uint32_t event)
{
    bool runs =
        (event & ~0x300u) == (trace_event_info[TRC_RUNSTATE_CHANGE].id & ~0x300u) && (event >> 4 & 3) == 0;
    return m->plan->mix == 4 ? event == trace_event_info[TRC_SWITCH].id : runs;
}

/* Walks the window's records that are left. */
static bool survey_window(struct making *m, const struct window *w, size_t end, struct edge *edge)
{
    uint64_t stamp = 0, tsc = 0;
    size_t at = w->offset + 12, begin;
    uint32_t event;
    const unsigned char *words;
    for (uint64_t last = 0; (begin = at) < end && next_record(m->v->bytes, &at, end, &event, &stamp, &words);
         last = stamp) {
        if (stamp == 0 || is_ahead(m, w->pcpu, begin))
            continue;
        if (stamp != last) /* else it may have none of its own */
            tsc = true_tsc(m, w->pcpu, begin, stamp);
        see_tsc(m->v, tsc);
        edge->last = tsc;
        edge->first = edge->first ? edge->first : tsc;
        edge->named = edge->named || !names_runner(event) ? edge->named : tsc;
        see_hole_edge(m, tsc);
        if (event == trace_event_info[TRC_LOST_RECORDS].id &&
            !see_lost(m->v, w->pcpu, stamp - tsc, tsc, words))
            return false;
        m->v->switches += switches(m, event);
        bool placed = w->pcpu != m->shifted || begin < m->shift_offset;
        if ((event & ~0x330u) == 0x21001 && placed && !see_change(m->v, w->pcpu, tsc, event, words))
            return false;
    }
    return true;
}

/* The last record of a window, or the first one; 0: the mask left none. */
static uint64_t written(const struct making *m, const struct window *w, bool last)
{
    for (size_t k = w->first; k < w->end; k++) {
        const struct recorded *record = &m->r->pcpus[w->pcpu].records[last ? w->end - 1 - (k - w->first) : k];
        if (!plan_leaves_out(m->plan, (enum trace_event)record->event))
            return record->tsc;
    }
    return 0;
}

/* What was not left of each window, when the file was cut. */
static void survey_cut(struct making *m, struct edge *edges)
{
    for (size_t i = 0; i < m->windows_n; i++) {
        const struct window *w = &m->windows[i];
        size_t end = i + 1 < m->windows_n ? m->windows[i + 1].offset : m->writer.bytes;
        if (end <= m->v->n)
            continue;
        for (size_t k = w->first; k < w->end && !edges[w->pcpu].cut_off; k++) {
            const struct recorded *record = &m->r->pcpus[w->pcpu].records[k];
            if (record->tsc > edges[w->pcpu].last &&
                !plan_leaves_out(m->plan, (enum trace_event)record->event))
                edges[w->pcpu].cut_off = record->tsc;
        }
    }
}

/*
 * Whether the pCPU, silent since its last record, was never so silent at the end of a sweep, or between two windows, by far: the
 * age of its last record is drawn anew at each of them, so to exceed all of N by a factor of 10 is chance once in N^10 / 10!.
 * One that is silent for long now and then, and at the end of no sweep so far, may be silent at the last one.
 */
static bool falls_silent(const struct making *m, uint32_t pcpu, uint32_t sweep, uint64_t end_tsc)
{
    enum { SWEEPS_LEAST = 10 };
    /* Siblings write for one another: one may be silent between two sweeps, and not at the end of any. */
    const uint64_t factor = m->plan->siblings ? 20 : 10;
    uint64_t last = 0, latest = 0, longest = 0, sweeps = 0;
    for (size_t i = 0; i < m->windows_n && m->windows[i].sweep < sweep; i++) {
        const struct window *w = &m->windows[i];
        uint64_t tsc = written(m, w, true), first = written(m, w, false);
        latest = tsc > latest ? tsc : latest;
        if (w->pcpu == pcpu && tsc && last && first - last > longest)
            longest = first - last;
        last = w->pcpu == pcpu && tsc ? tsc : last;
        if (m->windows[i + 1].sweep == w->sweep || last == 0)
            continue;
        longest = latest - last > longest ? latest - last : longest;
        sweeps++;
    }
    return sweeps >= SWEEPS_LEAST && end_tsc > last && (end_tsc - last) / factor > longest;
}

/* Whether the bytes that are left show that they were cut: in a window, or a pCPU that always writes is missing. */
static bool cut_shows(const struct making *m)
{
    for (size_t i = 0; i < m->windows_n; i++) {
        const struct window *w = &m->windows[i];
        if (w->offset == m->v->n) {
            bool in_sweep = i > 0 && m->windows[i - 1].sweep == w->sweep;
            for (size_t k = i; in_sweep && k < m->windows_n && m->windows[k].sweep == w->sweep; k++)
                if (falls_silent(m, m->windows[k].pcpu, w->sweep, m->v->last_tsc))
                    return true;
            return false;
        }
    }
    return true;
}

static bool add_cut_ends(struct making *m, const struct edge *edges)
{
    struct view *v = m->v;
    bool shows = cut_shows(m);
    for (uint32_t pcpu = 0; pcpu < m->r->pcpus_n; pcpu++) {
        bool short_of = edges[pcpu].cut_off && edges[pcpu].cut_off < v->last_tsc;
        v->is_cut |= short_of && shows;
        if (short_of && !shows && edges[pcpu].cut_off < v->unreported_tsc)
            v->unreported_tsc = edges[pcpu].cut_off;
        if (!m->unseen[pcpu] && edges[pcpu].last < v->last_tsc &&
            !gaps_add(&v->gaps, pcpu, edges[pcpu].last, v->last_tsc))
            return false;
    }
    return true;
}

/* Whether the file names the vCPU: one that never left an unseen pCPU leaves no trace at all. */
static bool is_named(const struct view *v, const struct truth_vcpu *t)
{
    for (size_t i = 0; i < v->changes_n; i++)
        if (v->changes[i].domain == t->domain && v->changes[i].vcpu == t->vcpu)
            return true;
    return false;
}

/* The vCPU ran where the pCPU writes the records. */
static bool ran_there(const struct making *m, const struct truth_vcpu *t, uint32_t pcpu)
{
    const struct view *v = m->v;
    if (!m->plan->siblings)
        return truth_running_on(t, pcpu, v->first_tsc, v->last_tsc) > 0;
    for (uint32_t p = 0; p < m->r->pcpus_n; p++)
        if (core_of_pcpu(m->plan, p) == core_of_pcpu(m->plan, pcpu) &&
            truth_running_on(t, p, v->first_tsc, v->last_tsc) > 0)
            return true;
    return false;
}

static bool add_unseen(struct making *m, const struct edge *edges)
{
    struct view *v = m->v;
    for (uint32_t pcpu = 0; pcpu < m->r->pcpus_n; pcpu++) {
        /* Where siblings write for one another, one that happened to write nothing looks as if it was not read. */
        if (m->plan->siblings && edges[pcpu].first == 0 && !gaps_add(&v->gaps, pcpu, 0, UINT64_MAX))
            return false;
        if (!m->unseen[pcpu])
            continue;
        if (!gaps_add(&v->gaps, pcpu, 0, UINT64_MAX))
            return false;
        for (size_t i = 0; i < m->r->vcpus_n && !v->is_unseen; i++)
            v->is_unseen = ran_there(m, &m->r->vcpus[i], pcpu) && is_named(v, &m->r->vcpus[i]);
    }
    return true;
}

/* When the pCPU's ring was full, after the last record in the file, and the file does not say so any more; 0: it was not. */
static uint64_t first_lost(const struct making *m, uint32_t pcpu, uint64_t last)
{
    const struct trace_ring *ring = &m->rings[pcpu];
    const struct window *w = NULL;
    if (m->v->n == m->writer.bytes)
        return ring->lost ? ring->lost_first_tsc : 0;
    for (size_t i = 0; i + 1 < m->windows_n && m->windows[i + 1].offset <= m->v->n; i++)
        w = m->windows[i].pcpu == pcpu ? &m->windows[i] : w;
    for (size_t k = w ? w->first : 0; w && k < w->end; k++) {
        const struct recorded *record = &m->r->pcpus[pcpu].records[k];
        bool hole = record->tsc >= m->hole_from && record->tsc < m->hole_to;
        if (record->tsc > last && !hole && !plan_leaves_out(m->plan, (enum trace_event)record->event))
            return record->tsc;
    }
    return 0;
}

/* Whether the pCPU's last window leaves no room in its ring for another record and the report of a loss: it looks full. */
static bool looks_full(const struct making *m, uint32_t pcpu)
{
    enum { ROOM = 128 };
    size_t bytes = 0, ring = (size_t)m->plan->ring_kb * 1024 - 8;
    for (size_t i = 0; i < m->windows_n && m->windows[i].offset < m->v->n; i++) {
        size_t end = i + 1 < m->windows_n ? m->windows[i + 1].offset : m->writer.bytes;
        bytes = m->windows[i].pcpu == pcpu ? end - m->windows[i].offset - 12 : bytes;
    }
    return bytes + ROOM >= ring;
}

/*
 * Losses that no record reports: the ring was full to the end. Its last window shows that, if reported losses show how large
 * such windows are, and its last record since when.
 */
static bool add_unreported(struct making *m, const struct edge *edges)
{
    for (uint32_t pcpu = 0; pcpu < m->r->pcpus_n; pcpu++) {
        uint64_t lost_tsc = m->unseen[pcpu] ? 0 : first_lost(m, pcpu, edges[pcpu].last);
        bool shows = m->v->lost > 0 && !m->plan->abrupt;
        if (lost_tsc == 0 && (m->unseen[pcpu] || !shows || !looks_full(m, pcpu)))
            continue;
        if (lost_tsc && !shows && lost_tsc < m->v->unreported_tsc)
            m->v->unreported_tsc = lost_tsc;
        if (!gaps_add(&m->v->gaps, pcpu, edges[pcpu].last,
                      UINT64_MAX)) /* when the first one was, nobody knows */
            return false;
    }
    return true;
}

static bool any_late(const struct making *m, const struct edge *edges)
{
    for (uint32_t pcpu = 0; pcpu < m->r->pcpus_n; pcpu++)
        if (edges[pcpu].named == 0 || edges[pcpu].named > m->v->first_tsc + m->r->cpu_hz)
            return true;
    return false;
}

/*
 * Whether the second window has two times, which agree, and is not of a pCPU whose own clock is ahead: else the first window's time
 * is as right as that one's.
 */
static bool second_window_confirms(const struct making *m)
{
    size_t end = m->windows_n > 2 ? m->windows[2].offset : m->writer.bytes, n = 0;
    end = end < m->v->n ? end : m->v->n;
    size_t at = m->windows_n > 1 && m->windows[1].offset + 12 < end ? m->windows[1].offset + 12 : end;
    uint64_t tsc = 0, last = 0;
    uint32_t event;
    const unsigned char *words;
    for (; next_record(m->v->bytes, &at, end, &event, &tsc, &words); last = tsc)
        n += tsc != last;
    return n > 1 && !(m->windows[1].pcpu == m->lone && m->plan->lone == 2);
}

/* Of the pCPU whose first time is wrong it is not known when it wrote that record: before its next one that has a right time. */
static bool add_lone(struct making *m, const struct edge *edges)
{
    if (m->lone == NO_PCPU)
        return true;
    uint64_t next = edges[m->lone].first;
    m->v->is_alone = true;
    m->v->blends = !second_window_confirms(m);
    return gaps_add(&m->v->gaps, m->lone, 0, next ? next : UINT64_MAX);
}

bool view_survey(struct making *m)
{
    struct edge *edges = calloc(m->r->pcpus_n, sizeof *edges);
    bool done = edges;
    uint32_t last_pcpu = UINT32_MAX;
    for (size_t i = 0; done && i < m->windows_n && m->windows[i].offset < m->v->n; i++) {
        size_t end = i + 1 < m->windows_n ? m->windows[i + 1].offset : m->writer.bytes;
        done = survey_window(m, &m->windows[i], end < m->v->n ? end : m->v->n, &edges[m->windows[i].pcpu]);
        m->v->sweeps += m->windows[i].pcpu <= last_pcpu; /* as the file shows them */
        last_pcpu = m->windows[i].pcpu;
    }
    if (done && m->v->n < m->writer.bytes) {
        survey_cut(m, edges);
        done = add_cut_ends(m, edges);
    }
    done = done && add_unseen(m, edges) && add_unreported(m, edges) && add_lone(m, edges);
    done = done && view_survey_joints(m) && (!m->plan->siblings || view_survey_cores(m));
    m->v->has_late_pcpu = done && any_late(m, edges);
    m->v->names_nobody = true;
    for (uint32_t pcpu = 0; done && pcpu < m->r->pcpus_n && !m->v->blends; pcpu++)
        m->v->names_nobody &= edges[pcpu].named == 0;
    free(edges);
    return done;
}

const char *view_lacks(const struct view *v)
{
    return v->lost         ? "records were lost"
           : v->is_cut     ? "the file is cut"
           : v->is_unseen  ? "a pCPU was not read"
           : v->has_hole   ? "a hole"
           : v->is_shifted ? "a clock was set"
           : v->is_alone   ? "a time is wrong"
           : v->is_joined  ? "another capture follows"
                           : NULL;
}

bool view_is_flawless(const struct view *v, const struct plan *p)
{
    return !plan_damages(p) && v->lost == 0 && v->unreported_tsc == UINT64_MAX && !v->has_late_pcpu &&
           p->omit == 0 && p->mix < 4 && p->skew_ns == 0;
}
