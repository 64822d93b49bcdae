/*
 * What report, charge and blame share: rows are made of a trace and written, and the verdict is said.
 *
 *     reading_open -> reading_run -> reading_close
 */
#ifndef XENMETER_CMD_READING_H
#define XENMETER_CMD_READING_H

#include "cli.h"
#include "formats/output.h"
#include "formats/writer.h"
#include "trace_run.h"

/* One run over a trace; all zero is one that was not opened. */
struct reading {
    const struct options *options;
    struct domain_names *names; /* NULL: none were given */
    struct counters *counters;  /* NULL: none were given */
    struct trace_run run;       /* .trace NULL: from results that were kept */
    uint64_t unknown_ns;        /* of results that were kept */
    struct output *output;
    struct writer *writer;
    bool failed; /* a sink ended the work: the output knows why */
};

/* Reads the files that options name beside the trace. EXIT_DONE, or EXIT_ERROR with the reason said. */
int reading_open(struct reading *r, const struct options *o);

/* The name of the file of outside counters, given or kept in the archive; NULL: none. */
const char *reading_io_counts(const struct reading *r);

/*
 * Does all the work from the trace to the complete output. The caller has filled what only it knows: in `consumer` what
 * it does with the trace itself; in `meter` (NULL: it wants no accounting) bys, pcpus_wanted, charge.wanted and the sink;
 * in `schema` bys and what is about columns and charges. The rest follows from the options and is filled in here. All are
 * kept until reading_close. Returns the exit code of the command, everything having been said.
 */
int reading_run(struct reading *r, struct consumer *consumer, struct meter_options *meter,
                struct report_schema *schema);

/* For sinks: writes rows. 0, or -1: the work ends, and the output knows why. */
int reading_write(struct reading *r, const struct rows *rows);

/* For sinks: ends the work because memory ran out. Returns -1. */
int reading_no_memory(struct reading *r, size_t rows);

void reading_close(struct reading *r);

#endif
