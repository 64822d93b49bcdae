/* Which columns of which relations a report shows, and by which column each relation's rows are ordered. */
#ifndef XENMETER_FORMATS_CHOICE_H
#define XENMETER_FORMATS_CHOICE_H

#include "metrics/relation/relation.h"
#include "parser/error.h"

/* One relation of a report, and what is shown of it. */
struct shown {
    const struct relation *relation;
    const struct column **columns; /* in the order given, else in the relation's */
    size_t n;                      /* 0: rows of this relation are not shown */
    const struct column *sort;     /* NULL: in the order in which they come */
    bool
        other_order; /* an order was asked for that only other relations have: a limit is not for these rows */
};

/* Of a whole report; all zero is of none. */
struct column_choice {
    struct shown *shown;
    size_t n;
    const char **fields; /* the names of all columns, each once, in order */
    size_t fields_n;
    bool given; /* a person chose the columns: a table then shows exactly these */
};

/*
 * Chooses of `n` relations those columns that `list` names, separated by commas; a name given twice counts once, "all"
 * is all that are not there yet, NULL: all. A relation shows those of the columns that it has. `sort` (NULL: none) is a
 * column of at least one of them. `several`: COLUMN_SEVERAL, COLUMN_TIMELINES, COLUMN_TIMES, or-ed: rows by several subjects, or of several
 * timelines will come, so each row names its own; moments are shown as more than ns, so "all" has these columns. -1 with `err` naming the unknown column, the nearest known one, and how to
 * list all. To be freed in either case.
 */
int choice_make(struct column_choice *c, const struct relation *const *relations, size_t n, const char *list,
                const char *sort, unsigned several, struct error *err);
void choice_free(struct column_choice *c);

/* For a table without `sort`: rows of intervals are in the order in which their relation's tables are (table_sort). */
void choice_sort_for_table(struct column_choice *c);

/* What is shown of the relation, or NULL. */
const struct shown *choice_find(const struct column_choice *c, const struct relation *relation);

#endif
