#include "stream.h"

#include <stdlib.h>
#include <string.h>

struct stream *stream_new(uint16_t pcpu)
{
    struct stream *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->pcpu = pcpu;
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

void stream_append_blind(struct stream *s, uint64_t from, uint64_t to, uint32_t lost, uint32_t vcpu)
{
    struct event begin = {.tsc = from,
                          .pcpu = s->pcpu,
                          .slot = EVENT_BLIND_BEGIN,
                          .flags = EVENT_MODEL,
                          .w = {lost, vcpu, (uint32_t)from, (uint32_t)(from >> 32)}};
    size_t at = s->n++;
    for (; at > s->head && s->events[at - 1].tsc > from; at--)
        s->events[at] = s->events[at - 1];
    s->events[at] = begin;
    memcpy(stream_append(s, to, 0, EVENT_BLIND_END, EVENT_MODEL)->w, begin.w, sizeof begin.w);
}
