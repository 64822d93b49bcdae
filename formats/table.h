/* How the table writer lays out blocks and lines. */
#ifndef XENMETER_FORMATS_TABLE_H
#define XENMETER_FORMATS_TABLE_H

#include "formats/table_cell.h"
#include "formats/writer_ops.h"

/* One column as it is laid out. Widths only grow, so that the blocks of a long report line up. */
struct layout {
    const struct column *column;
    struct scale scale;
    size_t width;
    bool hidden;
    bool seen; /* it has had something else than 0 to show */
};

/* How the rows of a relation are laid out: in blocks by one subject, or in lines. */
struct table_sheet {
    const struct relation *relation;
    unsigned in_table; /* 1 << by, or TABLE_LINES */
    struct layout *layouts;
    size_t n;
    void *total; /* the row of sums; NULL: none was made */
    struct table_sheet *next;
};

struct table {
    struct writer base;
    struct table_sheet *sheets;
    struct value *grid; /* values of a block, column after column, or of a line */
    size_t grid_size;
    size_t dropped;                     /* most columns that did not fit */
    bool begun;                         /* something stands above */
    const struct table_sheet *lines_of; /* whose lines stand directly above; NULL: none */
    size_t lines;                       /* of it, since the header at their beginning */
};

/* Adds "WHAT: degraded - because ..."; of a good verdict the caller says what it rests on. */
void table_judgement(struct table *t, const char *what, const struct judgement *j);

#endif
