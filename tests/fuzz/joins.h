/* What the pieces of a trace say, in any grouping and order, is what the whole says: rows and charges of its intervals. */
#ifndef XENMETER_TESTS_FUZZ_JOINS_H
#define XENMETER_TESTS_FUZZ_JOINS_H

#include "archive/aggregate.h"

#define JOINS_PIECES 5

struct joins {
    uint64_t random;        /* decides where pieces end, and how they are joined */
    struct aggregate whole; /* all intervals, one after the other */
    struct aggregate pieces[JOINS_PIECES];
    size_t piece; /* the next interval goes there */
};

void joins_open(struct joins *j, uint64_t seed);
void joins_close(struct joins *j);

/* The rows, and the charges, of the next interval. */
void joins_take_rows(struct joins *j, const struct row *rows, size_t n);
void joins_take_charges(struct joins *j, const struct charge_idd *idds, size_t n);

/* At the end: joins the pieces, and aborts if they are not the whole. */
void joins_check(struct joins *j);

#endif
