/* A sink for results that writes everything down again, and keeps the last of each. */
#ifndef XENMETER_TESTS_UNIT_RESULTS_COPY_H
#define XENMETER_TESTS_UNIT_RESULTS_COPY_H

#include "archive/results.h"
#include "check.h"

struct copy {
    struct buffer text;
    struct interval interval;
    struct row row;
    struct measures measures; /* of that row */
    struct execution execution;
    struct before_seen before_seen;
    struct charge_idd idd;
    struct charge_guest guests[4]; /* of that driver domain */
    size_t intervals, rows, executions, charges;
    int answer; /* what the sink returns */
};

void copy_init(struct copy *c);
void copy_free(struct copy *c);
struct meter_sink copy_sink(struct copy *c);

/* Reads into a copy by a reader of its own, as if from byte 1000 on: results_read. */
int copy_read(struct copy *c, const char *text, size_t n, struct error *err);

/* Reads the text to a new copy, where it is written again: the same. */
#define COMES_BACK(c, text) check_comes_back(c, text, __FILE__, __LINE__)
void check_comes_back(struct copy *c, const struct buffer *text, const char *file, unsigned line);

/* The whole trace: an interval with two rows, charges, an execution. 1 + 2 + 1 + 1 lines. */
void put_one_of_each(struct buffer *b);

#endif
