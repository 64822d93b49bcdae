/* The cells of the table: numbers in units that make a column comparable, text that is safe on a terminal. */
#ifndef XENMETER_FORMATS_TABLE_CELL_H
#define XENMETER_FORMATS_TABLE_CELL_H

#include <stdbool.h>
#include <stddef.h>

#include "formats/columns.h"

#define CELL_BYTES    128
#define CELL_TEXT_MAX 20 /* characters of a name */

/* How the numbers of one column are shown. */
struct scale {
    const char *unit; /* "ms", "%"; "" for none */
    double divisor;   /* value / divisor is what is printed */
    unsigned digits;  /* after the point */
    bool is_plain;    /* an id: no thousands commas */
    bool is_free;     /* each cell of a time chooses and shows its own unit */
};

/* The scale for all values of a column in one block. */
struct scale scale_of(const struct column *column, const struct value *values, size_t n);

/* The scale for a column whose values are not known beforehand. */
struct scale scale_free(const struct column *column);

/* Writes the cell, ended by a NUL; returns its width in characters. */
size_t cell_of(char to[CELL_BYTES], const struct scale *scale, struct value v);

/* The two lines of a column's heading; the first may be empty. */
void cell_heading(char one[CELL_BYTES], char two[CELL_BYTES], const struct column *column,
                  const struct scale *scale);

/* Whether a column's cells begin at its left edge. */
bool cell_is_left(const struct column *column);

#endif
