/* Driver domains and their guests: pairs made on first sight, who of the guests is awake, and what they did lately. */
#include "charge_pairs.h"

#include <math.h>
#include <string.h>

#include "charging_state.h"

#define REBASE_EXPONENT 256 /* sums that forget are scaled down before they grow out of range */

/* By chance a driver domain wakes about once in a second just after another one notified somebody: so many wakes in a row, each
 * so soon after the one before, are none. */
#define CHANCE_WAKES  8
#define CHANCE_GAP_NS 200000000u

/* ---- pairs ---- */

uint32_t charging_guest(const struct charging *c, uint16_t domain)
{
    uint32_t life = domain == IDLE_DOMAIN ? NOBODY : population_life(c->population, domain);
    return life < c->incarnations_n ? life : NOBODY;
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
        if (charging_append(c, &d->awake, pair))
            p->awake_at = (uint32_t)d->awake.n - 1;
    } else if (!awake && p->awake_at != NOBODY) {
        uint32_t last = d->awake.at[--d->awake.n];
        d->awake.at[p->awake_at] = last;
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
    uint32_t pair = (uint32_t)c->pairs_n;
    if (!charging_make_space(c, &c->pairs, &c->pairs_capacity, c->pairs_n + 1, sizeof *c->pairs) ||
        !charging_append(c, &d->pairs, pair))
        return NOBODY;
    c->pairs[c->pairs_n++] = (struct pair){.idd = idd,
                                           .guest = guest_life,
                                           .notifies = NOBODY,
                                           .awake_at = NOBODY,
                                           .next_of_guest = c->incarnations[guest_life].pairs};
    c->incarnations[guest_life].pairs = pair;
    for (size_t at = d->pairs.n - 1; at > 0 && pair_before(c, pair, d->pairs.at[at - 1]); at--) {
        d->pairs.at[at] = d->pairs.at[at - 1];
        d->pairs.at[at - 1] = pair;
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

void charging_set_awaits(struct charging *c, uint32_t pair, bool awaits)
{
    struct pair *p = &c->pairs[pair];
    struct idd *d = &c->idds[p->idd];
    if (p->awaits == awaits)
        return;
    p->awaits = awaits;
    if (awaits) {
        charging_append(c, &d->awaiting, pair);
        return;
    }
    uint32_t *at = d->awaiting.at;
    while (*at != pair)
        at++;
    memmove(at, at + 1, (size_t)(d->awaiting.at + --d->awaiting.n - at) * sizeof *at);
}

/* ---- sums that forget ---- */

static void scale_down(struct pair *p, int exponent)
{
    double *sums[] = {&p->copied, &p->copied_notified, &p->charged, &p->passed_on, &p->completed};
    for (size_t i = 0; i < sizeof sums / sizeof *sums; i++)
        *sums[i] = ldexp(*sums[i], exponent);
}

double charging_scale(struct charging *c)
{
    /* marks are applied after what came with them, so that time may lie before the base */
    double exponent = (double)(int64_t)(c->now_ns - c->scale_base_ns) / 1e9;
    if (exponent > REBASE_EXPONENT) {
        for (size_t p = 0; p < c->pairs_n; p++)
            scale_down(&c->pairs[p], -(int)fmin(exponent, 4096));
        c->scale_base_ns = c->now_ns;
        exponent = 0;
    }
    return exp2(exponent);
}

/* ---- two driver domains ---- */

/* Whether driver domain `a` mapped pages of driver domain `b`. */
static bool maps(const struct charging *c, uint32_t a, uint32_t b)
{
    uint32_t pair = charging_find_pair(c, a, c->idds[b].life);
    return pair != NOBODY && c->pairs[pair].granted;
}

bool charging_serves(const struct charging *c, uint32_t a, uint32_t b)
{
    const struct incarnation *x = &c->population->incarnations[c->idds[a].life],
                             *y = &c->population->incarnations[c->idds[b].life];
    return maps(c, a, b) != maps(c, b, a) ? maps(c, a, b) : x->domain < y->domain;
}

bool charging_wakes_by_chance(struct charging *c, uint32_t a, uint32_t b)
{
    if (a == NOBODY || b == NOBODY || charging_find_pair(c, a, c->idds[b].life) != NOBODY ||
        charging_find_pair(c, b, c->idds[a].life) != NOBODY)
        return false;
    struct idd *d = &c->idds[a];
    if (d->woken != b || c->now_ns > d->woken_ns + CHANCE_GAP_NS)
        d->wakes = 0;
    d->woken = b;
    d->woken_ns = c->now_ns;
    return ++d->wakes < CHANCE_WAKES;
}
