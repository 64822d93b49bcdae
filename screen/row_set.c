#include "screen/row_set.h"

#include <stdlib.h>
#include <string.h>

static bool make_room(struct row_set *set, size_t n)
{
    *set = (struct row_set){.rows = calloc(n + 1, sizeof *set->rows),
                            .measures = calloc(n + 1, sizeof *set->measures)};
    if (set->rows && set->measures)
        return true;
    row_set_free(set);
    return false;
}

/* The next row, whose measures are moved: *from must not be freed any more. */
static void move(struct row_set *set, const struct row *row, const struct measures *from)
{
    set->measures[set->n] = *from;
    set->rows[set->n] = *row;
    set->rows[set->n].measures = &set->measures[set->n];
    set->n++;
}

static bool copy(struct row_set *set, const struct row *row)
{
    struct measures m;
    measures_init(&m);
    bool copied = measures_merge(&m, row->measures);
    move(set, row, &m);
    return copied;
}

bool row_set_copy(struct row_set *set, const struct row *rows, size_t n)
{
    if (!make_room(set, n))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!copy(set, &rows[i])) {
            row_set_free(set);
            return false;
        }
    return true;
}

/* Both are in order: so is their sum. */
static bool merge(struct row_set *sum, const struct row_set *a, const struct row_set *b)
{
    bool fine = true;
    size_t i = 0, j = 0;
    while (i < a->n || j < b->n) {
        int order = i == a->n ? 1 : j == b->n ? -1 : row_compare(&a->rows[i], &b->rows[j]);
        if (order > 0) {
            fine = copy(sum, &b->rows[j++]) && fine;
            continue;
        }
        move(sum, &a->rows[i], &a->measures[i]);
        i++;
        if (order == 0) {
            struct row *row = &sum->rows[sum->n - 1];
            row->vcpus = row->vcpus > b->rows[j].vcpus ? row->vcpus : b->rows[j].vcpus;
            fine = measures_merge(&sum->measures[sum->n - 1], &b->measures[j++]) && fine;
        }
    }
    return fine;
}

bool row_set_add(struct row_set *set, const struct row_set *from)
{
    struct row_set sum;
    if (!make_room(&sum, set->n + from->n))
        return false;
    bool fine = merge(&sum, set, from);
    free(set->rows);
    free(set->measures);
    *set = sum;
    return fine;
}

static int compare(const void *a, const void *b)
{
    return row_compare(a, b);
}

const struct row *row_set_find(const struct row_set *set, const struct row *subject)
{
    return set->n ? bsearch(subject, set->rows, set->n, sizeof *set->rows, compare) : NULL;
}

void row_set_free(struct row_set *set)
{
    for (size_t i = 0; i < set->n; i++)
        measures_free(&set->measures[i]);
    free(set->rows);
    free(set->measures);
    *set = (struct row_set){.n = 0};
}

size_t row_set_memory(const struct row_set *set)
{
    size_t bytes = (set->n + 1) * (sizeof *set->rows + sizeof *set->measures);
    for (size_t i = 0; i < set->n; i++) {
        const struct measures *m = &set->measures[i];
        bytes += histogram_memory(&m->run) + histogram_memory(&m->wait) + histogram_memory(&m->block);
    }
    return bytes;
}
