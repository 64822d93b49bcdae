/* Arrays that grow on demand. */
#ifndef XENMETER_METRICS_ARRAY_H
#define XENMETER_METRICS_ARRAY_H

#include <stddef.h>

/*
 * Room for at least `wanted` elements of `size` bytes each: returns `items`, moved if need be, and updates *capacity
 * (which at least doubles); new elements are all zero. NULL when memory ran out: `items` is as it was.
 */
void *array_reserve(void *items, size_t *capacity, size_t wanted, size_t size);

#endif
