#include "sharing.h"

#include <stdlib.h>

#include "decimal.h"

const char *const share_by_names[] = {"none", "even", "used", "reserved", NULL};
const char *const share_basis_names[] = {"used", "reserved", "max", NULL};

/* False: above 2^63. */
static bool add(uint64_t *sum, uint64_t ns)
{
    return !__builtin_add_overflow(*sum, ns, sum) && *sum <= INT64_MAX;
}

bool share_capacity(const struct host_share *h, const struct guest_share *guests, size_t n,
                    uint64_t *capacity_ns)
{
    bool fits = true;
    *capacity_ns = 0;
    for (size_t i = 0; i < n; i++)
        fits = fits && add(capacity_ns, guests[i].used_ns) && add(capacity_ns, guests[i].charged_ns);
    return fits && add(capacity_ns, h->own_ns) && add(capacity_ns, h->unattributed_ns) &&
           add(capacity_ns, h->idle_ns) && add(capacity_ns, h->unknown_ns);
}

static uint64_t weight(const struct guest_share *g, enum share_by by)
{
    switch (by) {
    case SHARE_EVEN:
        return g->existed_ns;
    case SHARE_USED:
        return g->used_ns + g->charged_ns;
    case SHARE_RESERVED:
        return g->reserved_ns;
    case SHARE_NONE:
        break;
    }
    return 0;
}

/* Room for a number of each guest, twice. */
struct scratch {
    uint64_t *weights, *parts;
    bool failed;
};

/* ---- what guests take by themselves ---- */

/* Idle time goes to those who reserved more than they used, as far as it lasts. Returns what is left of it. */
static uint64_t take_larger(struct guest_share *guests, size_t n, uint64_t idle_ns, struct scratch *s)
{
    uint64_t claimed = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t used = guests[i].used_ns + guests[i].charged_ns;
        s->weights[i] = guests[i].reserved_ns > used ? guests[i].reserved_ns - used : 0;
        claimed += s->weights[i];
    }
    uint64_t taken = divide_ns(s->parts, claimed < idle_ns ? claimed : idle_ns, s->weights, n, &s->failed);
    for (size_t i = 0; i < n; i++)
        guests[i].base_ns = guests[i].used_ns + guests[i].charged_ns + s->parts[i];
    return idle_ns - taken;
}

/* All that was used and idle goes by what was reserved, as far as it lasts. Without any reservation: by what was used. */
static uint64_t take_reserved(struct guest_share *guests, size_t n, uint64_t idle_ns, struct scratch *s)
{
    uint64_t reserved = 0, pool = idle_ns;
    for (size_t i = 0; i < n; i++) {
        pool += guests[i].used_ns + guests[i].charged_ns;
        reserved += s->weights[i] = guests[i].reserved_ns;
    }
    if (reserved == 0)
        return take_larger(guests, n, idle_ns, s);
    uint64_t taken = divide_ns(s->parts, reserved < pool ? reserved : pool, s->weights, n, &s->failed);
    for (size_t i = 0; i < n; i++)
        guests[i].base_ns = s->parts[i];
    return pool - taken;
}

static uint64_t take_used(struct guest_share *guests, size_t n, uint64_t idle_ns)
{
    for (size_t i = 0; i < n; i++)
        guests[i].base_ns = guests[i].used_ns + guests[i].charged_ns;
    return idle_ns;
}

/* ---- shares ---- */

/* The parts are in s->parts, zero where it is not shared. Returns what is left. */
static uint64_t divide(const struct guest_share *guests, size_t n, enum share_by by, uint64_t ns,
                       struct scratch *s)
{
    for (size_t i = 0; i < n; i++)
        s->weights[i] = weight(&guests[i], by);
    return ns - divide_ns(s->parts, ns, s->weights, n, &s->failed);
}

static void share(const struct sharing *how, struct host_share *h, struct guest_share *guests, size_t n,
                  struct scratch *s)
{
    h->left_idle_ns = how->basis == BASIS_USED       ? take_used(guests, n, h->idle_ns)
                      : how->basis == BASIS_RESERVED ? take_reserved(guests, n, h->idle_ns, s)
                                                     : take_larger(guests, n, h->idle_ns, s);
    h->left_own_ns = divide(guests, n, how->overhead, h->own_ns, s);
    for (size_t i = 0; i < n; i++)
        guests[i].overhead_ns = s->parts[i];
    h->left_unattributed_ns = divide(guests, n, how->overhead, h->unattributed_ns, s);
    for (size_t i = 0; i < n; i++)
        guests[i].overhead_ns += s->parts[i];
    h->left_idle_ns = divide(guests, n, how->idle, h->left_idle_ns, s);
    for (size_t i = 0; i < n; i++)
        guests[i].idle_ns = s->parts[i];
}

int share_host(const struct sharing *how, struct host_share *h, struct guest_share *guests, size_t n)
{
    uint64_t *room = calloc(2 * n + 1, sizeof *room);
    if (!room)
        return -1;
    struct scratch s = {.weights = room, .parts = room + n, .failed = false};
    share(how, h, guests, n, &s);
    free(room);
    return s.failed ? -1 : 0;
}
