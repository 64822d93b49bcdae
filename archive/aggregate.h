/* Rows and charges of several intervals, added up by whom they are about. */
#ifndef XENMETER_ARCHIVE_AGGREGATE_H
#define XENMETER_ARCHIVE_AGGREGATE_H

#include <stdbool.h>
#include <stddef.h>

#include "metrics/measure/meter_options.h"

/* Structs of one type, ordered. */
struct ordered {
    size_t size;
    int (*compare)(const void *a, const void *b);
    char *at;
    size_t n, capacity;
    size_t next; /* where the next one is likely to be: after the last */
};

struct aggregate {
    struct ordered rows, idds, guests;
    struct aggregate_measures **measures; /* those of the rows, in the order in which the rows came */
    size_t measures_n, measures_capacity;
    struct charge_guest *emitted_guests;
    size_t emitted_guests_capacity;
    size_t memory; /* bytes held */
    bool charged;  /* charges were added, be it of nobody */
};

void aggregate_init(struct aggregate *g);
void aggregate_free(struct aggregate *g);

/* Drops all sums; the memory is kept for what comes next. */
void aggregate_clear(struct aggregate *g);

/* Add to the sums. False: memory ran out. */
bool aggregate_add_rows(struct aggregate *g, const struct row *rows, size_t n);
bool aggregate_add_charges(struct aggregate *g, const struct charge_idd *idds, size_t n);

/* The sums of a row, all 0 if there were none. NULL: memory ran out. */
struct measures *aggregate_row(struct aggregate *g, const struct row *row);

/* Such sums got samples: counts what these take. Returns the bytes held. */
size_t aggregate_filled(struct aggregate *g, struct measures *of_row);

/*
 * The sums, ordered as a meter orders them (g->rows.n, g->idds.n of them); valid until more is added. The charges need
 * memory: false if it ran out.
 */
const struct row *aggregate_rows(const struct aggregate *g);
bool aggregate_charges(struct aggregate *g, const struct charge_idd **idds);

#endif
