/* Rows by one kind of subject that own their measures: copied from a meter's, and added up over several seconds. */
#ifndef XENMETER_SCREEN_ROW_SET_H
#define XENMETER_SCREEN_ROW_SET_H

#include <stdbool.h>
#include <stddef.h>

#include "metrics/measure/row.h"

/* In the order of row_compare, each subject once. All zero is empty. */
struct row_set {
    struct row *rows; /* rows[i].measures is &measures[i] */
    struct measures *measures;
    size_t n;
};

/* Copies n rows, which are in order, into an empty set. False: no memory; the set is empty. */
bool row_set_copy(struct row_set *set, const struct row *rows, size_t n);

/* Adds the rows of `from`. False: no memory; the set can only be freed then. */
bool row_set_add(struct row_set *set, const struct row_set *from);

/* The row of that subject; NULL: there is none. */
const struct row *row_set_find(const struct row_set *set, const struct row *subject);

/* Back to empty. */
void row_set_free(struct row_set *set);

/* Bytes of heap held. */
size_t row_set_memory(const struct row_set *set);

#endif
