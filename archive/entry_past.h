/*
 * The past of a trace as far as later events depend on it. A runstate machine follows every event; kept are the lives
 * of domains, each vCPU's history, and the times in which records were lost.
 */
#ifndef XENMETER_ARCHIVE_ENTRY_PAST_H
#define XENMETER_ARCHIVE_ENTRY_PAST_H

#include "archive/entry_history.h"
#include "metrics/model/runstate.h"
#include "parser/order/clock.h"
#include "parser/quality.h"

#define BLIND_WINDOWS 1024 /* kept one by one; of the older ones only the first, and the last */

/* One blind window of a pCPU. */
struct window {
    struct seen_event begin, end;
    bool ended;
    uint32_t victim; /* the vCPU that ran there, NOBODY: none */
};

/* A life of a domain. */
struct incarnation_past {
    struct seen_event begun;
    bool added;      /* `begun` is a DOM_ADD, else its first record */
    bool over;       /* it has ended; its events are among `ended_lives` */
    uint8_t *ran_on; /* a bit for each pCPU: one of its vCPUs ran there; NULL: none ran */
    size_t ran_on_n; /* pCPUs there is room for */
};

struct past {
    struct clock clock;
    struct population population;
    struct runstates *states;
    struct quality quality;
    uint64_t serial;
    struct history **histories; /* by vCPU number; NULL once its domain is gone */
    size_t histories_capacity, histories_n;
    struct incarnation_past *incarnations; /* by life number */
    size_t incarnations_capacity;
    struct seen_event *ended_lives; /* what makes the incarnations that are over count */
    size_t ended_lives_n, ended_lives_capacity;
    struct window *windows; /* number i is at i % BLIND_WINDOWS; NULL: there were none */
    uint64_t windows_n;     /* so far */
    struct window older[2]; /* of those that have no place any more: the first, and the one that ended last */
    uint64_t switched_tsc[PCPUS_MAX]; /* of the record that a vCPU stopped running on a pCPU last */
    uint64_t open[PCPUS_MAX];         /* number of a pCPU's open window, UINT64_MAX: none */
    bool no_memory;
    bool
        beyond; /* a limit was exceeded, or an event that no parser delivers: the past is no longer known exactly */
};

bool past_init(struct past *p);
void past_free(struct past *p);

/* The next event of the trace. */
void past_take(struct past *p, const struct event *e);

/* The oldest window that is kept; windows_n: there is none. */
static inline uint64_t past_oldest_window(const struct past *p)
{
    return p->windows_n > BLIND_WINDOWS ? p->windows_n - BLIND_WINDOWS : 0;
}

#endif
