#include "act/host_guests.h"

#include <stdlib.h>

#include "metrics/array.h"

void host_guests_free(struct host_guests *g)
{
    free(g->at);
    *g = (struct host_guests){0};
}

struct host_guest *host_guests_add(struct host_guests *g, uint16_t domain)
{
    if (!array_make_room(&g->at, &g->capacity, g->n + 1, sizeof *g->at))
        return NULL;
    g->at[g->n] = (struct host_guest){.domain = domain};
    return &g->at[g->n++];
}

struct host_guest *host_guests_find(const struct host_guests *g, uint16_t domain)
{
    for (size_t i = 0; i < g->n; i++)
        if (g->at[i].domain == domain)
            return &g->at[i];
    return NULL;
}
