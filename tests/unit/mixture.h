/*
 * Consumers drawn at random, over one trace: all of them in one pass, and each in a pass of its own. What each gets is
 * kept as lines of text.
 */
#ifndef XENMETER_TESTS_UNIT_MIXTURE_H
#define XENMETER_TESTS_UNIT_MIXTURE_H

#include <stdint.h>

#include "metrics/meter.h"
#include "tests/unit/bytes_feed.h"

struct mixture_trace {
    const char *path;         /* can be opened several times, or only is the trace's name, if there are */
    struct bytes_feed *bytes; /* not NULL: the trace */
    double cpu_hz;            /* 0: measured */
    uint64_t unit_ns;         /* the shortest interval that is asked for */
    uint64_t end_ns;          /* about where the trace ends */
    uint64_t memory_limit;
    uint64_t
        lines_most; /* a consumer that has got so many fails, which ends its pass; 0: no matter how many */
};

/*
 * The pass of all and the passes of each gave the same: where a pass failed, in any of the consumers or in the trace,
 * the same as far as it came. NULL, or what differed (static, until the next call).
 */
const char *mixture_difference(uint64_t seed, const struct mixture_trace *trace);

/* Any rows that a meter can be asked for. `pcpus`: PCPUS_MAX bytes, which the options perhaps point to. */
struct meter_options mixture_draw_rows(uint64_t *random, uint64_t unit_ns, uint64_t end_ns, uint8_t *pcpus);

#endif
