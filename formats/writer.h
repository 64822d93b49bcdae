/* How results are written. Each format implements struct writer_ops over the same calls. */
#ifndef XENMETER_FORMATS_WRITER_H
#define XENMETER_FORMATS_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/columns.h"
#include "formats/output.h"
#include "metrics/measure/charge.h"
#include "metrics/measure/row.h"
#include "metrics/verdict.h"
#include "parser/error.h"
#include "parser/trace.h"

/* How driver domains are charged, and what of it is told. */
struct charge_schema {
    const struct charge_options *options;
    const char *io_counts; /* the file of outside counters, or NULL */
    bool guests_only;      /* no rows of own and unattributed time */
};

/* What is known at the beginning of a report. The caller keeps it alive until the writer is gone. */
struct report_schema {
    enum by by;
    bool executions;                  /* rows of executions will come */
    const uint64_t *granularities_ns; /* those of the intervals, in the order asked; 0: whole trace */
    size_t granularities;
    const struct column *const *columns; /* chosen report columns, in order; key columns included */
    size_t columns_n;
    bool columns_given;  /* the person chose them: the table then shows exactly these */
    name_lookup name_of; /* may be NULL */
    const void *names;
    const struct charge_schema *charge; /* writer_charges will come, no other rows; else NULL */
    bool color;                         /* the table may use colour */
    unsigned width;                     /* of the terminal in characters; 0: not a terminal, no limit */
    /* for a format that makes files of its own (writer_makes_files): */
    const char *prefix;  /* of their names */
    const char *capture; /* the file being read, which none of them may replace */
    bool live;           /* they are to grow with each interval, not to appear at the end */
};

/* What is known at its end. */
struct report_summary {
    struct trace_summary trace;
    struct clock clock;
    uint64_t start_ns, end_ns; /* the part of the trace reported on */
    const struct quality *quality;
    const struct judgement *judgement;
    const struct charge_summary *charges; /* NULL: not accounted */
};

struct writer; /* one report being written */

/* Format names in the order of the help text, ended by NULL. */
extern const char *const writer_formats[];

/* Whether a format makes files of its own; the output it is given then only keeps what went wrong. */
bool writer_makes_files(const char *format);

/* The format that a file name's ending asks for ("x.csv", "x.csv.zst", "x.xma": "archive"), or NULL. */
const char *writer_format_of(const char *path);

/* Whether what this report shows needs I/O and charges accounted: a column that will be written, or executions. */
bool writer_wants_charges(const char *format, const struct report_schema *schema);

/* Begins a report. NULL with `err` filled for an unknown format or when memory ran out. */
struct writer *writer_new(const char *format, struct output *out, const struct report_schema *schema,
                          struct error *err);

/* One complete interval with its rows, already ordered and cut. 0, or -1 when the output failed. */
int writer_interval(struct writer *w, const struct interval *interval, const struct row *rows, size_t n);

/* One execution. */
int writer_execution(struct writer *w, const struct execution *execution);

/*
 * The driver domains of one interval, as the meter orders them, each with the guests to be shown. 0, or -1 when the
 * output failed.
 */
int writer_charges(struct writer *w, const struct interval *interval, const struct charge_idd *idds,
                   size_t n);

/* Makes all that was given visible to a stream's reader; a document format may have nothing to show yet. */
int writer_flush(struct writer *w);

/* Ends the report and frees the writer. The output stays open: commit or abort it. 0 or -1. */
int writer_end(struct writer *w, const struct report_summary *summary);

/* Frees without ending. NULL is fine. */
void writer_free(struct writer *w);

#endif
