/* A table of the screen: its rows, in order, and its columns. Values are computed when they are asked for. */
#ifndef XENMETER_SCREEN_SHEET_H
#define XENMETER_SCREEN_SHEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/table_cell.h"
#include "screen/picture.h"
#include "screen/view.h"

#define SHEET_COLUMNS 64
#define SHEET_TITLE   32

/* Whose row it is; -1: does not apply. */
struct sheet_subject {
    int32_t domain, vcpu, pcpu;
    uint32_t life;
};

/* Of VIEW_CHARGES: the rows that are no guest's, by their `domain`. */
enum { SUBJECT_OWN = -2, SUBJECT_UNATTRIBUTED = -3, SUBJECT_RAN = -4 };

struct sheet_row {
    struct sheet_subject subject;
    const void *at
        [SPANS]; /* rows of the relation; NULL: there is none. Of VIEW_CHARGES struct charge_guest, or NULL */
    struct value sort;
};

struct sheet_column {
    char title[SHEET_TITLE];     /* with the unit */
    const struct column *column; /* of the relation; NULL: a driver domain of VIEW_CHARGES, */
    int32_t idd;                 /* which is this */
    uint32_t idd_life;
    struct scale scale;
    bool is_key;
};

struct sheet_choice {
    enum view view;
    const struct view_choice *columns;
    const char *filter;           /* only rows whose domain has this in its name, or as its id; "": all */
    struct sheet_subject subject; /* only rows of this domain (-1: of all) and vCPU (-1: of all) */
    name_lookup name_of;          /* may be NULL */
    const void *names;
};

struct sheet {
    struct sheet_choice choice;
    const struct picture *picture; /* outlives it */
    struct sheet_column columns[SHEET_COLUMNS];
    size_t columns_n;
    struct sheet_row *rows;
    size_t n, capacity;
    struct delay *folded[SPANS]; /* of VIEW_BLAME: by victim domain and culprit */
    size_t folded_n[SPANS];
};

/* Fills it; what it had is replaced. All zero is empty. False: no memory; it is empty. */
bool sheet_make(struct sheet *s, const struct picture *picture, const struct sheet_choice *choice);
void sheet_free(struct sheet *s);

struct value sheet_value(const struct sheet *s, const struct sheet_row *row,
                         const struct sheet_column *column, enum span span);

/* The domain's name; NULL: none is known. */
const char *sheet_name(const struct sheet_choice *c, int32_t domain, uint32_t life);

/* Whether records are missing by which this value could be another one. */
bool sheet_is_vague(const struct sheet *s, const struct sheet_row *row, enum span span);

/* ---- parts of sheet_make ---- */

struct sheet_row *sheet_new_row(struct sheet *s);
bool sheet_make_charges(struct sheet *s);
struct value sheet_charge(const struct sheet *s, const struct sheet_row *row,
                          const struct sheet_column *column, enum span span);

#endif
