/* Arrays that grow on demand. */
#ifndef XENMETER_METRICS_ARRAY_H
#define XENMETER_METRICS_ARRAY_H

#include <stddef.h>

/*
 * Makes room for at least `wanted` elements of `size` bytes each. Returns `items`, which may have moved, and updates
 * *capacity (which at least doubles); new elements are all zero. NULL: no memory; `items` is unchanged.
 */
void *array_reserve(void *items, size_t *capacity, size_t wanted, size_t size);

#endif
