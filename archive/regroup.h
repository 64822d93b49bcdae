/*
 * From the intervals that were kept to those that are asked for: the same ones, longer ones whose length is a multiple,
 * the whole, a part of the time that begins and ends at their boundaries. What comes out is what a meter with these
 * granularities would have handed out, in its order: at a boundary the granularities in the order asked, whole-trace rows
 * at the end.
 */
#ifndef XENMETER_ARCHIVE_REGROUP_H
#define XENMETER_ARCHIVE_REGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "metrics/meter.h"

struct regroup_plan {
    uint64_t kept_ns[METER_GRANULARITIES]; /* the granularities that were kept; 0: the whole trace */
    size_t kept;
    uint64_t asked_ns[METER_GRANULARITIES];
    size_t asked;
    uint64_t from_ns, to_ns; /* 0, 0: everything; to 0: to the end */
    uint64_t end_ns;         /* where the trace ends */
};

/*
 * Whether what is asked can be made of what was kept. If so `use[i]` is the index in kept_ns of what granularity i is made
 * of: the longest that fits.
 */
bool regroup_possible(const struct regroup_plan *plan, size_t use[METER_GRANULARITIES]);

struct regroup;

/* The plan is possible; it and the sink are copied. `by`: of the rows. NULL: no memory. */
struct regroup *regroup_new(const struct regroup_plan *plan, enum by by, const struct meter_sink *sink);
void regroup_free(struct regroup *r);

/* What was kept goes in here (results_read hands it over), what is asked for comes out at the sink. */
struct meter_sink regroup_sink(struct regroup *r);

/* The time of the members that are of use: rows of intervals outside [*from, *to) are not needed. */
void regroup_span(const struct regroup *r, uint64_t *from_ns, uint64_t *to_ns);

/* Everything was given: hands out what is still open. -1 as the sink, or with out_of_memory. */
int regroup_finish(struct regroup *r);
bool regroup_out_of_memory(const struct regroup *r);

/* Sum of the guests' unknown time in what was handed out of one granularity (the first asked), ns. */
uint64_t regroup_unknown_ns(const struct regroup *r);

#endif
