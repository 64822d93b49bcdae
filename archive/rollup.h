/*
 * From the intervals that were kept to those that are asked for: the same ones, longer ones whose length is a
 * multiple, the whole, a part of the time that begins and ends at their boundaries. What comes out is what a meter
 * with these granularities would have handed out, in its order: at a boundary the granularities in the order asked,
 * whole-trace rows at the end. Fractions of a ns (charged_by_ns, charged_inferred_ns) are added in another order, so their
 * last bits may differ.
 *
 * The kept intervals of one granularity follow each other without gap or overlap from 0 on, or from any of them at or
 * before `from`; all granularities together are told in the order of their ends. Anything else is damage.
 */
#ifndef XENMETER_ARCHIVE_ROLLUP_H
#define XENMETER_ARCHIVE_ROLLUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "metrics/measure/meter_options.h"

struct rollup_plan {
    uint64_t kept_ns[METER_GRANULARITIES]; /* the granularities that were kept; 0: the whole trace */
    size_t kept;
    uint64_t asked_ns[METER_GRANULARITIES];
    size_t asked;            /* 0: no intervals, executions only */
    bool executions;         /* those are asked for, too (and were kept) */
    uint64_t from_ns, to_ns; /* 0, 0: everything; to 0, or not before the end: to the end */
    uint64_t end_ns;         /* where the trace ends: everything up to there is accounted */
    size_t memory_limit;     /* bytes that what is put together may take; 0: no limit */
};

/*
 * Whether what is asked can be made of what was kept. If so `use[i]` is the index in kept_ns of what granularity i is
 * made of: the longest that fits, so itself where it was kept. Not possible are a part that does not begin before the
 * end, or at a boundary, or does not end at one, and executions of a part that ends before the trace does: a meter
 * cuts those that run on there, and the I/O of a capture of an execution is not known.
 */
bool rollup_possible(const struct rollup_plan *plan, size_t use[METER_GRANULARITIES]);

struct rollup;

/* The plan is possible; it and the sink are copied. `by`: of the rows; charges go with BY_DOMAIN. NULL: no memory, or the plan is not possible. */
struct rollup *rollup_new(const struct rollup_plan *plan, enum by by, const struct meter_sink *sink);
void rollup_free(struct rollup *r);

/*
 * What was kept goes in here (results_read hands it over), what is asked for comes out at the sink. Granularities that
 * are not of use are passed over, so they may be left out. Functions whose results nobody wants are NULL. The others
 * return what the sink did if that is not 0, and -1 when memory ran out (or would take more than the limit) or what
 * they are given is damaged; after that nothing more comes out.
 */
struct meter_sink rollup_sink(struct rollup *r);

/*
 * What is of use lies in this part of the stream: from the interval that begins at *from_ns on, up to the last that
 * ends at *to_ns, with what was seen first in between. More may be given: it is passed over.
 */
void rollup_span(const struct rollup *r, uint64_t *from_ns, uint64_t *to_ns);

/*
 * Everything was given: hands out what is still open. -1 as the sink's functions; damaged, too, if a whole interval is
 * missing. Of a trace that was stopped alive the last capture, shorter than an interval, may be missing: then longer ones
 * that need it do not come out, and the whole trace ends before it.
 */
int rollup_finish(struct rollup *r);
bool rollup_out_of_memory(const struct rollup *r);
bool rollup_damaged(const struct rollup *r);

/* The guests' time, and of it unknown and doubtful, in what was handed out of one granularity (the first asked), ns. BY_PCPU: 0. */
struct rollup_times {
    int64_t vcpu_ns, unknown_ns, doubtful_ns; /* 0 or more */
};
const struct rollup_times *rollup_times(const struct rollup *r);

#endif
