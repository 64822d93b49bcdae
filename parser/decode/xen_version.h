/*
 * Which Xen wrote the trace? No record says so, but payload layouts changed over the versions: every layout seen
 * narrows the range (events.def has the versions of each).
 */
#ifndef XENMETER_PARSER_XEN_VERSION_H
#define XENMETER_PARSER_XEN_VERSION_H

#include <stdbool.h>

#include "parser/quality.h"

#define SCHEDULERS_MAX 4

/* Versions as 100 * major + minor: 4.17 = 417. */
struct xen_versions {
    unsigned from;                          /* 0: no lower bound */
    unsigned to;                            /* 0: no upper bound */
    unsigned from_slot;                     /* the event whose layout gives the lower bound */
    unsigned to_slot;                       /* and the upper one */
    bool contradictory;                     /* from > to: traces of several hosts in one, or damage */
    const char *schedulers[SCHEDULERS_MAX]; /* "credit" "credit2" "rtds" "null", the most frequent first, */
    unsigned schedulers_n;                  /* 0 when their events were not traced; several: cpupools */
};

/*
 * Finds the versions and the schedulers from the counts of records, by the numbers that they have (before
 * old_numbers_count). A scheduler beside the most frequent one is named if it has more records than damage makes.
 */
void xen_versions_judge(struct xen_versions *v, const struct quality *q);

#endif
