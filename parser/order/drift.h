/*
 * Whether Xen's clock goes with the counter, all along: the frequency is measured at the beginning of the trace.
 *
 * On a pCPU each run begins when the one before it ends. So from one switch to a later one Xen's clock went on by the sum of the
 * lengths of the runs between, and the counter by what the stamps say, but for how late both records were written. In
 * stretches of a second or more that is little. Where the two go apart by more than the frequency is sure, either may be wrong.
 */
#ifndef XENMETER_PARSER_DRIFT_H
#define XENMETER_PARSER_DRIFT_H

#include <stdbool.h>
#include <stdint.h>

#include "clock.h"
#include "parser/quality.h"

/* The runs of a pCPU. Times: tsc of a switch out; sums: ns of the runs until then, modulo 2^32. */
struct drift {
    uint64_t from; /* where the stretch begins; 0: nothing is known */
    uint64_t last; /* the last switch, */
    uint64_t sure; /* the last one whose record was not late, as far as the run before it says; or `from` */
    uint64_t due;  /* a stretch to here is long enough to be judged */
    uint32_t last_ns, sure_ns;
    int64_t
        off_ns; /* by how much the stamps went further than Xen's clock in the stretches before, in sum, mostly the last ones */
};

/* What lies before is not known, or was no run of this pCPU's. */
static inline void drift_break(struct drift *d)
{
    d->from = 0;
}

/* A vCPU is switched out, having run since the last switch for ran_ns, modulo 2^32. */
void drift_take(struct drift *d, const struct clock *clock, uint64_t tsc, uint32_t ran_ns);

/* Whether the stretch is long enough to be judged: a second, or four where all runs are odd. */
static inline bool drift_is_due(const struct drift *d)
{
    return d->from && d->last >= d->due && (d->sure >= d->due || d->last - d->due >= 3 * (d->due - d->from));
}

/* Counts the stretch so far (quality.clock_off_...), if the two clocks have gone apart, and begins the next one. */
void drift_judge(struct drift *d, const struct clock *clock, struct quality *quality);

#endif
