/* Moments as something else than ns from the trace's start: times of day, or the tsc. */
#ifndef XENMETER_METRICS_RELATION_MOMENTS_H
#define XENMETER_METRICS_RELATION_MOMENTS_H

#include <stdbool.h>
#include <stdint.h>

enum time_format { TIMES_RELATIVE, TIMES_LOCAL, TIMES_UTC, TIMES_TSC };

/* What knows them; called by the thread that writes rows. */
struct moments {
    enum time_format format; /* never TIMES_RELATIVE: then there are no moments */
    const void *context;
    /* Of a moment so many ns from the trace's start. False: not known. */
    bool (*utc)(const void *context, uint64_t ns, int64_t *utc_ns); /* ns since 1970 */
    bool (*tsc)(const void *context, uint64_t ns, uint64_t *tsc);
};

#endif
