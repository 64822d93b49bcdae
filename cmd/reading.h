/* What report, charge and blame share: rows are made of a trace and written, and the verdict is said. */
#ifndef XENMETER_CMD_READING_H
#define XENMETER_CMD_READING_H

#include "cli.h"
#include "formats/output.h"
#include "formats/writer.h"
#include "metrics/relation/charges.h"
#include "trace_run.h"

/* One run over a trace. */
struct reading {
    const struct options *options;
    /*
     * By the command: what it does with the trace itself; bys (0: it wants no accounting), pcpus_wanted, charge.wanted
     * and the sink; what is about columns and charges; the meter's and the schema's granularities where they are not
     * those of the options. The rest follows from the options.
     */
    struct consumer consumer;
    struct meter_options meter;
    struct report_schema schema;
    const char *no_rows; /* what it means that a trace with states gives no rows; NULL: an error */
    bool
        stoppable; /* signals ask to stop, as they do with --live: results are written, and `finish` is called */
    bool from_trace; /* of an archive: the results that it keeps do not suffice */
    /* The meter's options are complete, and may be changed; NULL: nothing is to be done. -1 with `err` filled. */
    int (*begin)(struct reading *r, struct error *err);
    /* All intervals were taken: writes what else there is; NULL: nothing. -1 with `err` filled, or as the sinks. */
    int (*finish)(struct reading *r, struct error *err);

    struct charge_schema charges;   /* of reading_show_charges */
    struct charge_rows charge_rows; /* of an interval */
    struct column_choice choice;
    struct counters *counters;     /* NULL: none were given */
    struct dom0_trace *dom0_trace; /* NULL: none was given */
    struct trace_run run;          /* .trace NULL: from results that were kept */
    struct output *output;
    struct writer *writer;
    /* Several timelines, which are added up (reading_timelines.c): what is known of them all, and the time between them. */
    struct summary total;
    uint64_t gap_ns;
    bool fresh;       /* rows of an interval were written that the file of a live report does not have yet */
    bool failed;      /* a sink ended the work: the output knows why, or */
    struct error why; /* if its code is set, this is why */
};

/*
 * Runs the command, from the files that the options name to the complete output; with --columns help it only lists the
 * columns. `r` is all zero, or the beginning of the command's own struct. `prepare` fills what only the command knows: it
 * is called when the input is known, and calls reading_choose. Returns the exit code, everything having been said.
 */
int reading_command(struct reading *r, const struct options *o,
                    int (*prepare)(struct reading *r, struct error *err));

/* Chooses the columns of the first n of the relations, and one to order by (NULL: none). -1 with `err` filled. */
int reading_choose(struct reading *r, const struct relation *const *relations, size_t n, const char *sort,
                   struct error *err);

/* A live report that is one file, replaced as soon as intervals are complete (writer_replaces): sets r->consumer. */
void reading_replace_file(struct reading *r);

/* The name of the file of outside counters, given or kept in the archive; NULL: none. */
const char *reading_io_counts(const struct reading *r);

/* The report is about charges: the schema has how they are made, by the options. */
void reading_show_charges(struct reading *r);

/* How the rows of an output look, by the options and the terminal that it may be: colour, names, width. */
void reading_look(struct report_schema *schema, const struct options *o, const struct output *output);

/* For sinks: writes rows. 0, or -1: the work ends, and the output knows why. */
int reading_write(struct reading *r, const struct rows *rows);

/* A sink of the meter, whose context is the reading: writes the charges of an interval. As reading_write. */
int reading_write_charges(void *reading, const struct interval *interval, const struct charge_idd *idds,
                          size_t n);

/* For sinks: ends the work, without a result, for a reason that is not the output's. Returns -1. */
int reading_fail(struct reading *r, const struct error *why);

/* The same because memory ran out. */
int reading_no_memory(struct reading *r, size_t rows);

#endif
