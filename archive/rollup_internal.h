/* Rollup, between its files: intervals (rollup.c), plans (rollup_plan.c). */
#ifndef XENMETER_ARCHIVE_ROLLUP_INTERNAL_H
#define XENMETER_ARCHIVE_ROLLUP_INTERNAL_H

#include "archive/rollup.h"
#include "archive/rollup_aggregate.h"

#define NOT_SEEN UINT64_MAX

/* A granularity that was kept. */
struct rollup_kept {
    uint64_t length_ns; /* 0: the whole trace */
    bool used;
    uint64_t next_ns; /* where its next interval begins; NOT_SEEN before the first */
};

/* A granularity that is asked for, and its open interval. */
struct rollup_asked {
    uint64_t length_ns;
    size_t use;                /* the kept one it is made of */
    uint64_t start_ns, end_ns; /* those before start_ns were handed out */
    bool complete;             /* waits for the others that end there */
    struct aggregate aggregate;
};

struct rollup {
    struct rollup_plan plan;
    enum by by;
    struct meter_sink sink;
    uint64_t to_ns; /* where the part asked for ends */
    struct rollup_kept kept[METER_GRANULARITIES];
    struct rollup_asked asked[METER_GRANULARITIES];
    bool straight;           /* what is of use is what is asked for, in its order */
    bool waiting;            /* at least one that is asked for is complete: it ends at reached_ns */
    bool done;               /* the part asked for is over */
    uint64_t reached_ns;     /* the end of the latest interval */
    bool of_use;             /* the last interval: */
    struct interval current; /* charges that come next are about it */
    int64_t unknown_ns;
    int status; /* not 0: nothing more comes out */
    bool damaged, out_of_memory;
};

/* Where the part of the trace that is asked for ends. */
uint64_t rollup_to_ns(const struct rollup_plan *plan);

#endif
