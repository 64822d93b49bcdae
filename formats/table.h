/* The parts of the table writer: what they share. */
#ifndef XENMETER_FORMATS_TABLE_H
#define XENMETER_FORMATS_TABLE_H

#include "formats/table_layout.h"
#include "formats/writer_ops.h"

struct table {
    struct writer base;
    struct table_sheet *sheets;
    struct value *grid; /* values of a block, column after column, or of a line */
    size_t grid_size;
    uint64_t shortest_ns;               /* interval of the run; 0: none, or not yet known */
    bool begun;                         /* something stands above */
    const struct table_sheet *lines_of; /* whose lines stand directly above; NULL: none */
    size_t lines;                       /* of it, since the header at their beginning */
    uint64_t lines_start_ns;            /* where the interval of the last line begins */
};

/* Adds "WHAT: degraded - because ..."; of a good verdict the caller says what it rests on. */
void table_judgement(struct table *t, const char *what, const struct judgement *j);

/* A cell in its place: padded to `to` columns; the last one of a line without trailing blanks, with a line end. */
void table_put_cell(struct buffer *b, const char *cell, size_t width, size_t to, bool left, bool last);

/* What moments are shown as. */
static inline enum time_format table_times(const struct table *t)
{
    return t->base.schema->moments ? t->base.schema->moments->format : TIMES_RELATIVE;
}

/* The line above an interval: "total  0 s - 15.062 s", "interval 2026-11-29 07:00:00.000 - 07:00:01.000 UTC". */
void table_put_title(struct table *t, const struct rows *rows);

void table_put_rule(struct table *t, size_t width);

/*
 * Rows in the stacked view: a line for each column, a column for each row, as many side by side as the terminal has room
 * for. values[c * rows + r] is column c of row r; of the rows' last one `has_sum` says whether it is that of sums.
 */
void table_put_stacked(struct table *t, const struct table_sheet *s, const struct value *values, size_t rows,
                       bool has_sum);

/* The end: which columns were left out, and whether the result can be trusted. */
void table_put_end(struct table *t, const struct report_summary *summary);

#endif
