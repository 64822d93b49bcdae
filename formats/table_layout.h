/* How a table lays out the columns of a relation: which it shows, how wide they are, and what stands above them. */
#ifndef XENMETER_FORMATS_TABLE_LAYOUT_H
#define XENMETER_FORMATS_TABLE_LAYOUT_H

#include "formats/table_cell.h"

/* One column as it is laid out. Widths only grow, so that the blocks of a long report line up. */
struct layout {
    const struct column *column;
    struct scale scale;
    size_t cells; /* the widest cell so far */
    size_t width; /* of cells and heading */
    size_t
        group; /* columns that share a heading from this one on; 1: it has one of its own; 0: it is in a group */
    bool absent;   /* it has had nothing but 0 to show, and is shown only on demand */
    bool left_out; /* the terminal is too narrow; it stays so in the whole run */
    bool seen;     /* it has had something else than 0 to show */
};

/* How the rows of a relation are laid out: in blocks by one subject, or in lines. */
struct table_sheet {
    const struct relation *relation;
    unsigned in_table; /* 1 << by, or TABLE_LINES */
    struct layout *layouts;
    size_t n;
    bool laid_out; /* of lines: their widths are settled */
    bool stacked;  /* columns one below the other: beside each other they are wider than the terminal */
    void *total;   /* the row of sums; NULL: none was made */
    struct table_sheet *next;
};

bool layout_is_shown(const struct table_sheet *s, const struct layout *layout);

/* Whether no shown column follows column `at`. */
bool layout_is_last(const struct table_sheet *s, size_t at);

/* The last shown column; s->n: none is shown. */
size_t layout_last(const struct table_sheet *s);

/* The width of a row. */
size_t layout_width(const struct table_sheet *s);

/* The width of a cell in lines that are written before the next is known: what usually occurs. */
size_t layout_usual_cells(const struct layout *layout, uint64_t shortest_ns);

/*
 * Decides what is shown in `width` columns of a terminal (0: no limit), by the widths of the cells: without `given`
 * columns are left out from the right until the rest fits, but not keys and those with COLUMN_KEEP, and names are cut
 * shorter; what is still too wide, and what a person chose (`given`), is stacked. Sets the width of each column.
 */
void layout_fit(struct table_sheet *s, unsigned width, bool given);

/*
 * The two lines of a column's heading: the first is empty, or that of its group where it begins one; in a group the
 * second has the unit only if units differ.
 */
void layout_heading(char one[CELL_BYTES], char two[CELL_BYTES], const struct table_sheet *s, size_t at);

/* The width of the group that begins at column `at`, or of the column. */
size_t layout_group_width(const struct table_sheet *s, size_t at);

/* The heading of a column in one line: "wait p99 ms". */
void layout_label(char to[CELL_BYTES], const struct layout *layout);

#endif
