#include "own_load.h"

#include <stdlib.h>
#include <string.h>

uint32_t own_load_of(const struct own_load *loads, size_t n, int32_t domain)
{
    for (size_t i = 0; i < n; i++)
        if (loads[i].domain == domain)
            return loads[i].ppm;
    return 0;
}

bool own_load_add(struct own_load **loads, size_t *n, uint16_t domain, uint32_t ppm)
{
    size_t at = 0;
    while (at < *n && (*loads)[at].domain < domain)
        at++;
    bool taken = at < *n && (*loads)[at].domain == domain;
    struct own_load *own = taken ? NULL : realloc(*loads, (*n + 1) * sizeof *own);
    if (!own)
        return false;
    memmove(own + at + 1, own + at, (*n - at) * sizeof *own);
    own[at] = (struct own_load){domain, ppm};
    *loads = own;
    (*n)++;
    return true;
}
