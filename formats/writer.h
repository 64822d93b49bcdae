/* How results are written. Each format implements struct writer_ops over the same calls. */
#ifndef XENMETER_FORMATS_WRITER_H
#define XENMETER_FORMATS_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/choice.h"
#include "formats/output.h"
#include "formats/selection.h"
#include "metrics/measure/charge.h"
#include "metrics/measure/row.h"
#include "metrics/measure/weight_fit.h"
#include "metrics/verdict.h"
#include "parser/error.h"
#include "parser/trace.h"

/* How driver domains are charged. */
struct charge_schema {
    const struct charge_options *options;
    const char *io_counts;            /* the file of outside counters, or NULL */
    const char *dom0_trace;           /* the file of what a driver domain's kernel recorded, or NULL */
    const char *own_baseline;         /* the report from which loads of own work are, or NULL */
    const struct fitted_weights *fit; /* a report of weights: filled before it ends; else NULL */
};

/* What is known at the beginning of a report. The caller keeps it alive until the writer is gone. */
struct report_schema {
    const char *name; /* of the kind of document: "report"; JSON's schema is "xenmeter.report/1" */
    const struct column_choice *choice; /* the relations whose rows will come, and their columns */
    struct selection_options selection; /* which of the rows are written */
    unsigned bys;                       /* 1 << enum by, or-ed: what rows by subject will be by */
    const uint64_t *granularities_ns;   /* those of the intervals, in the order asked; 0: whole trace */
    size_t granularities;
    name_lookup name_of; /* may be NULL */
    const void *names;
    name_lookup uuid_of; /* of domains, as name_of; may be NULL */
    const void *uuids;
    const struct charge_schema *charge; /* of a report that is about charges: how they were made; else NULL */
    const char
        *host; /* several timelines of this host are added up, and rows say of which they are; else NULL */
    const struct moments
        *moments;   /* how moments are shown beside ns from the trace's start; NULL: they are not */
    bool color;     /* the table may use colour */
    bool raw_names; /* CSV and TSV have names as they are, whatever a program does with them */
    unsigned width; /* of the terminal in characters; 0: not a terminal, no limit */
    /* for a format that makes files of its own (writer_makes_files): */
    const char *prefix;  /* of their names */
    const char *capture; /* the file being read, which none of them may replace */
    bool
        apart; /* rows are formatted and written on a thread of their own: until writer_settle the output is its */
    bool live; /* they are to grow with each interval, not to appear at the end */
};

struct json_t; /* jansson's */

/* One of the two captures that a report compares. */
struct compared {
    const char *file;
    const struct judgement *judgement; /* NULL: not known, as the file does not keep it */
    const struct judgement *charges;   /* of charges */
    struct json_t *trace, *quality;    /* objects, as of a report of it; NULL: not known */
    uint64_t interval_ns;              /* the noise is estimated from intervals of this length, */
    uint64_t intervals;                /* so many; 0: there are none */
};

/* Where in an archive a report's trace is from. */
struct origin {
    const char *host;
    const char *source;       /* the names of the traces, without directories, separated by ", " */
    unsigned timeline;        /* its number, from 1; 0: of several, */
    unsigned timelines;       /* so many */
    uint64_t not_recorded_ns; /* between these; their order and distance are known from the tsc alone */
};

/* What is known at its end. */
struct report_summary {
    /* Of a report that compares two captures: both, in order, and `judgement` is of both; the rest is unused. Else NULL. */
    const struct compared *compared;
    const struct origin *origin; /* NULL: it was no archive */
    struct trace_summary trace;
    struct clock clock;
    uint64_t start_ns, end_ns;     /* the part of the trace reported on */
    const struct quality *quality; /* NULL: of no trace, but of rows that say all themselves (own_periods) */
    const struct judgement *judgement;
    const struct charge_summary *charges; /* NULL: not accounted */
    /* Of charges in columns beside others, which it is not part of the judgement of; NULL: it is, or there are none. */
    const struct judgement *charges_judgement;
    int64_t utc_ns; /* of a live report: the time of day, ns since 1970; 0: it is not live, or has ended */
};

struct writer; /* one report being written */

/* Format names in the order of the help text, ended by NULL. */
extern const char *const writer_formats[];

/* The same with those that make files of their own, and "archive", which is not written here. */
extern const char *const report_formats[];

/* Whether a format makes files of its own; the output it is given then only keeps what went wrong. */
bool writer_makes_files(const char *format);

/* Whether a live report in that format is one file that is replaced at each interval (writer_replace). */
bool writer_replaces(const char *format);

/* The format that a file name's ending asks for ("x.csv", "x.tsv.zst", "x.xma": "archive"), or NULL. */
const char *writer_format_of(const char *path);

/* The ending of a file name that belongs to a format which nothing here writes (".gz", ".xlsx"), or NULL. */
const char *writer_foreign_ending(const char *path);

/* Whether what this report shows, or is ordered by, has a column of that flag (COLUMN_CHARGE, COLUMN_SLICE, ...). */
bool writer_wants(const char *format, const struct report_schema *schema, enum column_flag flag);

/* Begins a report. NULL with `err` filled for an unknown format or when memory ran out. */
struct writer *writer_new(const char *format, struct output *out, const struct report_schema *schema,
                          struct error *err);

/*
 * Rows of one relation: a complete interval's, in the order of the relation, or any number of a stream. What of them is
 * written, and when, is the selection's affair. 0, or -1 when the output failed.
 */
int writer_rows(struct writer *w, const struct rows *rows);

/*
 * Of a format that replaces: puts a file with all rows so far, and with what is known by now, in the place of schema->prefix, whole
 * or not at all. 0, or -1 when that, or the output, failed.
 */
int writer_replace(struct writer *w, const struct report_summary *summary);

/*
 * All rows so far are written, and the output is the caller's again, if it was another thread's. Call before anything else is asked
 * of the writer or the output, but for more rows. 0, or -1 when the output failed.
 */
int writer_settle(struct writer *w);

/* Writes the rows that waited for the end to be ordered; *rows: how many rows were written in all. 0 or -1. */
int writer_rest(struct writer *w, uint64_t *rows);

/* Ends the report and frees the writer. The output stays open: commit or abort it. 0 or -1. */
int writer_end(struct writer *w, const struct report_summary *summary);

/* Frees without ending. NULL is fine. */
void writer_free(struct writer *w);

#endif
