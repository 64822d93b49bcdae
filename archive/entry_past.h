/*
 * A trace's past as far as it matters for what comes: followed event by event, with a runstate machine that says what
 * came of each. Who is in the trace, since when, what each vCPU's history leaves behind, and when records were lost.
 */
#ifndef XENMETER_ARCHIVE_ENTRY_PAST_H
#define XENMETER_ARCHIVE_ENTRY_PAST_H

#include "archive/entry_history.h"
#include "metrics/model/blind.h"
#include "metrics/model/runstate.h"
#include "parser/order/clock.h"
#include "parser/quality.h"

/* One blind window of a pCPU. */
struct window {
    struct told begin, end;
    bool ended;
    uint32_t victim; /* the vCPU that ran there, NOBODY: none */
};

/* A life of a domain that goes on. */
struct life_past {
    struct told begun;
    bool added;      /* `begun` is a DOM_ADD, else its first record */
    bool told;       /* it is over, and the events that tell of it are among `lives_told` */
    uint8_t *ran_on; /* a bit for each pCPU: one of its vCPUs ran there; NULL: none did */
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
    struct life_past *incarnations; /* by life number */
    size_t incarnations_capacity;
    struct told *lives_told; /* what makes the incarnations that are over count */
    size_t lives_told_n, lives_told_capacity;
    struct window *windows; /* number i is at i % BLIND_WINDOWS; NULL: there were none */
    uint64_t windows_n;     /* so far */
    struct window older[2]; /* of those that have no place any more: the first, and the one that ended last */
    uint64_t switched_out_tsc[PCPUS_MAX]; /* when a vCPU stopped running on a pCPU last */
    uint64_t open[PCPUS_MAX];             /* number of a pCPU's open window, UINT64_MAX: none */
    bool no_memory;
    bool
        beyond; /* more of something than we keep, or what no parser delivers: the past is not known any more */
};

bool past_init(struct past *p);
void past_free(struct past *p);

/* The next event of the trace. */
void past_take(struct past *p, const struct event *e);

/* The oldest window that is told one by one; windows_n: there is none. */
static inline uint64_t past_oldest_window(const struct past *p)
{
    return p->windows_n > BLIND_WINDOWS ? p->windows_n - BLIND_WINDOWS : 0;
}

#endif
