#include "archive/aggregate.h"

#include <stdlib.h>
#include <string.h>

#include "metrics/array.h"

struct aggregate_measures {
    struct measures measures;
    size_t histograms; /* bytes that they have, as far as that is counted */
};

struct aggregate_guest {
    int32_t idd;
    uint32_t idd_life;
    struct charge_guest guest;
};

/* ---- ordered structs ---- */

static int compare_rows(const void *a, const void *b)
{
    return row_compare(a, b);
}

static int compare_idds(const void *a, const void *b)
{
    const struct charge_idd *x = a, *y = b;
    return life_compare(x->domain, x->life, y->domain, y->life);
}

static int compare_guests(const void *a, const void *b)
{
    const struct aggregate_guest *x = a, *y = b;
    int order = life_compare(x->idd, x->idd_life, y->idd, y->idd_life);
    return order ? order : life_compare(x->guest.domain, x->guest.life, y->guest.domain, y->guest.life);
}

static int compare_at(const struct ordered *l, size_t i, const void *with)
{
    return l->compare(l->at + i * l->size, with);
}

/* Where such a struct is or belongs. It mostly comes right after the last one: rows come in this order. */
static size_t place_of(const struct ordered *l, const void *like)
{
    size_t next = l->next, low = 0, high = l->n;
    bool before_is_less = next <= l->n && (next == 0 || compare_at(l, next - 1, like) < 0);
    if (before_is_less && (next == l->n || compare_at(l, next, like) >= 0))
        return next;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_at(l, middle, like) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The struct that is equal to `like` in the order; if *fresh, `like` was put there. NULL: no memory. */
static void *element_of(struct aggregate *g, struct ordered *l, const void *like, bool *fresh)
{
    size_t at = place_of(l, like), had = l->capacity;
    *fresh = at == l->n || compare_at(l, at, like) != 0;
    if (*fresh) {
        char *elements = array_reserve(l->at, &l->capacity, l->n + 1, l->size);
        if (!elements)
            return NULL;
        l->at = elements;
        g->memory += (l->capacity - had) * l->size;
        memmove(elements + (at + 1) * l->size, elements + at * l->size, (l->n - at) * l->size);
        memcpy(elements + at * l->size, like, l->size);
        l->n++;
    }
    l->next = at + 1;
    return l->at + at * l->size;
}

void aggregate_init(struct aggregate *g)
{
    *g = (struct aggregate){.rows = {.size = sizeof(struct row), .compare = compare_rows},
                            .idds = {.size = sizeof(struct charge_idd), .compare = compare_idds},
                            .guests = {.size = sizeof(struct aggregate_guest), .compare = compare_guests}};
}

void aggregate_clear(struct aggregate *g)
{
    g->rows.n = g->idds.n = g->guests.n = 0;
    g->rows.next = g->idds.next = g->guests.next = 0;
    g->charged = false;
}

void aggregate_free(struct aggregate *g)
{
    for (size_t i = 0; i < g->measures_n; i++) {
        measures_free(&g->measures[i]->measures);
        free(g->measures[i]);
    }
    free(g->measures);
    free(g->rows.at);
    free(g->idds.at);
    free(g->guests.at);
    free(g->emitted_guests);
}

/* ---- rows ---- */

/* Bytes that the histograms have grown by: they keep what they have. */
static size_t new_histograms(struct aggregate_measures *sums)
{
    const struct measures *m = &sums->measures;
    size_t before = sums->histograms;
    sums->histograms = histogram_memory(&m->run) + histogram_memory(&m->wait) + histogram_memory(&m->block);
    return sums->histograms - before;
}

/* Measures for the next new row. */
static struct aggregate_measures *spare_measures(struct aggregate *g)
{
    if (g->rows.n < g->measures_n)
        return g->measures[g->rows.n];
    struct aggregate_measures **all = array_reserve(g->measures, &g->measures_capacity, g->measures_n + 1,
                                                    sizeof(struct aggregate_measures *));
    if (!all)
        return NULL;
    g->measures = all;
    struct aggregate_measures *spare = calloc(1, sizeof *spare);
    if (!spare)
        return NULL;
    measures_init(&spare->measures);
    g->memory += sizeof *spare;
    return all[g->measures_n++] = spare;
}

static struct aggregate_measures *sums_of(struct aggregate *g, const struct row *row)
{
    struct aggregate_measures *spare = spare_measures(g);
    bool fresh;
    struct row *sum = spare ? element_of(g, &g->rows, row, &fresh) : NULL;
    if (!sum)
        return NULL;
    if (fresh) {
        measures_clear(&spare->measures);
        sum->measures = &spare->measures;
    }
    if (row->vcpus > sum->vcpus) /* they only become more */
        sum->vcpus = row->vcpus;
    return (struct aggregate_measures *)(uintptr_t)sum->measures; /* its first member */
}

struct measures *aggregate_row(struct aggregate *g, const struct row *row)
{
    struct aggregate_measures *sums = sums_of(g, row);
    return sums ? &sums->measures : NULL;
}

size_t aggregate_filled(struct aggregate *g, struct measures *of_row)
{
    return g->memory += new_histograms((struct aggregate_measures *)of_row); /* its first member */
}

bool aggregate_add_rows(struct aggregate *g, const struct row *rows, size_t n)
{
    g->rows.next = 0;
    for (size_t i = 0; i < n; i++) {
        struct aggregate_measures *sums = sums_of(g, &rows[i]);
        if (!sums || !measures_merge(&sums->measures, rows[i].measures))
            return false;
        aggregate_filled(g, &sums->measures);
    }
    return true;
}

const struct row *aggregate_rows(const struct aggregate *g)
{
    return (const struct row *)g->rows.at;
}

/* ---- charges ---- */

static bool add_guests(struct aggregate *g, const struct charge_idd *idd)
{
    for (size_t i = 0; i < idd->guests_n; i++) {
        const struct aggregate_guest from = {idd->domain, idd->life, idd->guests[i]};
        bool fresh;
        struct aggregate_guest *sum = element_of(g, &g->guests, &from, &fresh);
        if (!sum)
            return false;
        if (!fresh)
            charge_guest_merge(&sum->guest, &from.guest);
    }
    return true;
}

bool aggregate_add_charges(struct aggregate *g, const struct charge_idd *idds, size_t n)
{
    g->charged = true;
    g->idds.next = g->guests.next = 0;
    for (size_t i = 0; i < n; i++) {
        bool fresh;
        struct charge_idd *sum = element_of(g, &g->idds, &idds[i], &fresh);
        if (!sum || !add_guests(g, &idds[i]))
            return false;
        if (!fresh)
            charge_idd_merge(sum, &idds[i]);
    }
    return true;
}

bool aggregate_charges(struct aggregate *g, const struct charge_idd **idds)
{
    const struct aggregate_guest *from = (const struct aggregate_guest *)g->guests.at;
    struct charge_guest *guests =
        array_reserve(g->emitted_guests, &g->emitted_guests_capacity, g->guests.n + 1, sizeof *guests);
    if (!guests)
        return false;
    g->emitted_guests = guests;
    struct charge_idd *sums = (struct charge_idd *)g->idds.at;
    *idds = sums;
    for (size_t i = 0, at = 0; i < g->idds.n; i++) {
        size_t begin = at;
        for (; at < g->guests.n &&
               life_compare(from[at].idd, from[at].idd_life, sums[i].domain, sums[i].life) == 0;
             at++)
            guests[at] = from[at].guest;
        sums[i].guests = guests + begin;
        sums[i].guests_n = at - begin;
    }
    return true;
}
