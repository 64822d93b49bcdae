/* What the parts of the reader of results share. */
#ifndef XENMETER_ARCHIVE_RESULTS_READER_H
#define XENMETER_ARCHIVE_RESULTS_READER_H

#include "line.h"
#include "results.h"
#include "results_fields.h"

#define RESULTS_LINE_MAX (16 << 20) /* bytes of a line; a longer one is damage */

/* Memory that is used again for every interval. */
struct results_reader {
    struct row *rows;
    size_t rows_capacity;
    struct measures **measures; /* those of row number i, made on demand */
    size_t measures_n, measures_capacity;
    struct charge_idd *idds;
    struct charge_guest *guests;
    size_t idds_capacity, guests_capacity;
    size_t memory; /* of rows and measures, bytes */
    size_t memory_limit;
};

/* One call of results_read. */
struct results_reading {
    struct results_reader *reader;
    const struct meter_sink *sink;
    const char *text;
    size_t n;
    size_t begun, next; /* where the line at hand begins in the text, and where the next one does */
    struct line line;   /* what is left of the line at hand */
    uint64_t offset;    /* of the text */
    struct error *err;
};

/* Fill the error and return -1. */
int results_damaged(const struct results_reading *x, const char *what);
int results_no_memory(const struct results_reading *x);

/* What makes an interval impossible, in words, or NULL. */
const char *results_interval_wrong(const struct interval *i);

/*
 * The interval in the line is marked as late: earlier versions added such rows to intervals handed out before. Results are
 * final now: the reader passes over them.
 */
bool results_is_late(struct line *l);

/* The line at hand is {"charges": so far: reads the rest and hands it to the sink. As results_read. */
int results_read_charges(struct results_reading *x);

#endif
