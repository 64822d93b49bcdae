#include "stream.h"

#include <stdlib.h>
#include <string.h>

bool stream_reserve(struct stream *s, size_t more)
{
    if (s->capacity - s->n >= more)
        return true;
    if (s->head > 0) {
        memmove(s->events, s->events + s->head, (s->n - s->head) * sizeof *s->events);
        s->n -= s->head;
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
