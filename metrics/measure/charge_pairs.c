/* Driver domains and their guests: pairs made on first sight, who of the guests is awake, and what they did lately. */
#include <math.h>
#include <stdlib.h>

#include "metrics/array.h"
#include "charging.h"

#define REBASE_EXPONENT 256 /* sums that forget are scaled down before they grow out of range */

/* ---- pairs ---- */

bool charging_append_index(struct charging *c, uint32_t **items, uint32_t *n, uint32_t *capacity,
                           uint32_t item)
{
    if (*n == *capacity) {
        uint32_t larger = *capacity ? *capacity * 2 : 8;
        uint32_t *moved = realloc(*items, larger * sizeof *moved);
        if (!moved) {
            c->failed = true;
            return false;
        }
        c->memory += (larger - *capacity) * sizeof *moved;
        *items = moved;
        *capacity = larger;
    }
    (*items)[(*n)++] = item;
    return true;
}

uint32_t charging_idd_of(const struct charging *c, uint32_t life)
{
    return life < c->incarnations_n ? c->incarnations[life].idd : NOBODY;
}

static void set_awake(struct charging *c, uint32_t idd, uint32_t pair, bool awake)
{
    struct idd *d = &c->idds[idd];
    struct pair *p = &c->pairs[pair];
    if (awake && p->awake_at == NOBODY) {
        if (charging_append_index(c, &d->awake, &d->awake_n, &d->awake_capacity, pair))
            p->awake_at = d->awake_n - 1;
    } else if (!awake && p->awake_at != NOBODY) {
        uint32_t last = d->awake[--d->awake_n];
        d->awake[p->awake_at] = last;
        c->pairs[last].awake_at = p->awake_at;
        p->awake_at = NOBODY;
    }
}

uint32_t charging_find_pair(const struct charging *c, uint32_t idd, uint32_t guest_life)
{
    uint32_t pair = guest_life < c->incarnations_n ? c->incarnations[guest_life].pairs : NOBODY;
    while (pair != NOBODY && c->pairs[pair].idd != idd)
        pair = c->pairs[pair].next_of_guest;
    return pair;
}

/* Whether pair a comes before pair b in what is handed out. */
static bool pair_before(const struct charging *c, uint32_t a, uint32_t b)
{
    const struct incarnation *x = &c->population->incarnations[c->pairs[a].guest];
    const struct incarnation *y = &c->population->incarnations[c->pairs[b].guest];
    return x->domain != y->domain ? x->domain < y->domain : x->number < y->number;
}

uint32_t charging_pair(struct charging *c, uint32_t idd, uint32_t guest_life)
{
    uint32_t found = charging_find_pair(c, idd, guest_life);
    if (found != NOBODY)
        return found;
    struct idd *d = &c->idds[idd];
    size_t capacity = c->pairs_capacity;
    struct pair *pairs = array_reserve(c->pairs, &c->pairs_capacity, c->pairs_n + 1, sizeof *pairs);
    uint32_t pair = (uint32_t)c->pairs_n;
    if (!pairs || !charging_append_index(c, &d->pairs, &d->pairs_n, &d->pairs_capacity, pair)) {
        c->failed = true;
        return NOBODY;
    }
    c->pairs = pairs;
    c->memory += (c->pairs_capacity - capacity) * sizeof *pairs;
    c->pairs[c->pairs_n++] = (struct pair){.idd = idd,
                                           .guest = guest_life,
                                           .notifies = NOBODY,
                                           .awake_at = NOBODY,
                                           .next_of_guest = c->incarnations[guest_life].pairs};
    c->incarnations[guest_life].pairs = pair;
    for (uint32_t at = d->pairs_n - 1; at > 0 && pair_before(c, pair, d->pairs[at - 1]); at--) {
        d->pairs[at] = d->pairs[at - 1];
        d->pairs[at - 1] = pair;
    }
    set_awake(c, idd, pair, c->incarnations[guest_life].awake > 0);
    return pair;
}

void charging_count_awake(struct charging *c, uint32_t life, int change)
{
    uint32_t before = c->incarnations[life].awake;
    c->incarnations[life].awake = before + (uint32_t)change;
    if (before != 0 && c->incarnations[life].awake != 0)
        return;
    for (uint32_t pair = c->incarnations[life].pairs; pair != NOBODY; pair = c->pairs[pair].next_of_guest)
        set_awake(c, c->pairs[pair].idd, pair, c->incarnations[life].awake > 0);
}

/* ---- sums that forget ---- */

double charging_scale(struct charging *c)
{
    /* marks are applied after what came with them, so that time may lie before the base */
    double exponent = (double)(int64_t)(c->now_ns - c->scale_base_ns) / 1e9;
    if (exponent > REBASE_EXPONENT) {
        for (size_t p = 0; p < c->pairs_n; p++) {
            c->pairs[p].copied = ldexp(c->pairs[p].copied, -(int)fmin(exponent, 4096));
            c->pairs[p].copied_notified = ldexp(c->pairs[p].copied_notified, -(int)fmin(exponent, 4096));
            c->pairs[p].charged = ldexp(c->pairs[p].charged, -(int)fmin(exponent, 4096));
            c->pairs[p].passed_on = ldexp(c->pairs[p].passed_on, -(int)fmin(exponent, 4096));
            c->pairs[p].completed = ldexp(c->pairs[p].completed, -(int)fmin(exponent, 4096));
        }
        c->scale_base_ns = c->now_ns;
        exponent = 0;
    }
    return exp2(exponent);
}
