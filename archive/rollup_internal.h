/* Regrouping, between its files: intervals (rollup.c), late rows (rollup_late.c), plans (rollup_plan.c). */
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

/*
 * Late rows of one vCPU or pCPU that turned out to have been there all along: a meter tells them granularity by
 * granularity, for each interval that it handed out before. They are much the same in all but the first interval, so a
 * few runs hold them however many they are.
 */
#define LATE_RUNS 4
struct rollup_late_run {
    uint64_t start_ns;
    uint64_t intervals; /* adjoining, with the same measures and charge */
    struct measures measures;
    bool charged;
    struct charge_idd idd; /* without guests */
};

struct rollup_late {
    bool judged; /* they tell whether the outcome is exact */
    bool any;
    struct row row; /* whom they are about */
    struct rollup_late_run runs[METER_GRANULARITIES][LATE_RUNS];
    size_t runs_n[METER_GRANULARITIES];
    /* The last one, as long as its charge may still come. */
    bool pending;
    size_t kept;
    struct rollup_late_run last;
};

struct rollup {
    struct rollup_plan plan;
    enum by by;
    struct meter_sink sink;
    uint64_t to_ns; /* where the part asked for ends */
    struct rollup_kept kept[METER_GRANULARITIES];
    struct rollup_asked asked[METER_GRANULARITIES];
    bool straight; /* what is of use is what is asked for, in its order */
    bool waiting;  /* at least one that is asked for is complete: it ends at reached_ns */
    bool done;     /* the part asked for is over */
    bool exact;
    uint64_t reached_ns;     /* the end of the latest interval */
    bool of_use;             /* the last interval: */
    struct interval current; /* charges that come next are about it */
    struct rollup_late late;
    int64_t unknown_ns;
    int status; /* not 0: nothing more comes out */
    bool damaged, out_of_memory;
};

/* Where the part of the trace that is asked for ends. */
uint64_t rollup_to_ns(const struct rollup_plan *plan);

int rollup_is_damaged(struct rollup *r);
int rollup_no_memory(struct rollup *r);

/* The index of the kept granularity if it is of use, else METER_GRANULARITIES. */
size_t rollup_kept_index(const struct rollup *r, uint64_t length_ns);

/* The first granularity that is asked for and made of the kept one, which is of use. */
size_t rollup_asked_index(const struct rollup *r, size_t kept);

/* Hand out, of the granularity asked at `index`. They return r->status. */
int rollup_tell(struct rollup *r, size_t index, const struct interval *interval, const struct row *rows,
                size_t n);
int rollup_tell_charges(struct rollup *r, const struct interval *interval, const struct charge_idd *idds,
                        size_t n);

/* Add to what is open. They return r->status. */
int rollup_add_rows(struct rollup *r, struct rollup_asked *a, const struct row *rows, size_t n);
int rollup_add_charges(struct rollup *r, struct rollup_asked *a, const struct charge_idd *idds, size_t n);

/* One late interval of kept granularity `kept`, and its charge. They return r->status. */
int rollup_late_take(struct rollup *r, size_t kept, const struct interval *interval, const struct row *rows,
                     size_t n);
int rollup_late_take_charges(struct rollup *r, const struct charge_idd *idds, size_t n);

/* Something else comes: the late rows aggregate so far are all there is of their vCPU. */
int rollup_late_end(struct rollup *r);

#endif
