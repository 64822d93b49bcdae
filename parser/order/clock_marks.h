/*
 * What the clock is measured from: marks, the instants at which Xen said how long a vCPU has run.
 *
 * Marks of one pCPU whose runs follow on each other make a chain. From one mark of a chain to another the counter ran by
 * so many cycles, and Xen's clock by the sum of the payloads, of which 32 bits are known: a stretch.
 */
#ifndef XENMETER_PARSER_CLOCK_MARKS_H
#define XENMETER_PARSER_CLOCK_MARKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef CLOCK_MARKS       /* fuzz targets have few */
#define CLOCK_MARKS 16384 /* kept; more say nothing new */
#endif
#define CLOCK_WRAP_NS   4294967296.0 /* payloads are ns modulo this */
#define CLOCK_MARK_NONE UINT32_MAX

struct clock_mark {
    uint64_t tsc;
    uint32_t ns;   /* the sum of the payloads since the chain began, modulo 2^32 */
    uint32_t next; /* mark of the same chain, or CLOCK_MARK_NONE */
    bool begins;   /* a chain */
    bool within;   /* a run, which goes on */
};

struct clock_marks {
    struct clock_mark *marks; /* CLOCK_MARKS */
    uint32_t n;
};

struct stretch {
    double cycles; /* between two marks of a chain, by their stamps */
    double ns;     /* by Xen's clock, modulo CLOCK_WRAP_NS */
};

/* Appends a mark that begins a chain. Returns its index, CLOCK_MARK_NONE when there is no room. */
uint32_t clock_marks_begin(struct clock_marks *m, uint64_t tsc, bool within);

/*
 * Appends a mark to the chain whose last mark is `after`, `ns` later by Xen's clock (modulo 2^32) and no earlier by the
 * counter. Returns its index, CLOCK_MARK_NONE when there is no room.
 */
uint32_t clock_marks_append(struct clock_marks *m, uint32_t after, uint64_t tsc, uint32_t ns, bool within);

struct clock_cut {
    size_t n;      /* stretches */
    size_t chains; /* that they are of */
    double cycles; /* in sum */
};

/*
 * Cuts all chains into stretches of at least `cycles` (> 0) each, as many as there are, in `to` (room for CLOCK_MARKS). What
 * is left at a chain's end is in none. Only `within` do marks within a run count, unless a chain begins there.
 */
struct clock_cut clock_marks_cut(const struct clock_marks *m, double cycles, bool within, struct stretch *to);

/* The cycles of the longest chain, and those of all chains in `all`. */
double clock_marks_longest(const struct clock_marks *m, double *all);

#endif
