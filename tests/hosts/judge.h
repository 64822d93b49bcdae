/*
 * judge.h - holds what the program said of a file against what happened on the host.
 *
 * For every row: the truth of each state lies within [value - doubtful, value + unknown + doubtful]; counts are lower
 * bounds; no wait, run or blocking is longer than the longest there was; all the time of a row is in one state. Unknown
 * and doubtful is no more than the records that are missing explain (breadth.h). The verdict is not "good" when something is missing.
 */
#ifndef XENMETER_TESTS_HOSTS_JUDGE_H
#define XENMETER_TESTS_HOSTS_JUDGE_H

#include "program.h"
#include "recording.h"
#include "host_view.h"

struct miss {
    char kind[32];  /* a short name: what is broken */
    char text[224]; /* which row, and by how much */
};

enum { MISSES_KEPT = 8 };

/* At most one of each kind is kept: the worst. */
struct misses {
    struct miss kept[MISSES_KEPT];
    double weight[MISSES_KEPT]; /* ns */
    size_t kept_n, n;
};

/* Returns false when memory is short. */
bool judge(struct misses *misses, const struct plan *plan, const struct recording *r, const struct view *v,
           const struct answer *answer);

#endif
