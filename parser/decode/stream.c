#include "stream.h"

#include <stdlib.h>
#include <string.h>

struct stream *stream_new(uint16_t pcpu)
{
    struct stream *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->pcpu = pcpu;
    s->first_tsc = s->last_tsc = TSC_NONE;
    s->window_bytes = WINDOW_NONE;
    s->slice_ns = UINT32_MAX;
    s->current = CURRENT_UNKNOWN;
    s->emitted_current = s->next = s->assigned = CURRENT_NONE;
    stream_forget_switches(s);
    s->in_who = STREAM_NOBODY;
    io_filter_init(&s->io);
    return s;
}

void stream_free(struct stream *s)
{
    if (!s)
        return;
    io_filter_free(&s->io);
    free(s->marks);
    free(s->events);
    free(s);
}

bool stream_reserve_marks(struct stream *s, size_t more)
{
    size_t capacity = s->marks_capacity ? s->marks_capacity : 256;
    while (capacity - s->marks_n < more)
        capacity *= 2;
    uint64_t *marks = capacity > s->marks_capacity ? realloc(s->marks, capacity * sizeof *marks) : s->marks;
    if (!marks)
        return false;
    s->marks = marks;
    s->marks_capacity = capacity;
    return true;
}

bool stream_reserve(struct stream *s, size_t more)
{
    if (s->capacity - s->n >= more)
        return true;
    if (s->head > 0) {
        memmove(s->events, s->events + s->head, (s->n - s->head) * sizeof *s->events);
        s->n -= s->head;
        s->fresh -= s->head;
        s->head = 0;
        if (s->capacity - s->n >= more)
            return true;
    }
    size_t capacity = s->capacity ? s->capacity : 256;
    while (capacity - s->n < more)
        capacity *= 2;
    struct event *events = realloc(s->events, capacity * sizeof *events);
    if (!events)
        return false;
    s->events = events;
    s->capacity = capacity;
    return true;
}

/*
 * Only the last event is looked at, so that a clock that goes back again and again costs no more than one that does once.
 * Those before it follow when the stream is settled.
 */
void stream_pull_back(struct stream *s, uint64_t tsc)
{
    s->last_tsc = tsc;
    s->first_tsc = tsc < s->first_tsc ? tsc : s->first_tsc;
    if (s->n == s->head || s->events[s->n - 1].tsc <= tsc)
        return;
    s->events[s->n - 1].tsc = tsc;
    s->pulled_back = true;
}

/* No event from number `at` on is later than one after it. */
static void settle_from(struct stream *s, size_t at)
{
    uint64_t most = UINT64_MAX;
    for (size_t i = s->n; i-- > at;) {
        most = s->events[i].tsc < most ? s->events[i].tsc : most;
        s->events[i].tsc = most;
    }
}

void stream_settle(struct stream *s)
{
    if (s->pulled_back)
        settle_from(s, s->head);
    s->pulled_back = false;
}

/*
 * The event before them takes part, as the fresh one that time went back to may be removed. Its window came before theirs: what
 * is fresh is raised to earliest_tsc yet (stream_raise_late), and moves it no further back than there.
 */
void stream_settle_fresh(struct stream *s)
{
    if (!s->pulled_back)
        return;
    settle_from(s, s->fresh);
    if (s->fresh == s->head || s->fresh == s->n)
        return;
    struct event *before = &s->events[s->fresh - 1];
    uint64_t first = s->events[s->fresh].tsc;
    uint64_t most = first > s->earliest_tsc ? first : s->earliest_tsc;
    before->tsc = before->tsc < most ? before->tsc : most;
}

/* Of a runstate change the stamp stays known: runs are measured by it (parser/order/pace.h). */
static void raise(struct event *e, uint64_t tsc)
{
    uint64_t by = tsc - e->tsc;
    if (e->slot == EVENT_RUNSTATE_CHANGE && event_words(e) == 1) {
        e->flags |= EVENT_RAISED;
        e->w[3] = by < UINT32_MAX ? (uint32_t)by : UINT32_MAX;
    }
    e->tsc = tsc;
}

void stream_raise_late(struct stream *s)
{
    for (size_t i = s->fresh; i < s->n; i++) {
        bool late = s->events[i].tsc < s->earliest_tsc;
        if (late)
            raise(&s->events[i], s->earliest_tsc);
        else if (!s->late)
            break; /* only records without a time, at the beginning of the window, can be older */
    }
    s->late = false;
}

void stream_set_time(struct stream *s, uint64_t tsc)
{
    for (size_t i = s->head; i < s->n; i++)
        if (s->events[i].tsc == TSC_NONE)
            s->events[i].tsc = tsc;
}

void stream_begin(struct stream *s, uint64_t tsc)
{
    if (s->begun)
        return;
    s->begun = true;
    s->first_tsc = tsc;
    stream_set_time(s, tsc);
}

/* Where an event of this time comes among those that are queued, after all that are not later. */
static size_t place_of(const struct stream *s, uint64_t tsc)
{
    size_t at = s->n;
    while (at > s->head && s->events[at - 1].tsc > tsc)
        at--;
    return at;
}

static void insert(struct stream *s, const struct event *e)
{
    size_t at = place_of(s, e->tsc);
    memmove(s->events + at + 1, s->events + at, (s->n++ - at) * sizeof *s->events);
    s->events[at] = *e;
}

void stream_insert_blind(struct stream *s, uint64_t at, uint64_t from, uint64_t to, uint32_t lost,
                         uint32_t vcpu)
{
    struct event e = {.tsc = at,
                      .pcpu = s->pcpu,
                      .slot = EVENT_BLIND_BEGIN,
                      .flags = EVENT_MODEL,
                      .w = {lost, vcpu, (uint32_t)from, (uint32_t)(from >> 32)}};
    insert(s, &e);
    e.slot = EVENT_BLIND_END;
    e.tsc = to > at ? to : at;
    insert(s, &e);
}

void stream_append_blind(struct stream *s, uint64_t from, uint64_t to, uint32_t lost, uint32_t vcpu)
{
    stream_insert_blind(s, from > s->earliest_tsc ? from : s->earliest_tsc, from, to, lost, vcpu);
}
