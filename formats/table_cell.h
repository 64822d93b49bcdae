/* The cells of the table: numbers in units that make a column comparable, text that is safe on a terminal. */
#ifndef XENMETER_FORMATS_TABLE_CELL_H
#define XENMETER_FORMATS_TABLE_CELL_H

#include <stdbool.h>
#include <stddef.h>

#include "metrics/relation/relation.h"

#define CELL_TEXT_MAX  20  /* columns of a name */
#define CELL_WHOLE_MAX 160 /* of text that is not cut */
#define CELL_BYTES     (4 * CELL_WHOLE_MAX + 1)

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

/* The number that a value is; 0 where it is none. */
static inline double value_number(struct value v)
{
    return v.type == VALUE_INTEGER ? (double)v.integer : v.type == VALUE_DECIMAL ? v.decimal : 0;
}

/* These write a cell, ended by a NUL, and return its width in columns of a terminal. */
size_t cell_of(char to[CELL_BYTES], const struct column *column, const struct scale *scale, struct value v);
size_t cell_domain(char to[CELL_BYTES], int32_t domain, uint32_t life);

/* Cuts text to `most` columns; what is not safe on a terminal (safe_text.h) becomes '?'. */
size_t cell_text(char *to, const char *s, size_t most);

/* The two lines of a column's heading; the first may be empty. */
void cell_heading(char one[CELL_BYTES], char two[CELL_BYTES], const struct column *column,
                  const struct scale *scale);

#endif
