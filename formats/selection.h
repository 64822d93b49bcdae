/*
 * Which rows of a relation are written, and in which order: chosen by domain and pCPU, ordered by a column, cut to N.
 * Rows of intervals are selected interval by interval (and group by group), rows that come as a stream over the whole
 * report: ordered ones wait for its end, at most N of them in memory where there is a limit.
 */
#ifndef XENMETER_FORMATS_SELECTION_H
#define XENMETER_FORMATS_SELECTION_H

#include "formats/choice.h"

/* All zero: every row, as it comes. */
struct selection_options {
    const uint8_t *domains; /* a byte for each of 65536 domain ids: only rows of these. NULL: all */
    const uint8_t *pcpus;   /* a byte for each pCPU: only rows of these. NULL: all */
    size_t limit;           /* rows of an interval, a group or a stream; 0: all */
    uint64_t memory_limit;  /* bytes that ordering may take; 0: no limit */
};

struct selection;

/* What it points to is the caller's and outlives it; `view` has the names. NULL when memory ran out. */
struct selection *selection_new(const struct shown *shown, const struct selection_options *options,
                                const struct row_view *view);
void selection_free(struct selection *s);

/*
 * Sets *out to those of the rows that are to be written now, valid until the next call. -1 with `err` filled when memory
 * ran out or its limit was reached.
 */
int selection_take(struct selection *s, const struct rows *rows, struct rows *out, struct error *err);

/* At the end: the next rows of a stream that waited. 1; 0: there are no more; -1 with `err` filled: no memory. */
int selection_rest(struct selection *s, struct rows *out, struct error *err);

#endif
