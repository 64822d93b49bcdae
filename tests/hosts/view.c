#include "view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixtures/trace_writer.h"

/* A window of the file. */
struct window {
    size_t offset;
    uint32_t pcpu;
    size_t first, end; /* of the pCPU's records, those dropped too */
};

struct making {
    const struct recording *r;
    const struct plan *plan;
    struct view *v;
    struct prng rng;
    struct trace_ring *rings;
    struct trace_writer writer;
    struct gaps planned; /* losses to be */
    uint64_t hole_from, hole_to;
    bool *unseen;
    size_t *next; /* record of each pCPU */
    struct window *windows;
    size_t windows_n, windows_capacity;
    bool sweep_wanted;
};

bool gaps_add(struct gaps *g, uint32_t pcpu, uint64_t from, uint64_t to)
{
    if (g->n == g->capacity) {
        size_t more = g->capacity ? g->capacity * 2 : 16;
        struct gap *items = realloc(g->items, more * sizeof *items);
        if (!items)
            return false;
        g->items = items;
        g->capacity = more;
    }
    g->items[g->n++] = (struct gap){pcpu, from, to};
    return true;
}

static uint64_t cycles(const struct recording *r, uint64_t us)
{
    return (uint64_t)((double)us * (double)r->cpu_hz / 1e6);
}

static uint64_t some_tsc(struct making *m)
{
    uint64_t span = m->r->end_tsc - m->r->begin_tsc;
    return m->r->begin_tsc + (uint64_t)((double)span * prng_below(&m->rng, 1u << 30) / (1u << 30));
}

/* ---- what goes wrong, and when ---- */

static bool plan_even_losses(struct making *m)
{
    uint64_t span = m->r->end_tsc - m->r->begin_tsc;
    uint64_t n = (uint64_t)m->plan->losses, stride = span / n;
    uint64_t length = (uint64_t)((double)stride * (double)m->plan->loss_ppm / 1e6);
    uint32_t pcpu = prng_below(&m->rng, m->r->pcpus_n);
    for (uint64_t i = 0; i < n; i++) {
        uint64_t from = m->r->begin_tsc + i * stride + stride / 2;
        if (!gaps_add(&m->planned, pcpu, from, from + length))
            return false;
    }
    return true;
}

static bool plan_losses(struct making *m)
{
    if (m->plan->loss_ppm)
        return plan_even_losses(m);
    uint32_t one = prng_below(&m->rng, m->r->pcpus_n);
    for (int64_t i = 0; i < m->plan->losses; i++) {
        uint32_t pcpu = m->plan->loss_from == 2 ? one : prng_below(&m->rng, m->r->pcpus_n);
        uint64_t from = m->plan->loss_from == 1 && i == 0 ? 0 : some_tsc(m);
        uint64_t length = prng_skewed(&m->rng, cycles(m->r, (uint64_t)m->plan->loss_us));
        if (!gaps_add(&m->planned, pcpu, from, (from ? from : m->r->begin_tsc) + length))
            return false;
    }
    return true;
}

static void plan_hole(struct making *m)
{
    uint64_t span = m->r->end_tsc - m->r->begin_tsc;
    uint64_t length = cycles(m->r, (uint64_t)m->plan->hole_ms * 1000);
    if (!m->plan->hole_ms || length >= span)
        return;
    m->hole_from = m->r->begin_tsc + (span - length) / 4 + prng_below(&m->rng, (span - length) / 2 + 1);
    m->hole_to = m->hole_from + length;
}

static void plan_unseen(struct making *m)
{
    for (int64_t left = m->plan->unseen; left > 0;) {
        uint32_t pcpu = prng_below(&m->rng, m->r->pcpus_n);
        left -= !m->unseen[pcpu];
        m->unseen[pcpu] = true;
    }
}

/* ---- records to windows ---- */

static bool left_out(const struct plan *plan, enum trace_event event)
{
    uint32_t part = trace_event_info[event].part;
    if ((plan->mix == 3 && part != TRACE_SCHED_MIN) || (plan->mix == 4 && part != TRACE_SCHED_VERBOSE))
        return true;
    switch (plan->omit) {
    case 1:
        return event == TRC_SWITCH_INFPREV;
    case 2:
        return event >= TRC_SWITCH && event <= TRC_SWITCH_INFCONT;
    case 3:
        return event == TRC_WAKE || event == TRC_SLEEP;
    case 4:
        return part == TRACE_SCHED_CLASS;
    default:
        return false;
    }
}

static bool is_full(const struct making *m, uint32_t pcpu, uint64_t tsc)
{
    for (size_t i = 0; i < m->planned.n; i++)
        if (m->planned.items[i].pcpu == pcpu && tsc >= m->planned.items[i].from &&
            tsc < m->planned.items[i].to)
            return true;
    return false;
}

static void insert(struct making *m, uint32_t pcpu, const struct recorded *record)
{
    struct trace_ring *ring = &m->rings[pcpu];
    if (left_out(m->plan, (enum trace_event)record->event) ||
        (record->tsc >= m->hole_from && record->tsc < m->hole_to))
        return;
    ring->full_from = is_full(m, pcpu, record->tsc) ? 0 : UINT64_MAX;
    ring->current_domain = record->domain;
    ring->current_vcpu = record->vcpu;
    trace_ring_insert(ring, (enum trace_event)record->event, record->tsc, record->words, record->count);
}

static bool add_window(struct making *m, uint32_t pcpu, size_t first)
{
    if (m->windows_n == m->windows_capacity) {
        size_t more = m->windows_capacity ? m->windows_capacity * 2 : 64;
        struct window *windows = realloc(m->windows, more * sizeof *windows);
        if (!windows)
            return false;
        m->windows = windows;
        m->windows_capacity = more;
    }
    m->windows[m->windows_n++] = (struct window){m->writer.bytes, pcpu, first, m->next[pcpu]};
    return true;
}

/* xentrace reads the pCPU's ring at tsc. */
static bool read_ring(struct making *m, uint32_t pcpu, uint64_t tsc)
{
    const struct recorded_pcpu *p = &m->r->pcpus[pcpu];
    size_t first = m->next[pcpu];
    while (m->next[pcpu] < p->n && p->records[m->next[pcpu]].tsc <= tsc)
        insert(m, pcpu, &p->records[m->next[pcpu]++]);
    if (m->unseen[pcpu]) {
        trace_ring_consume(&m->rings[pcpu], tsc);
        return true;
    }
    return (m->rings[pcpu].used == 0 || add_window(m, pcpu, first)) &&
           trace_writer_read_ring(&m->writer, &m->rings[pcpu], tsc);
}

/* A read costs some time: the next pCPU's window reaches further. */
static bool sweep(struct making *m, uint64_t tsc)
{
    for (uint32_t pcpu = 0; pcpu < m->r->pcpus_n; pcpu++) {
        if (!read_ring(m, pcpu, tsc))
            return false;
        tsc += cycles(m->r, 2 + prng_below(&m->rng, 60));
    }
    return true;
}

static bool write_all(struct making *m)
{
    uint64_t period = cycles(m->r, (uint64_t)m->plan->sweep_us);
    uint64_t tsc = m->r->begin_tsc + period;
    for (; tsc < m->r->end_tsc; tsc += period + prng_below(&m->rng, period / 16 + 1)) {
        if (!sweep(m, tsc))
            return false;
    }
    for (uint32_t pcpu = 0; pcpu < m->r->pcpus_n; pcpu++) /* tracing is off now: nothing comes meanwhile */
        if (!read_ring(m, pcpu, UINT64_MAX))
            return false;
    return fflush(m->writer.out) == 0;
}

/* ---- what of it is left ---- */

static void cut_somewhere(struct making *m)
{
    size_t n = m->writer.bytes;
    const struct window *w = m->windows_n ? &m->windows[prng_below(&m->rng, m->windows_n)] : NULL;
    switch (m->plan->cut) {
    case 1:
        n = prng_below(&m->rng, n + 1);
        break;
    case 2:
        n = w ? w->offset : n;
        break;
    case 3: /* a window that a lower pCPU's comes before */
        while (w && w > m->windows && w->pcpu <= w[-1].pcpu)
            w--;
        n = w ? w->offset : n;
        break;
    default:
        break;
    }
    m->v->n = n;
}

static void see_tsc(struct view *v, uint64_t tsc)
{
    v->first_tsc = v->first_tsc == 0 || tsc < v->first_tsc ? tsc : v->first_tsc;
    v->last_tsc = tsc > v->last_tsc ? tsc : v->last_tsc;
}

/* The pCPU's last record in what is left, and its first beyond; each 0 when there is none. */
struct edge {
    uint64_t last, cut_off;
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

/* Walks the window's records that are left. */
static bool survey_window(struct making *m, const struct window *w, size_t end, struct edge *edge)
{
    uint64_t skew = m->rings[w->pcpu].skew, tsc = 0;
    size_t at = w->offset + 12;
    uint32_t event;
    const unsigned char *words;
    while (at < end && next_record(m->v->bytes, &at, end, &event, &tsc, &words)) {
        if (tsc == 0)
            continue;
        see_tsc(m->v, tsc - skew);
        edge->last = tsc - skew;
        if (event == trace_event_info[TRC_LOST_RECORDS].id &&
            !see_lost(m->v, w->pcpu, skew, tsc - skew, words))
            return false;
        if ((event & ~0x330u) == 0x21001 && !see_change(m->v, w->pcpu, tsc - skew, event, words))
            return false;
    }
    return true;
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
            if (record->tsc > edges[w->pcpu].last && !left_out(m->plan, (enum trace_event)record->event))
                edges[w->pcpu].cut_off = record->tsc;
        }
    }
}

static bool add_cut_ends(struct making *m, const struct edge *edges)
{
    struct view *v = m->v;
    for (uint32_t pcpu = 0; pcpu < m->r->pcpus_n; pcpu++) {
        v->is_cut |= edges[pcpu].cut_off && edges[pcpu].cut_off < v->last_tsc;
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

static bool add_unseen(struct making *m)
{
    struct view *v = m->v;
    for (uint32_t pcpu = 0; pcpu < m->r->pcpus_n; pcpu++) {
        if (!m->unseen[pcpu])
            continue;
        if (!gaps_add(&v->gaps, pcpu, 0, UINT64_MAX))
            return false;
        for (size_t i = 0; i < m->r->vcpus_n && !v->is_unseen; i++)
            v->is_unseen = truth_running_on(&m->r->vcpus[i], pcpu, v->first_tsc, v->last_tsc) > 0 &&
                           is_named(v, &m->r->vcpus[i]);
    }
    return true;
}

/* Losses that nothing in the file reports: the ring was full to the end. */
static bool add_unreported(struct making *m)
{
    for (uint32_t pcpu = 0; pcpu < m->r->pcpus_n; pcpu++) {
        const struct trace_ring *ring = &m->rings[pcpu];
        if (ring->lost == 0 || m->unseen[pcpu])
            continue;
        if (ring->lost_first_tsc < m->v->unreported_tsc)
            m->v->unreported_tsc = ring->lost_first_tsc;
        if (!gaps_add(&m->v->gaps, pcpu, ring->lost_first_tsc, UINT64_MAX))
            return false;
    }
    return true;
}

static bool survey(struct making *m)
{
    struct edge *edges = calloc(m->r->pcpus_n, sizeof *edges);
    bool done = edges;
    for (size_t i = 0; done && i < m->windows_n && m->windows[i].offset < m->v->n; i++) {
        size_t end = i + 1 < m->windows_n ? m->windows[i + 1].offset : m->writer.bytes;
        done = survey_window(m, &m->windows[i], end < m->v->n ? end : m->v->n, &edges[m->windows[i].pcpu]);
    }
    if (done && m->v->n < m->writer.bytes) {
        survey_cut(m, edges);
        done = add_cut_ends(m, edges);
    }
    done = done && add_unseen(m) && add_unreported(m);
    if (done && m->hole_to)
        done = gaps_add(&m->v->gaps, ALL_PCPUS, m->hole_from, m->hole_to);
    free(edges);
    return done;
}

static bool begin(struct making *m, FILE *out)
{
    uint32_t n = m->r->pcpus_n;
    m->rings = calloc(n, sizeof *m->rings);
    m->next = calloc(n, sizeof *m->next);
    m->unseen = calloc(n, sizeof *m->unseen);
    m->writer.out = out;
    if (!m->rings || !m->next || !m->unseen || !out)
        return false;
    uint64_t skew = (uint64_t)((double)m->plan->skew_ns * (double)m->r->cpu_hz / 1e9);
    for (uint32_t i = 0; i < n; i++) {
        if (!trace_ring_init(&m->rings[i], i, (uint32_t)m->plan->ring_kb * 1024 - 8, &m->sweep_wanted))
            return false;
        m->rings[i].skew = i % 2 ? skew : 0;
    }
    plan_unseen(m);
    plan_hole(m);
    return plan_losses(m);
}

static void clear(struct making *m)
{
    for (uint32_t i = 0; m->rings && i < m->r->pcpus_n; i++)
        trace_ring_free(&m->rings[i]);
    free(m->rings);
    free(m->next);
    free(m->unseen);
    free(m->windows);
    free(m->planned.items);
}

bool view_make(struct view *v, const struct recording *r, const struct plan *plan)
{
    struct making m = {.r = r, .plan = plan, .v = v};
    char *bytes = NULL;
    size_t n;
    *v = (struct view){.unreported_tsc = UINT64_MAX};
    prng_seed(&m.rng, plan->seed ^ 0x76696577);
    FILE *out = open_memstream(&bytes, &n);
    bool done = begin(&m, out) && write_all(&m);
    if (out)
        done = fclose(out) == 0 && done;
    v->bytes = (unsigned char *)bytes;
    if (done) {
        cut_somewhere(&m);
        done = survey(&m);
    }
    clear(&m);
    return done;
}

void view_free(struct view *v)
{
    free(v->bytes);
    free(v->gaps.items);
    free(v->changes);
}
