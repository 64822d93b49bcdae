/*
 * A queue of transitions in time order into whose recent past more can still be put: a plain queue for those that come
 * in order, or nearly so, and a heap for the few that do not.
 */
#ifndef XENMETER_METRICS_TRANSITIONS_H
#define XENMETER_METRICS_TRANSITIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "parser/event.h"
#include "population.h"
#include "snapshot.h"
#include "states.h"
#include "transition.h"

struct put_back {
    struct transition transition;
    uint64_t appended; /* how many were in order before it: it comes after those of them that have its time */
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

/* The rarer cases of the two functions below: no room, not in order; something is in the heap. */
void transitions_put_back(struct transitions *q, struct transition t);
const struct transition *transitions_take_merged(struct transitions *q, uint64_t upto_ns);

/* How many wait to be taken. */
static inline size_t transitions_count(const struct transitions *q)
{
    return q->n - q->head + q->heap_n;
}

/*
 * Saves what waits to be taken, or restores it into an empty queue. Nothing is before least_ns; vCPUs and incarnations have
 * numbers below vcpus_n and lives_n.
 */
void transitions_snapshot(struct transitions *q, struct snapshot *s, uint64_t least_ns, size_t vcpus_n,
                          size_t lives_n);

/* Removes the I/O of what waits. */
void transitions_drop_io(struct transitions *q);

/*
 * Removes the last change of state of a vCPU at a time from those in order (TRANSITION_REMOVED stays there), and copies it to
 * *t. False: there is none.
 */
bool transitions_remove(struct transitions *q, uint32_t vcpu, uint64_t time_ns, struct transition *t);

/*
 * The vCPU that ran on a pCPU at a time, as far as changes after that time say so: it is the first one that stops there, and
 * did not begin there since. NOBODY: none.
 */
uint32_t transitions_runner(const struct transitions *q, uint16_t pcpu, uint64_t time_ns);

/* Changes to running on a pCPU from from_ns on lead to a state that is not known instead. */
void transitions_forget_running(struct transitions *q, uint16_t pcpu, uint64_t from_ns);

/* Puts the I/O records of a pCPU that are in order and later than a time at that time. */
void transitions_pull_io(struct transitions *q, uint16_t pcpu, uint64_t time_ns);

/* Visits all that wait to be taken and are later than a time, in any order. A visitor leaves times as they are. */
typedef void transition_visitor(void *context, struct transition *t);
void transitions_visit(struct transitions *q, uint64_t time_ns, transition_visitor *visit, void *context);

/* Puts t after all transitions that are not later than it. */
static inline void transitions_put(struct transitions *q, struct transition t)
{
    if (q->n < q->capacity && (q->n == q->head || q->items[q->n - 1].time_ns <= t.time_ns))
        q->items[q->n++] = t;
    else
        transitions_put_back(q, t);
}

/* Takes the earliest one if it is not after `upto_ns`, else NULL. Valid until the next call. */
static inline const struct transition *transitions_take(struct transitions *q, uint64_t upto_ns)
{
    if (q->heap_n > 0 && (q->head == q->n || q->items[q->head].time_ns >= q->heap[0].transition.time_ns))
        return transitions_take_merged(q, upto_ns);
    if (q->head == q->n || q->items[q->head].time_ns > upto_ns)
        return NULL;
    q->taken++;
    return &q->items[q->head++];
}

#endif
