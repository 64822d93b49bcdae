/* Rows and charges of several intervals, added up by whom they are about. */
#ifndef XENMETER_ARCHIVE_ROLLUP_GATHER_H
#define XENMETER_ARCHIVE_ROLLUP_GATHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "metrics/meter.h"

/* Whom a sum is about. Begins every item of a list. */
struct gathered_key {
    int64_t part[4];
};

struct gathered_list {
    size_t item_size;
    struct gathered_key **items; /* [0, n) ordered; [n, made) wait to be used again */
    size_t n, made, capacity;
    size_t next; /* where the next one is likely to be: behind the last */
};

struct aggregate {
    struct gathered_list rows, idds, guests;
    size_t memory;         /* bytes held */
    bool charged;          /* charges were told, be it of nobody */
    struct row *told_rows; /* as they are handed out */
    struct charge_idd *told_idds;
    struct charge_guest *told_guests;
    size_t told_rows_capacity, told_idds_capacity, told_guests_capacity;
};

void gathered_init(struct aggregate *g);
void gathered_free(struct aggregate *g);

/* Nothing is aggregate any more; memory is kept for what comes next. */
void gathered_clear(struct aggregate *g);

/* Add to what is there. False: memory ran out. */
bool gathered_add_rows(struct aggregate *g, const struct row *rows, size_t n);
bool gathered_add_charges(struct aggregate *g, const struct charge_idd *idds, size_t n);

/* What is there of a row, all 0 if that is nothing. NULL: memory ran out. */
struct measures *gathered_row(struct aggregate *g, const struct row *row);

/* What is there, ordered as a meter orders it (g->rows.n, g->idds.n); valid until more is added. NULL: no memory. */
const struct row *gathered_rows(struct aggregate *g);
const struct charge_idd *gathered_charges(struct aggregate *g);

#endif
