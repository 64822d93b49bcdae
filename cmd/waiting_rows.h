/*
 * Rows that wait until they may be written: an error that turns out later, such as a rule about a domain that never appears,
 * then leaves nothing half-written.
 */
#ifndef XENMETER_CMD_WAITING_ROWS_H
#define XENMETER_CMD_WAITING_ROWS_H

#include "reading.h"

struct waiting_interval;

/* All zero, but for `relation`: none wait. */
struct waiting_rows {
    const struct relation *relation;
    struct waiting_interval *intervals;
    void *rows; /* of these intervals */
    size_t intervals_n, intervals_capacity, rows_n, rows_capacity;
};

/*
 * Keeps the rows of an interval. 0; -1 by reading_fail: no memory, or more than the memory limit (--max-memory) because the
 * domain at `where` has not appeared.
 */
int waiting_rows_keep(struct waiting_rows *w, struct reading *r, const struct interval *interval,
                      const void *rows, size_t n, const char *where);

/* Writes what waits, in its order; nothing waits then. 0, or -1 as reading_write. */
int waiting_rows_write(struct waiting_rows *w, struct reading *r);

void waiting_rows_free(struct waiting_rows *w);

#endif
