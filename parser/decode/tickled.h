/*
 * pCPUs that Xen woke up to schedule (TICKLE), and that never wrote a record: they were not recorded (xentrace -c). Tickles are
 * frequent: they are looked at in the first sweeps, and in one of TICKLES_EVERY later.
 */
#ifndef XENMETER_PARSER_TICKLED_H
#define XENMETER_PARSER_TICKLED_H

#include <stdbool.h>
#include <stdint.h>

#include "parser/event.h"

#define TICKLES_FIRST 8
#define TICKLES_EVERY 16

/* What a pCPU writes when it is tickled has been read at the latest when so many more sweeps have ended. */
#define TICKLED_WAIT 1

struct tickled {
    uint64_t sweep[PCPUS_MAX]; /* in which it was tickled, without having written by then; 0: never */
    unsigned n;                /* pCPUs of which that is not 0 */
};

/* The scheduler tickles in this sweep a pCPU that has not written yet. */
static inline void tickled_note(struct tickled *t, unsigned pcpu, uint64_t sweep)
{
    if (pcpu >= PCPUS_MAX || t->sweep[pcpu] > 0)
        return;
    t->sweep[pcpu] = sweep;
    t->n++;
}

/* It writes, after all. */
static inline void tickled_writes(struct tickled *t, unsigned pcpu)
{
    t->n -= t->sweep[pcpu] > 0;
    t->sweep[pcpu] = 0;
}

/* Whether tickles are looked at in this sweep. */
static inline bool tickled_due(uint64_t sweep)
{
    return sweep <= TICKLES_FIRST || sweep % TICKLES_EVERY == 0;
}

/* How many pCPUs should have written by now: `sweep` is being read; or all was read, if `end`. */
static inline unsigned tickled_unseen(const struct tickled *t, uint64_t sweep, bool end)
{
    unsigned unseen = 0;
    for (unsigned pcpu = 0; t->n > 0 && pcpu < PCPUS_MAX; pcpu++)
        unseen += t->sweep[pcpu] > 0 && (end || sweep > t->sweep[pcpu] + TICKLED_WAIT);
    return unseen;
}

#endif
