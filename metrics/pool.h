/* Items of one size that are made on demand, given back and taken again; all are freed together. */
#ifndef XENMETER_METRICS_POOL_H
#define XENMETER_METRICS_POOL_H

#include <stddef.h>
#include <stdlib.h>

/* The first member of an item. */
struct pooled {
    struct pooled *next_free, *next_made;
};

/* All zero: there is none yet. */
struct pool {
    struct pooled *free, *made;
};

/* An item of `size` bytes: as it was given back, or new, all else zero, and counted in *memory. NULL: no memory. */
static inline void *pool_take(struct pool *p, size_t size, size_t *memory)
{
    struct pooled *item = p->free;
    if (item) {
        p->free = item->next_free;
        return item;
    }
    item = calloc(1, size);
    if (item) {
        *memory += size;
        item->next_made = p->made;
        p->made = item;
    }
    return item;
}

static inline void pool_give(struct pool *p, struct pooled *item)
{
    item->next_free = p->free;
    p->free = item;
}

/* To free all: one of those made, the caller's from now on; NULL: there is none left. */
static inline void *pool_remove(struct pool *p)
{
    struct pooled *item = p->made;
    if (item)
        p->made = item->next_made;
    return item;
}

#endif
