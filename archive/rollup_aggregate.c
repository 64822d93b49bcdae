#include "archive/rollup_aggregate.h"

#include <stdlib.h>
#include <string.h>

#include "metrics/array.h"

struct gathered_row {
    struct gathered_key key;
    struct row row;
    struct measures measures;
    size_t histograms; /* bytes that they have, as far as that is counted */
};

struct gathered_idd {
    struct gathered_key key;
    struct charge_idd idd;
};

struct gathered_guest {
    struct gathered_key key; /* the driver domain's, then the guest's */
    struct charge_guest guest;
};

/* ---- ordered lists ---- */

static int compare_keys(const struct gathered_key *a, const struct gathered_key *b)
{
    for (size_t i = 0; i < sizeof a->part / sizeof a->part[0]; i++)
        if (a->part[i] != b->part[i])
            return a->part[i] < b->part[i] ? -1 : 1;
    return 0;
}

/* Where the key is or belongs. It mostly comes right behind the last one: rows are told in this order. */
static size_t place_of(const struct gathered_list *l, const struct gathered_key *key)
{
    size_t next = l->next, low = 0, high = l->n;
    bool before_is_less = next <= l->n && (next == 0 || compare_keys(l->items[next - 1], key) < 0);
    if (before_is_less && (next == l->n || compare_keys(l->items[next], key) >= 0))
        return next;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_keys(l->items[middle], key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool make_item(struct aggregate *g, struct gathered_list *l)
{
    if (l->n < l->made)
        return true;
    struct gathered_key **items =
        array_reserve(l->items, &l->capacity, l->made + 1, sizeof(struct gathered_key *));
    if (!items)
        return false;
    l->items = items;
    l->items[l->made] = calloc(1, l->item_size);
    if (!l->items[l->made])
        return false;
    l->made++;
    g->memory += l->item_size + sizeof(struct gathered_key *);
    return true;
}

/* The item with this key; if *fresh it was put there, with all but the key left from earlier use. NULL: no memory. */
static void *item_of(struct aggregate *g, struct gathered_list *l, struct gathered_key key, bool *fresh)
{
    size_t at = place_of(l, &key);
    *fresh = at == l->n || compare_keys(l->items[at], &key) != 0;
    if (*fresh) {
        if (!make_item(g, l))
            return NULL;
        struct gathered_key *item = l->items[l->n];
        memmove(&l->items[at + 1], &l->items[at], (l->n - at) * sizeof(struct gathered_key *));
        l->items[at] = item;
        l->n++;
        *item = key;
    }
    l->next = at + 1;
    return l->items[at];
}

static void clear_list(struct gathered_list *l)
{
    l->n = l->next = 0;
}

static void free_list(struct gathered_list *l)
{
    for (size_t i = 0; i < l->made; i++)
        free(l->items[i]);
    free(l->items);
}

void gathered_init(struct aggregate *g)
{
    *g = (struct aggregate){.rows.item_size = sizeof(struct gathered_row),
                            .idds.item_size = sizeof(struct gathered_idd),
                            .guests.item_size = sizeof(struct gathered_guest)};
}

void gathered_clear(struct aggregate *g)
{
    clear_list(&g->rows);
    clear_list(&g->idds);
    clear_list(&g->guests);
    g->charged = false;
}

void gathered_free(struct aggregate *g)
{
    for (size_t i = 0; i < g->rows.made; i++)
        measures_free(&((struct gathered_row *)g->rows.items[i])->measures);
    free_list(&g->rows);
    free_list(&g->idds);
    free_list(&g->guests);
    free(g->told_rows);
    free(g->told_idds);
    free(g->told_guests);
}

/* ---- rows ---- */

static struct gathered_key key_of_row(const struct row *row)
{
    return (struct gathered_key){{row->domain, row->life, row->vcpu, row->pcpu}};
}

/* Bytes that the histograms have grown by: they keep what they have. */
static size_t new_histograms(struct gathered_row *item)
{
    const struct measures *m = &item->measures;
    size_t before = item->histograms;
    item->histograms = histogram_memory(&m->run) + histogram_memory(&m->wait) + histogram_memory(&m->block);
    return item->histograms - before;
}

static struct gathered_row *gather_row(struct aggregate *g, const struct row *row)
{
    bool fresh;
    struct gathered_row *item = item_of(g, &g->rows, key_of_row(row), &fresh);
    if (item && fresh) {
        item->row = *row;
        item->row.measures = &item->measures;
        measures_clear(&item->measures);
    }
    if (item && row->vcpus > item->row.vcpus) /* they only become more */
        item->row.vcpus = row->vcpus;
    return item;
}

struct measures *gathered_row(struct aggregate *g, const struct row *row)
{
    struct gathered_row *item = gather_row(g, row);
    return item ? &item->measures : NULL;
}

bool gathered_add_rows(struct aggregate *g, const struct row *rows, size_t n)
{
    g->rows.next = 0;
    for (size_t i = 0; i < n; i++) {
        struct gathered_row *item = gather_row(g, &rows[i]);
        if (!item || !measures_merge(&item->measures, rows[i].measures))
            return false;
        g->memory += new_histograms(item);
    }
    return true;
}

const struct row *gathered_rows(struct aggregate *g)
{
    struct row *rows = array_reserve(g->told_rows, &g->told_rows_capacity, g->rows.n + 1, sizeof *rows);
    if (!rows)
        return NULL;
    g->told_rows = rows;
    for (size_t i = 0; i < g->rows.n; i++)
        rows[i] = ((const struct gathered_row *)g->rows.items[i])->row;
    return rows;
}

/* ---- charges ---- */

static bool add_guests(struct aggregate *g, const struct charge_idd *idd)
{
    for (size_t i = 0; i < idd->guests_n; i++) {
        const struct charge_guest *from = &idd->guests[i];
        struct gathered_key key = {{idd->domain, idd->life, from->domain, from->life}};
        bool fresh;
        struct gathered_guest *item = item_of(g, &g->guests, key, &fresh);
        if (!item)
            return false;
        if (fresh)
            item->guest = *from;
        else
            charge_guest_merge(&item->guest, from);
    }
    return true;
}

bool gathered_add_charges(struct aggregate *g, const struct charge_idd *idds, size_t n)
{
    g->charged = true;
    g->idds.next = g->guests.next = 0;
    for (size_t i = 0; i < n; i++) {
        struct gathered_key key = {{idds[i].domain, idds[i].life}};
        bool fresh;
        struct gathered_idd *item = item_of(g, &g->idds, key, &fresh);
        if (!item)
            return false;
        if (fresh)
            item->idd = idds[i];
        else
            charge_idd_merge(&item->idd, &idds[i]);
        if (!add_guests(g, &idds[i]))
            return false;
    }
    return true;
}

/* All guests, one driver domain's behind the other's. */
static const struct charge_guest *tell_guests(struct aggregate *g)
{
    struct charge_guest *guests =
        array_reserve(g->told_guests, &g->told_guests_capacity, g->guests.n + 1, sizeof *guests);
    if (!guests)
        return NULL;
    g->told_guests = guests;
    for (size_t i = 0; i < g->guests.n; i++)
        guests[i] = ((const struct gathered_guest *)g->guests.items[i])->guest;
    return guests;
}

const struct charge_idd *gathered_charges(struct aggregate *g)
{
    const struct charge_guest *guests = tell_guests(g);
    struct charge_idd *idds =
        array_reserve(g->told_idds, &g->told_idds_capacity, g->idds.n + 1, sizeof *idds);
    if (idds)
        g->told_idds = idds;
    if (!guests || !idds)
        return NULL;
    size_t at = 0;
    for (size_t i = 0; i < g->idds.n; i++) {
        idds[i] = ((const struct gathered_idd *)g->idds.items[i])->idd;
        idds[i].guests = &guests[at];
        idds[i].guests_n = 0;
        for (; at < g->guests.n && g->guests.items[at]->part[0] == idds[i].domain &&
               g->guests.items[at]->part[1] == idds[i].life;
             at++)
            idds[i].guests_n++;
    }
    return idds;
}
