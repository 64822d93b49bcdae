/* A report as the fuzz target of the road asks for it: its rows and charges, and what must hold of them whatever the bytes are. */
#ifndef XENMETER_TESTS_FUZZ_REPORT_H
#define XENMETER_TESTS_FUZZ_REPORT_H

#include "formats/output.h"
#include "formats/writer.h"
#include "metrics/pipeline.h"
#include "parser/trace.h"
#include "tests/fuzz/joins.h"

/* What the first byte of an input decides of reports. */
struct report_choice {
    enum by by;
    bool part;       /* only a part of the time */
    bool executions; /* */
    bool some_pcpus; /* only the even ones */
    bool fine;       /* short intervals too */
};

/* What all rows of one granularity add up to. */
struct sums {
    uint64_t granularity_ns;
    uint64_t next_ns; /* where the next interval must begin */
    bool begun;
    int64_t state_ns[RUNSTATES], before_seen_ns;
    int64_t all_ns; /* but for what was before it was seen */
    uint64_t executions, wakes, preemptions;
};

/* What all charges of one granularity add up to. */
struct charge_sums {
    uint64_t running_ns, charged_ns, own_ns, unattributed_ns, notified;
};

struct report {
    enum by by;
    bool some_pcpus;
    struct sums sums[METER_GRANULARITIES];
    struct charge_sums charges[METER_GRANULARITIES];
    size_t granularities;
    uint64_t rows;
    bool enough; /* so many rows that the pass can end */
    struct meter_options options;
    struct joins *joins; /* of the shortest intervals; NULL: none */
    struct output *output;
    struct writer *writer; /* NULL: nothing is written */
    struct column_choice columns;
    struct report_schema schema;
};

/* `format`: written to /dev/null, too; NULL: not so. `r` stays where it is until report_close. */
void report_open(struct report *r, const struct report_choice *c, const char *format);
void report_close(struct report *r);

/* At the end of the trace, as meter number `at` of the pipeline: all intervals account for the same, and the report is ended. */
void report_end(struct report *r, struct trace *trace, const struct pipeline *pipeline, size_t at);

#endif
