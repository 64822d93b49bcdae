/*
 * A queue of transitions in time order into whose recent past more can still be put: a plain queue for those that come
 * in order, and a heap for the few that do not.
 */
#ifndef XENMETER_METRICS_TRANSITIONS_H
#define XENMETER_METRICS_TRANSITIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "runstate.h"

struct put_back {
    struct transition transition;
    uint64_t appended; /* how many were in order before it: it goes behind those of them that have its time */
    uint64_t serial;   /* among those put back */
};

struct transitions {
    struct transition *items; /* [head, n) wait to be taken */
    size_t head, n, capacity;
    uint64_t taken;        /* from `items`, so far */
    struct put_back *heap; /* earliest on top */
    size_t heap_n, heap_capacity;
    uint64_t serial;
    struct transition out; /* the one taken last from the heap */
    bool failed;           /* memory ran out: transitions are missing */
};

void transitions_free(struct transitions *q);

/* Puts t behind all transitions that are not later than it. */
void transitions_put(struct transitions *q, struct transition t);

/* Takes the earliest one if it is not after `upto_ns`, else NULL. Valid until the next call. */
const struct transition *transitions_take(struct transitions *q, uint64_t upto_ns);

static inline size_t transitions_waiting(const struct transitions *q)
{
    return q->n - q->head + q->heap_n;
}

#endif
