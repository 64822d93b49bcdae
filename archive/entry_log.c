/*
 * Entries: the events that bring a new meter into the state of one that has read the whole trace so far. Some of them
 * are not events of the trace:
 *
 * - A vCPU whose first record is no longer emitted begins, at that record's time, with one that stands for all that was
 *   since: offline up to the state that its first emitted record begins in. So vCPUs get their numbers in the same order.
 *   (Before that runnable, or running if it was: what follows must not look like a record that comes too late.)
 * - Every pCPU that a domain ever ran on has a row of it for ever (BY_DOMAIN_PCPU): where no emitted record names it, one
 *   does that says that it ran there, at that same moment.
 * - A domain's earlier incarnations only count: a DOM_ADD and a DOM_REM each.
 * - The end of blind time names the vCPU that runs after it only where the records of that vCPU are emitted from there on.
 */
#include "archive/entry.h"

#include <stdlib.h>
#include <string.h>

#include "archive/entry_past.h"
#include "archive/entry_text.h"
#include "metrics/array.h"
#include "metrics/measure/row.h"

#define LINE_BYTES 85 /* of an event, roughly */

/*
 * Lost records make the meter wait (metrics/model/runstate.c: up to 1 s after them); at most so many events may wait
 * then.
 */
#define HOLD_NS     1000000000u
#define WAITING_MAX (64u << 10)

struct mark {
    uint32_t chunk;
    uint64_t tsc;
};

/* An event of the entry being made. */
struct entry_event {
    struct event event;
    uint64_t serial; /* its place in the trace */
    size_t order;    /* among events of one serial */
};

struct entry_log {
    struct past past;
    bool timed; /* the clock is known */
    bool begun; /* events were taken */
    bool failed;
    struct mark *marks; /* [marks_head, marks_n) wait for their time */
    size_t marks_head, marks_n, marks_capacity;
    /* the entry being made */
    struct entry_event *events;
    size_t events_n, events_capacity;
    struct buffer text;
    uint8_t covered[PCPUS_MAX]; /* pCPUs that the emitted records of the domain name */
};

struct entry_log *entry_log_new(void)
{
    struct entry_log *l = calloc(1, sizeof *l);
    if (l && !past_init(&l->past)) {
        entry_log_free(l);
        return NULL;
    }
    return l;
}

void entry_log_free(struct entry_log *l)
{
    if (!l)
        return;
    past_free(&l->past);
    free(l->marks);
    free(l->events);
    buffer_free(&l->text);
    free(l);
}

void entry_log_use_clock(struct entry_log *l, const struct clock *clock)
{
    l->past.clock = *clock;
    l->timed = true;
}

bool entry_log_failed(const struct entry_log *l)
{
    return l->failed || l->past.no_memory;
}

size_t entry_log_size(const struct entry_log *l)
{
    const struct past *p = &l->past;
    uint64_t windows = p->windows_n - past_oldest_window(p);
    return LINE_BYTES * (p->histories_n * 7 + (size_t)windows * 2 + p->ended_lives_n + 1);
}

bool entry_log_mark(struct entry_log *l, uint32_t chunk, uint64_t tsc)
{
    if (!l->begun || l->past.beyond)
        return true;
    if (l->marks_head == l->marks_n)
        l->marks_head = l->marks_n = 0;
    struct mark *marks = array_reserve(l->marks, &l->marks_capacity, l->marks_n + 1, sizeof *marks);
    if (!marks) {
        l->failed = true;
        return false;
    }
    l->marks = marks;
    marks[l->marks_n++] = (struct mark){chunk, tsc};
    return true;
}

/* ---- emitting ---- */

static void emit(struct entry_log *l, uint64_t serial, const struct event *e)
{
    struct entry_event *events =
        array_reserve(l->events, &l->events_capacity, l->events_n + 1, sizeof *events);
    if (!events) {
        l->failed = true;
        return;
    }
    l->events = events;
    events[l->events_n] = (struct entry_event){*e, serial, l->events_n};
    l->events_n++;
}

static void emit_seen(struct entry_log *l, const struct seen_event *t)
{
    emit(l, t->serial, &t->event);
}

static void emit_window(struct entry_log *l, const struct seen_event *begin, const struct seen_event *end)
{
    emit_seen(l, begin);
    struct event e = end->event;
    e.w[1] = UINT32_MAX;
    emit(l, end->serial, &e);
}

static void emit_windows(struct entry_log *l)
{
    const struct past *p = &l->past;
    uint64_t oldest = past_oldest_window(p);
    for (int i = 0; oldest > 0 && i < 2; i++)
        emit_window(l, &p->older[i].begin, &p->older[i].end);
    for (uint64_t i = oldest; i < p->windows_n; i++) {
        const struct window *w = &p->windows[i % BLIND_WINDOWS];
        if (w->ended)
            emit_window(l, &w->begin, &w->end);
        else
            emit_seen(l, &w->begin);
    }
}

/* A vCPU's change of state, at the time of its first record. */
static void emit_change(struct entry_log *l, const struct seen_event *first, uint32_t vcpu, unsigned pcpu,
                        unsigned old, unsigned new)
{
    struct event e = {.tsc = first->event.tsc,
                      .pcpu = (uint16_t)pcpu,
                      .slot = EVENT_RUNSTATE_CHANGE,
                      .w = {vcpu, UINT32_MAX}};
    e.header = event_info(EVENT_RUNSTATE_CHANGE)->id | old << 8 | new << 4 | 1u << 28;
    emit(l, first->serial, &e);
}

/* Whether a vCPU that begins with its first record would wrongly seem to have run since its beginning. */
static bool misleads(const struct history *h)
{
    return !h->appeared_running && h->first.old == RUNSTATE_RUNNING && h->first.event.slot != EVENT_BLIND_END;
}

/*
 * Emits events that stand for a vCPU's records before `next`, its first record that is emitted. `ran_on`: also emits
 * events for the domain's pCPUs that no emitted record names.
 */
static void emit_earlier(struct entry_log *l, const struct history *h, uint32_t vcpu,
                         const struct seen_event *next, const struct incarnation_past *ran_on)
{
    const struct seen_event *first = &h->first;
    uint16_t pcpu = first->event.pcpu;
    emit_change(l, first, vcpu, pcpu, h->appeared_running ? RUNSTATE_RUNNING : RUNSTATE_RUNNABLE,
                RUNSTATE_OFFLINE);
    for (unsigned p = 0; ran_on && p < ran_on->ran_on_n; p++)
        if (ran_on->ran_on[p / 8] >> p % 8 & 1 && !l->covered[p])
            emit_change(l, first, vcpu, p, RUNSTATE_RUNNING, RUNSTATE_OFFLINE);
    /* After its first record, how long it was in that record's old state is not known. */
    bool more = next->serial != first->serial;
    if (more && next->old != RUNSTATE_OFFLINE && next->old != RUNSTATE_RUNNING)
        emit_change(l, first, vcpu, pcpu, RUNSTATE_OFFLINE, next->old);
}

/* Whether a pCPU was blind at an event, which it recorded all the same. */
static bool was_blind(const struct past *p, const struct seen_event *t)
{
    for (uint64_t i = past_oldest_window(p); i < p->windows_n; i++) {
        const struct window *w = &p->windows[i % BLIND_WINDOWS];
        if (w->begin.event.pcpu == t->event.pcpu && w->begin.serial < t->serial &&
            (!w->ended || w->end.serial > t->serial))
            return true;
    }
    return past_oldest_window(p) > 0;
}

/*
 * Emits the beginning of a vCPU all of whose records are emitted, and whose first record showed that it ran, but not
 * since its beginning. False: not possible.
 */
static bool emit_appearance(struct entry_log *l, const struct history *h, uint32_t vcpu)
{
    struct event e = {.tsc = h->first.event.tsc, .pcpu = h->first.event.pcpu, .slot = EVENT_BLIND_END};
    e.w[1] = vcpu >> 16 | vcpu << 16; /* it names the vCPU that runs */
    emit(l, h->first.serial, &e);
    return !was_blind(&l->past, &h->first);
}

/* Emits the events of one vCPU from record number `start` on. False: not possible. */
static bool emit_vcpu(struct entry_log *l, const struct history *h, uint32_t vcpu, uint64_t start,
                      const struct incarnation_past *ran_on)
{
    const struct seen_event *next = history_at(h, start);
    unsigned older = 0;
    for (unsigned i = 0; start > 0 && i < h->decided_n; i++)
        if (h->decided[i].serial < next->serial)
            older = i + 1;
    if (older > 0)
        next = &h->decided[0];
    if (start > 0 || ran_on || (misleads(h) && !h->backdated))
        emit_earlier(l, h, vcpu, next, ran_on);
    else if (misleads(h) && !emit_appearance(l, h, vcpu))
        return false;
    for (unsigned i = 0; i < older; i++)
        emit_seen(l, &h->decided[i]);
    for (uint64_t i = start; i < h->n; i++)
        emit_seen(l, history_at(h, i));
    for (int note = 0; note < NOTES; note++)
        if (h->noted[note])
            emit_seen(l, &h->notes[note]);
    if (h->lost_kept)
        emit_window(l, &h->lost[0], &h->lost[1]);
    return true;
}

/* The record with which to begin a vCPU. HISTORY_NO_START: none will do. */
static uint64_t start_of(const struct past *p, const struct history *h)
{
    uint64_t oldest = past_oldest_window(p);
    uint64_t windows_from = oldest > 0 ? p->windows[oldest % BLIND_WINDOWS].begin.serial : 0;
    uint64_t start = history_start(h, windows_from);
    if (start == HISTORY_NO_START || start == 0 || h->decided_n == 0)
        return start;
    const struct seen_event *last = &h->decided[h->decided_n - 1];
    bool would_run = last->serial < history_at(h, start)->serial && last->new == RUNSTATE_RUNNING;
    return would_run ? HISTORY_NO_START : start;
}

/* Notes the pCPUs that the emitted records of a life name. False: the life cannot be emitted. */
static bool cover(struct entry_log *l, const struct incarnation *life)
{
    memset(l->covered, 0, sizeof l->covered);
    for (uint32_t id = 0; id < life->vcpus_n; id++) {
        const struct history *h = life->vcpus[id] == NOBODY ? NULL : l->past.histories[life->vcpus[id]];
        uint64_t start = h ? start_of(&l->past, h) : 0;
        if (start == HISTORY_NO_START)
            return false;
        for (uint64_t i = start; h && i < h->n; i++) {
            const struct seen_event *t = history_at(h, i);
            bool runs = t->old == RUNSTATE_RUNNING || t->new == RUNSTATE_RUNNING;
            if (runs && !t->skewed && (t->old != t->new || t->fit != FITS))
                l->covered[t->event.pcpu] = 1;
        }
    }
    return true;
}

static bool emit_incarnation(struct entry_log *l, uint32_t number)
{
    const struct past *p = &l->past;
    const struct incarnation *life = &p->population.incarnations[number];
    const struct incarnation_past *past = number < p->incarnations_capacity ? &p->incarnations[number] : NULL;
    if (life->ended || !past)
        return true;
    if (past->added)
        emit_seen(l, &past->begun);
    if (!cover(l, life))
        return false;
    bool uncovered = false;
    for (unsigned pcpu = 0; pcpu < past->ran_on_n && life->domain != IDLE_DOMAIN; pcpu++)
        uncovered = uncovered || (past->ran_on[pcpu / 8] >> pcpu % 8 & 1 && !l->covered[pcpu]);
    for (uint32_t id = 0; id < life->vcpus_n; id++) {
        const struct history *h = life->vcpus[id] == NOBODY ? NULL : p->histories[life->vcpus[id]];
        if (!h)
            continue;
        bool carries = uncovered && h->dispatched;
        if (!emit_vcpu(l, h, (uint32_t)life->domain << 16 | id, start_of(p, h), carries ? past : NULL))
            return false;
        uncovered = uncovered && !carries;
    }
    return !uncovered;
}

/*
 * Whether the events that wait for lost records are far fewer than the meter's limit. At the limit the meter settles
 * them, and the events that waited before the entry, which the entry does not have, would count.
 */
static bool little_waits(const struct past *p, uint64_t tsc)
{
    uint64_t now_ns = clock_ns(&p->clock, tsc);
    for (uint64_t i = past_oldest_window(p); i < p->windows_n; i++) {
        const struct window *w = &p->windows[i % BLIND_WINDOWS];
        bool holds = !w->ended || w->end.time_ns + HOLD_NS > now_ns;
        if (holds && p->serial - w->begin.serial > WAITING_MAX)
            return false;
    }
    return true;
}

/* Emits how the chain of each pCPU's switches stands. */
static void emit_chains(struct entry_log *l, const struct event_batch *batch)
{
    const struct past *p = &l->past;
    for (unsigned i = 0; i < batch->pcpus_n; i++) {
        struct event e = {
            .tsc = p->switched_tsc[batch->pcpus[i]], .pcpu = batch->pcpus[i], .flags = EVENT_MODEL};
        runstates_chain(p->states, e.pcpu, &e);
        if (e.tsc > 0)
            emit(l, UINT64_MAX, &e);
    }
}

static void emit_longest_wait(struct entry_log *l, uint64_t tsc)
{
    struct event e = {.tsc = tsc, .slot = EVENT_LONGEST_WAIT};
    uint64_t ns = runstates_longest_wait_ns(l->past.states);
    memcpy(e.w, &ns, sizeof ns);
    if (ns > 0)
        emit(l, l->past.serial, &e);
}

/* Collects the events of an entry. False: the past is not known exactly. */
static bool collect(struct entry_log *l, const struct event_batch *batch, uint64_t tsc)
{
    if (!little_waits(&l->past, tsc))
        return false;
    l->events_n = 0;
    for (size_t i = 0; i < l->past.ended_lives_n; i++)
        emit_seen(l, &l->past.ended_lives[i]);
    emit_windows(l);
    for (uint32_t i = 0; i < l->past.population.incarnations_n; i++)
        if (!emit_incarnation(l, i))
            return false;
    emit_chains(l, batch);
    emit_longest_wait(l, tsc);
    return !l->past.beyond;
}

/* ---- text ---- */

static int compare(const void *a, const void *b)
{
    const struct entry_event *x = a, *y = b;
    if (x->event.tsc != y->event.tsc)
        return x->event.tsc < y->event.tsc ? -1 : 1;
    if (x->serial != y->serial)
        return x->serial < y->serial ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

/* What an entry has twice: windows, and the end of a window that names a vCPU, after the end that names none. */
static bool is_repeated(const struct entry_event *t, const struct entry_event *next)
{
    bool window = t->event.slot == EVENT_BLIND_END || t->event.slot == EVENT_BLIND_BEGIN;
    return window && t->event.pcpu == next->event.pcpu && t->serial == next->serial &&
           t->event.slot == next->event.slot;
}

static void write_text(struct entry_log *l, const struct event_batch *batch)
{
    struct buffer *b = &l->text;
    b->n = 0;
    for (unsigned i = 0; i < batch->pcpus_n; i++)
        entry_put_pcpu(b, batch->pcpus[i]);
    qsort(l->events, l->events_n, sizeof *l->events, compare);
    for (size_t i = 0; i < l->events_n; i++)
        if (i + 1 == l->events_n || !is_repeated(&l->events[i], &l->events[i + 1]))
            entry_put_event(b, &l->events[i].event);
    l->failed = l->failed || b->failed;
}

/* ---- the trace ---- */

/* Hands the entries whose time is before tsc to the sink. */
static int emit_entries(struct entry_log *l, const struct event_batch *batch, uint64_t tsc,
                        const struct entry_sink *sink)
{
    while (l->marks_head < l->marks_n && l->marks[l->marks_head].tsc < tsc) {
        struct mark mark = l->marks[l->marks_head++];
        if (!collect(l, batch, mark.tsc))
            continue;
        write_text(l, batch);
        if (entry_log_failed(l))
            return -1;
        int status = sink->entry(sink->context, mark.chunk, mark.tsc, l->text.at, l->text.n);
        if (status != 0)
            return status;
    }
    return 0;
}

int entry_log_take(struct entry_log *l, const struct event_batch *batch, const struct entry_sink *sink)
{
    if (!l->timed || !batch->has_runstates || batch->cores) /* who runs on siblings is no part of an entry */
        l->past.beyond = true;
    l->begun = true;
    for (size_t i = 0; i < batch->n && !l->past.beyond; i++) {
        const struct event *e = &batch->events[i];
        if (e->slot == EVENT_HOLE) { /* who begins to read after it would not see it */
            l->past.beyond = true;
            break;
        }
        if (l->marks_head < l->marks_n && l->marks[l->marks_head].tsc < e->tsc) {
            int status = emit_entries(l, batch, e->tsc, sink);
            if (status != 0)
                return status;
        }
        past_take(&l->past, e);
        if (entry_log_failed(l))
            return -1;
    }
    if (l->past.beyond) {
        l->marks_head = l->marks_n;
        return entry_log_failed(l) ? -1 : 0;
    }
    return emit_entries(l, batch, event_batch_settled(batch), sink);
}
