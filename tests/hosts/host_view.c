#include "host_view.h"

#include "view_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* The same of a pause: xentrace reads all rings before it. */
static void plan_pause(struct making *m)
{
    uint64_t span = m->r->end_tsc - m->r->begin_tsc;
    uint64_t length = cycles(m->r, (uint64_t)m->plan->pause_ms * 1000);
    if (!m->plan->pause_ms || length >= span)
        return;
    m->hole_from = m->r->begin_tsc + (span - length) / 4 + prng_below(&m->rng, (span - length) / 2 + 1);
    m->hole_to = m->hole_from + length;
    m->pauses = true;
}

static void plan_shift(struct making *m)
{
    uint64_t span = m->r->end_tsc - m->r->begin_tsc;
    uint64_t shift = cycles(m->r, (uint64_t)m->plan->shift_us);
    m->shift_tsc = m->shift_offset = UINT64_MAX;
    if (!m->plan->shift_us)
        return;
    m->shifted = prng_below(&m->rng, m->r->pcpus_n);
    m->shift_tsc = m->r->begin_tsc + span / 4 + prng_below(&m->rng, span / 2 + 1);
    m->shift = m->plan->shift_back ? -shift : shift;
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

static bool is_full(const struct making *m, uint32_t pcpu, uint64_t tsc)
{
    for (size_t i = 0; i < m->planned.n; i++)
        if (m->planned.items[i].pcpu == pcpu && tsc >= m->planned.items[i].from &&
            tsc < m->planned.items[i].to)
            return true;
    return false;
}

/* Xen drops records only when the ring is full: it fills at once, with an interrupt after another. */
static void fill(struct trace_ring *ring, uint64_t tsc)
{
    const uint32_t words[] = {24, (uint32_t)tsc, (uint32_t)tsc};
    while (ring->lost == 0)
        trace_ring_insert(ring, TRC_IRQ_HANDLED, tsc, words, sizeof words / sizeof words[0]);
}

static void insert(struct making *m, uint32_t pcpu, const struct recorded *record)
{
    struct trace_ring *ring = &m->rings[pcpu];
    if (plan_leaves_out(m->plan, (enum trace_event)record->event) ||
        (record->tsc >= m->hole_from && record->tsc < m->hole_to))
        return;
    if (pcpu == m->shifted && record->tsc >= m->shift_tsc && !m->shift_begun) {
        m->shift_begun = true;
        m->shift_offset = ring->used; /* in the window to be */
        ring->skew += m->shift;
    }
    ring->current_domain = record->domain;
    ring->current_vcpu = record->vcpu;
    bool full = is_full(m, pcpu, record->tsc);
    ring->full_from = UINT64_MAX;
    if (full && !m->plan->abrupt)
        fill(ring, record->tsc);
    ring->full_from = full ? 0 : UINT64_MAX;
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
    m->windows[m->windows_n++] = (struct window){m->writer.bytes, pcpu, m->sweep, first, m->next[pcpu]};
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
    if (pcpu == m->shifted && m->shift_begun && !m->shift_placed) {
        m->shift_placed = true;
        m->shift_offset += m->writer.bytes + 12;
    }
    return (m->rings[pcpu].used == 0 || add_window(m, pcpu, first)) &&
           trace_writer_read_ring(&m->writer, &m->rings[pcpu], tsc);
}

/* A read costs some time: the next pCPU's window reaches further. Moves *tsc to the end of the last one. */
static bool sweep(struct making *m, uint64_t *tsc)
{
    for (uint32_t pcpu = 0; pcpu < m->r->pcpus_n; pcpu++) {
        if (!read_ring(m, pcpu, *tsc))
            return false;
        *tsc += cycles(m->r, 2 + prng_below(&m->rng, 60));
    }
    m->sweep++;
    return true;
}

/* xentrace is stopped: it reads all rings once more; and started again. Returns when, 0 on failure. */
static uint64_t pause(struct making *m)
{
    for (uint32_t pcpu = 0; pcpu < m->r->pcpus_n; pcpu++)
        if (!read_ring(m, pcpu, m->hole_from))
            return 0;
    m->sweep++;
    for (uint32_t pcpu = 0; pcpu < m->r->pcpus_n; pcpu++)
        if (!read_ring(m, pcpu, m->hole_to - 1))
            return 0;
    m->pauses = false;
    return m->hole_to;
}

/*
 * When xentrace reads next, after it did at `last`, and would do so at tsc: a ring that fills wakes it, but it does not come to
 * read until the loss is over.
 */
static uint64_t next_sweep(const struct making *m, uint64_t last, uint64_t tsc)
{
    const struct gaps *losses = &m->planned;
    size_t n = m->plan->abrupt ? 0 : losses->n;
    for (size_t i = 0; i < n; i++)
        if (losses->items[i].to > last && losses->items[i].to < tsc)
            tsc = losses->items[i].to;
    for (size_t i = 0; i < n;) {
        bool lasts = tsc >= losses->items[i].from && tsc < losses->items[i].to;
        if (lasts)
            tsc = losses->items[i].to;
        i = lasts ? 0 : i + 1;
    }
    return tsc;
}

/* The first record that the mask leaves of the pCPUs that are read, but for the last of these; NO_PCPU: there is none. */
static uint32_t first_writer(const struct making *m, size_t *record)
{
    for (uint32_t pcpu = 0; pcpu + 1 < m->r->pcpus_n; pcpu++) {
        const struct recorded_pcpu *p = &m->r->pcpus[pcpu];
        for (*record = 0; !m->unseen[pcpu] && *record < p->n; ++*record)
            if (!plan_leaves_out(m->plan, (enum trace_event)p->records[*record].event))
                return pcpu;
    }
    return NO_PCPU;
}

/* The first sweep comes right after the first record of the first pCPU. Moves *tsc to when. */
static bool sweep_lone(struct making *m, uint64_t *tsc)
{
    size_t record;
    uint32_t pcpu = first_writer(m, &record);
    uint64_t at = pcpu == NO_PCPU ? 0 : m->r->pcpus[pcpu].records[record].tsc;
    if (pcpu == NO_PCPU || is_full(m, pcpu, at) || (at >= m->hole_from && at < m->hole_to))
        return true;
    struct trace_ring *ring = &m->rings[pcpu];
    ring->skew += YEARS_AHEAD;
    insert(m, pcpu, &m->r->pcpus[pcpu].records[record]);
    m->next[pcpu] = record + 1;
    m->lone = pcpu;
    bool done = add_window(m, pcpu, 0) && trace_writer_read_ring(&m->writer, ring, at);
    m->lone_end = m->plan->lone == 1 ? m->writer.bytes : UINT64_MAX;
    ring->skew -= m->plan->lone == 1 ? YEARS_AHEAD : 0;
    for (uint32_t other = pcpu + 1; done && other < m->r->pcpus_n; other++)
        done = read_ring(m, other, at);
    m->sweep++;
    *tsc = at;
    return done;
}

static bool write_all(struct making *m)
{
    uint64_t period = cycles(m->r, (uint64_t)m->plan->sweep_us), tsc = m->r->begin_tsc;
    if (m->plan->lone && !sweep_lone(m, &tsc))
        return false;
    tsc = next_sweep(m, 0, tsc + period);
    while (tsc < m->r->end_tsc) {
        bool pauses = m->pauses && tsc >= m->hole_from;
        if (pauses && (tsc = pause(m)) == 0)
            return false;
        uint64_t end = tsc;
        if (!pauses && !sweep(m, &end))
            return false;
        uint64_t next = tsc + period + prng_below(&m->rng, period / 16 + 1);
        tsc = next_sweep(m, tsc, next > end ? next : end);
    }
    if (m->pauses && pause(m) == 0)
        return false;
    for (uint32_t pcpu = 0; pcpu < m->r->pcpus_n; pcpu++) /* tracing is off now: nothing comes meanwhile */
        if (!read_ring(m, pcpu, UINT64_MAX))
            return false;
    return fflush(m->writer.out) == 0;
}

static bool begin(struct making *m, FILE *out)
{
    enum { REPORTS_PER_S = 40000000 }; /* a report of a loss takes Xen 25 ns */
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
        m->rings[i].skew = m->skew_of[i % 2] = m->offset + (i % 2 ? skew : 0);
        /* Where no time passes between records, a report of a moment before would name somebody who did not run yet. */
        m->rings[i].report_cycles = m->plan->delayed ? m->r->cpu_hz / REPORTS_PER_S : 1;
    }
    plan_unseen(m);
    plan_hole(m);
    plan_pause(m);
    plan_shift(m);
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

/* All stamps are later by `offset`, modulo 2^64. */
static bool make(struct view *v, const struct recording *r, const struct plan *plan, uint64_t offset)
{
    struct making m = {.r = r, .plan = plan, .v = v, .offset = offset, .lone = NO_PCPU};
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
        view_cut(&m);
        done = view_survey(&m);
    }
    clear(&m);
    return done;
}

bool view_make(struct view *v, const struct recording *r, const struct plan *plan)
{
    return make(v, r, plan, 0);
}

/*
 * How much later the tsc of another host is, whose own one begins with `own`: earlier by seconds, or later by more than a host
 * is up between two captures of it; in between it might be the same host, later.
 */
static uint64_t offset_of_another(const struct plan *plan, uint64_t own, uint64_t first)
{
    struct prng rng;
    prng_seed(&rng, plan->seed ^ 0x6f6666736574);
    uint64_t earlier = (4 + prng_skewed(&rng, 100)) * (uint64_t)plan->khz * 1000;
    bool may_be_earlier = prng_chance(&rng, 500000) && first > earlier;
    return first - own + (may_be_earlier ? -earlier : (1ull << 46) + earlier);
}

/* A short capture, whole, of another host. */
static struct plan plan_of_another(const struct plan *plan)
{
    struct plan other = *plan;
    other.seed = plan->seed ^ 0x616e6f74686572;
    other.pcpus = plan->joined;
    other.host_ms = 20 + (int64_t)(plan->seed % 200);
    other.losses = other.cut = other.unseen = other.hole_ms = other.pause_ms = other.shift_us = other.joined =
        0;
    plan_settle(&other);
    return other;
}

bool view_join(struct view *v, const struct plan *plan)
{
    const struct plan other = plan_of_another(plan);
    struct recording recording = {0};
    struct view second = {0};
    bool done = recording_make(&recording, &other) &&
                make(&second, &recording, &other, offset_of_another(plan, recording.begin_tsc, v->first_tsc));
    unsigned char *bytes = done ? realloc(v->bytes, v->n + second.n + 1) : NULL;
    if (bytes) {
        size_t begin = v->n;
        memcpy(bytes + v->n, second.bytes, second.n);
        v->bytes = bytes;
        v->n += second.n;
        v->is_joined = second.n > 0;
        view_survey_joined(v, &second, begin);
    }
    view_free(&second);
    recording_free(&recording);
    return bytes != NULL;
}

void view_free(struct view *v)
{
    free(v->bytes);
    free(v->gaps.items);
    free(v->changes);
}
