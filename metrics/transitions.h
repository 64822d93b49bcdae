/* A queue of transitions in time order into whose recent past more can still be put. */
#ifndef XENMETER_METRICS_TRANSITIONS_H
#define XENMETER_METRICS_TRANSITIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "runstate.h"

struct transitions {
    struct transition *items; /* [head, n) wait to be taken */
    size_t head, n, capacity;
    bool failed; /* memory ran out: transitions are missing */
};

void transitions_free(struct transitions *q);

/* Appends; `t.time_ns` is not below the last one's, else use transitions_insert. */
void transitions_append(struct transitions *q, struct transition t);

/* Puts t behind all transitions that are not later. */
void transitions_insert(struct transitions *q, struct transition t);

#endif
