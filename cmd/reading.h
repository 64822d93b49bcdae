/*
 * What report and charge share: a trace is read into a meter, its results are written, and the verdict is said.
 *
 *     reading_open -> reading_run -> reading_close
 */
#ifndef XENMETER_CMD_READING_H
#define XENMETER_CMD_READING_H

#include "cli.h"
#include "formats/output.h"
#include "formats/writer.h"
#include "trace_run.h"

/* What --help says of it, and of how it ends. */
#define READING_HELP                                                                                         \
    "How to read it\n"                                                                                       \
    "      --host LABEL[:N]    of an archive with several hosts: this one; N: its Nth timeline\n"            \
    "      --cpu-hz HZ         frequency of the tsc (2.4G); default: measured from the trace\n"              \
    "      --max-memory SIZE   give up rather than use more (default 1G)\n"                                  \
    "      --progress WHEN     auto, always, never\n"                                                        \
    "  -q, --quiet             only errors on standard error\n"                                              \
    "  -v, --verbose           more about the data on standard error\n"                                      \
    "  -h, --help              this text\n"                                                                  \
    "\n"                                                                                                     \
    "Exit status: 0 done, 2 error.\n"

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
 * Does all the work from the trace to the complete output. The caller has filled what only it knows: in `meter`
 * by, pcpus_wanted, charge.wanted and the sink; in `schema` by and what is about columns and charges. The rest
 * follows from the options and is filled in here. Both are kept until reading_close. Returns the exit code of the
 * command, everything having been said.
 */
int reading_run(struct reading *r, struct meter_options *meter, struct report_schema *schema);

/* For sinks: to be called before something is written, and with what the writer returned. */
void reading_will_write(struct reading *r);
int reading_has_written(struct reading *r, int status);

/* For sinks: ends the work because memory ran out. Returns -1. */
int reading_no_memory(struct reading *r, size_t rows);

void reading_close(struct reading *r);

#endif
