/* Writes counts of records (xenmeter dump --count) in the formats of a dump. */
#ifndef XENMETER_FORMATS_DUMP_COUNTS_H
#define XENMETER_FORMATS_DUMP_COUNTS_H

#include "formats/output.h"
#include "metrics/measure/event_counts.h"

struct dump_counts {
    struct event_counts *counts;
    const struct own_events *own; /* a user's own events; NULL: none */
    bool grouped;
    enum by by;
    size_t limit;     /* rows of a group; 0: all */
    uint64_t span_ns; /* length of the time counted; 0: not known */
};

/* 0, or -1 when the output failed or memory ran out: the output has the error. */
int dump_counts_write(struct output *out, const char *format, const struct dump_counts *d);

#endif
