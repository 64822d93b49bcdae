#include "array.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 64

void *array_reserve(void *items, size_t *capacity, size_t wanted, size_t size)
{
    if (wanted <= *capacity)
        return items;
    size_t larger = *capacity ? *capacity : FIRST_CAPACITY;
    while (larger < wanted)
        larger *= 2;
    char *grown = larger > SIZE_MAX / size ? NULL : realloc(items, larger * size);
    if (!grown)
        return NULL;
    memset(grown + *capacity * size, 0, (larger - *capacity) * size);
    *capacity = larger;
    return grown;
}

bool array_grow(void *array, size_t *capacity, size_t wanted, size_t size)
{
    void *items;
    memcpy(&items, array, sizeof items); /* of any type: not to be aliased */
    items = array_reserve(items, capacity, wanted, size);
    if (items)
        memcpy(array, &items, sizeof items);
    return items != NULL;
}
