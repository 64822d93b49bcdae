#include "transitions.h"

#include <stdlib.h>
#include <string.h>

void transitions_free(struct transitions *q)
{
    free(q->items);
}

static bool make_room(struct transitions *q)
{
    if (q->head == q->n)
        q->head = q->n = 0;
    if (q->n < q->capacity)
        return true;
    if (q->head > q->capacity / 2) {
        memmove(q->items, q->items + q->head, (q->n - q->head) * sizeof *q->items);
        q->n -= q->head;
        q->head = 0;
        return true;
    }
    size_t capacity = q->capacity ? q->capacity * 2 : 8192;
    struct transition *items = realloc(q->items, capacity * sizeof *items);
    if (!items) {
        q->failed = true;
        return false;
    }
    q->items = items;
    q->capacity = capacity;
    return true;
}

void transitions_append(struct transitions *q, struct transition t)
{
    if (q->n == q->capacity && !make_room(q))
        return;
    q->items[q->n++] = t;
}

void transitions_insert(struct transitions *q, struct transition t)
{
    if (!make_room(q))
        return;
    size_t at = q->n;
    while (at > q->head && q->items[at - 1].time_ns > t.time_ns)
        at--;
    memmove(q->items + at + 1, q->items + at, (q->n - at) * sizeof *q->items);
    q->items[at] = t;
    q->n++;
}
