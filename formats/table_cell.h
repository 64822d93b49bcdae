/* The cells of the table: numbers in one unit for each column, text that is safe on a terminal. */
#ifndef XENMETER_FORMATS_TABLE_CELL_H
#define XENMETER_FORMATS_TABLE_CELL_H

#include <stdbool.h>
#include <stddef.h>

#include "metrics/relation/relation.h"

#define CELL_TEXT_MAX  20  /* columns of a name, */
#define CELL_NAME_MIN  10  /* at least so many where there is little room */
#define CELL_WHOLE_MAX 160 /* of text that is not cut */
#define CELL_BYTES     (4 * CELL_WHOLE_MAX + 1)

/* How the numbers of one column are shown. */
struct scale {
    const char *unit;       /* "ms", "%"; "" for none */
    double divisor;         /* value / divisor is what is printed */
    unsigned digits;        /* after the point */
    bool is_plain;          /* an id: no thousands commas */
    enum time_format times; /* of UNIT_INSTANT: what the values are */
    unsigned most;          /* columns of text, above which it is cut; 0: CELL_TEXT_MAX, or CELL_WHOLE_MAX */
};

/*
 * The scale of a column in a run whose shortest interval is that long (0: it has none). It depends on nothing else, so
 * that all rows of a run are in one unit, and the first row need not wait for the last:
 *
 *   UNIT_NS       s from intervals of 10 s on, ms from 1 ms on, else us
 *   UNIT_NS_EACH  ms; where intervals are shorter than 1 ms, us
 *   UNIT_NS_COST  us
 *   UNIT_INSTANT  s, or what `times` says; of intervals with the digits of their length, others with six
 *
 * Times have three digits after the point, per cent two, rates one, counts those of the column.
 */
struct scale scale_of(const struct column *column, uint64_t shortest_ns, enum time_format times);

/* The digits after the point of a moment in s at which an interval of that length may begin. */
unsigned instant_digits(uint64_t length_ns);

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

#endif
