/* What is known of a trace once it was read: a member of its own (summary.json), from which `info` can tell everything. */
#ifndef XENMETER_ARCHIVE_SUMMARY_H
#define XENMETER_ARCHIVE_SUMMARY_H

#include <stdbool.h>
#include <stddef.h>

#include "formats/buffer.h"
#include "metrics/measure/charge.h"
#include "parser/order/clock.h"
#include "parser/quality.h"
#include "parser/trace.h"

struct summary_pcpu {
    uint16_t pcpu;
    uint64_t blind_ns;
};

struct summary_domain { /* of the whole trace, ordered by domain and life; the idle domain is not in it */
    int32_t domain;
    uint32_t life;
    uint32_t vcpus;
    uint64_t running_ns;
};

struct summary {
    struct trace_summary trace; /* file and compression: owned by the summary when it was read */
    struct clock clock;
    uint64_t end_ns; /* everything up to here is accounted */
    struct quality
        quality; /* the parser's and the meter's part; its texts are owned by the summary when it was read */
    bool charged;
    struct charge_summary charges; /* if charged */
    struct summary_pcpu *pcpus;    /* ascending */
    size_t pcpus_n;
    struct summary_domain *domains;
    size_t domains_n;
    char *texts; /* what the texts point into; NULL unless read */
};

/* Appends the JSON document, all numbers exact. Events by their number and form, not by slot. b->failed: no memory. */
void summary_put(struct buffer *b, const struct summary *s);

/* Reads it back, hostile input or not; what it cannot be is refused. -1 with `err` filled. Free with summary_free. */
int summary_read(struct summary *s, const char *text, size_t n, struct error *err);
void summary_free(struct summary *s);

#endif
