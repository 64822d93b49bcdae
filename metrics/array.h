/* Arrays that grow on demand. */
#ifndef XENMETER_METRICS_ARRAY_H
#define XENMETER_METRICS_ARRAY_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Makes room for at least `wanted` elements of `size` bytes each. Returns `items`, which may have moved, and updates
 * *capacity (which at least doubles); new elements are all zero. NULL: no memory; `items` is unchanged.
 */
void *array_reserve(void *items, size_t *capacity, size_t wanted, size_t size);

/* The same for the array at `array`, which points to the pointer to the elements. */
bool array_grow(void *array, size_t *capacity, size_t wanted, size_t size);

/* Makes room as array_grow does, if there is not enough. False: no memory; the array is unchanged. */
static inline bool array_make_room(void *array, size_t *capacity, size_t wanted, size_t size)
{
    return wanted <= *capacity || array_grow(array, capacity, wanted, size);
}

/* The same, and adds what it takes to *memory; if there is none, *failed becomes true. */
static inline bool array_make_counted(void *array, size_t *capacity, size_t wanted, size_t size,
                                      size_t *memory, bool *failed)
{
    size_t before = *capacity;
    if (wanted <= before)
        return true;
    bool made = array_grow(array, capacity, wanted, size);
    *memory += (*capacity - before) * size;
    *failed |= !made;
    return made;
}

#endif
