/*
 * What two captures are compared by: of each (a side) the values of chosen columns, per domain, vCPU or pCPU, over all of its
 * time and in intervals. A side is filled with rows from anywhere: a meter, an archive, a saved report.
 */
#ifndef XENMETER_METRICS_RELATION_SIDES_H
#define XENMETER_METRICS_RELATION_SIDES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "metrics/measure/meter_options.h"
#include "metrics/relation/relation.h"

enum comparable_kind {
    COMPARABLE_SHARE,            /* of time: unknown time may belong to it, doubtful time may not */
    COMPARABLE_RATE,             /* of what happens: it may have happened in unknown time, too */
    COMPARABLE_MEAN,             /* */
    COMPARABLE_RUN_PERCENTILE,   /* of executions */
    COMPARABLE_WAIT_PERCENTILE,  /* of waits, one before each execution */
    COMPARABLE_BLOCK_PERCENTILE, /* of blockings */
    COMPARABLE_MAXIMUM,          /* */
    COMPARABLE_TOTAL             /* a share and a rate added */
};

/* A column that captures can be compared by. */
struct comparable {
    const char *name;
    const struct column *column; /* of relation_rows */
    enum comparable_kind kind;
    uint16_t per_mille; /* of a percentile */
    uint8_t by_default; /* 1 << enum by, or-ed */
};

#define COMPARABLES 28

/* All of them, in the order of the report; made on first use. */
const struct comparable *comparables(void);

/* The one of that name, or NULL. */
const struct comparable *comparable_find(const char *name);

/* UNIT_NS, UNIT_PERCENT, UNIT_COUNT or UNIT_PER_SECOND. */
enum unit comparable_unit(const struct comparable *of);

/* What is compared: pointers into comparables(). */
struct comparison_plan {
    enum by by; /* BY_DOMAIN, BY_VCPU or BY_PCPU */
    const struct comparable *of[COMPARABLES];
    bool hidden[COMPARABLES]; /* only there because bounds of others need it */
    size_t n;
};

/* Columns of relation_rows that say how well the others are known, of the whole time, as far as they apply. */
#define SIDE_CONTEXT(C)                                                                                      \
    C(running_ns)                                                                                            \
    C(runnable_ns) C(blocked_ns) C(offline_ns) C(idle_ns) C(unknown_ns) C(doubtful_ns) C(executions) C(blocks)
#define SIDE_CONTEXT_AS(NAME) CONTEXT_##NAME,
enum side_context { SIDE_CONTEXT(SIDE_CONTEXT_AS) SIDE_CONTEXTS };
#undef SIDE_CONTEXT_AS

extern const char *const side_context_names[SIDE_CONTEXTS];

/* A row for a side; NAN: a value that is unknown or does not apply. */
struct side_row {
    int32_t domain; /* as struct row */
    uint32_t life;
    int32_t vcpu, pcpu;
    const char *name; /* of the domain; NULL: not known */
    uint64_t granularity_ns, start_ns, end_ns;
    double context[SIDE_CONTEXTS]; /* of the whole time; else 0 */
    double values[COMPARABLES];    /* of each of the plan */
};

#define SIDE_INTERVALS_MIN 8   /* of one length, to be of use; see side_lengths */
#define SIDE_INTERVALS_MAX 200 /* of one length that are kept: longer ones say as much then */

/* The values in intervals of one length, in the order of time: n times one for each of the plan. */
struct side_series {
    double *at;
    size_t n, capacity; /* of values; of intervals it is n / plan.n */
    uint64_t last_start_ns;
};

/* What rows are about. */
struct side_subject {
    struct side_row whole;                          /* over all the time; its name is the subject's own */
    bool seen;                                      /* there was such a row */
    struct side_series series[METER_GRANULARITIES]; /* of each length of the side */
};

/* All zero but for the plan: nothing is in it. */
struct side {
    const struct comparison_plan *plan;
    struct side_subject **subjects; /* by domain, life, vCPU, pCPU */
    size_t n, capacity;
    struct {
        uint64_t granularity_ns;
        uint64_t last_start_ns;
        size_t intervals; /* whole ones; more than SIDE_INTERVALS_MAX: their values are not kept */
    } lengths[METER_GRANULARITIES];
    size_t lengths_n;
    bool named; /* names of domains are known */
};

enum side_taken { SIDE_TAKEN, SIDE_NO_MEMORY, SIDE_TWICE };

/*
 * Adds a row, copied. Rows of one subject and length come in the order of time, and each once (else SIDE_TWICE). Intervals that
 * are cut short, and those of more lengths than METER_GRANULARITIES, are passed over.
 */
enum side_taken side_take(struct side *s, const struct side_row *row);

/* Fills `to` with the row as the report prints it: with as many digits. `view` is of the row's interval. */
void side_row_of(struct side_row *to, const struct comparison_plan *plan, const struct row_view *view);

/* The number of the side's length that has this granularity; -1: none. */
int side_length_of(const struct side *s, uint64_t granularity_ns);

/*
 * The number of the longest length of which both sides keep SIDE_INTERVALS_MIN intervals or more, in *a and *b; where
 * there is none, for each side the longest of its own, or if all are fewer the one with the most; -1: none at all. Returns whether
 * both have the same.
 */
bool side_lengths(const struct side *x, const struct side *y, int *a, int *b);

/* Whether no more intervals of this length are kept. */
bool side_has_enough(const struct side *s, uint64_t granularity_ns);

/* Bytes that it holds. */
size_t side_memory(const struct side *s);

void side_free(struct side *s);

#endif
