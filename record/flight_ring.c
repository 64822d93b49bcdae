#include "record/flight_ring.h"

#include <stdbool.h>

const char *const flight_bound_names[] = {"begin", "size", "age"};

static struct flight_place *place_at(struct flight_ring *r, size_t i)
{
    return &r->places[(r->first + i) % FLIGHT_PLACES];
}

static void drop_first(struct flight_ring *r)
{
    r->first = (r->first + 1) % FLIGHT_PLACES;
    r->n--;
}

static void remember(struct flight_ring *r, struct flight_place place)
{
    if (r->n == FLIGHT_PLACES)
        drop_first(r);
    *place_at(r, r->n++) = place;
}

void flight_ring_begin(struct flight_ring *r, uint64_t bytes_max, uint64_t tsc)
{
    const struct flight_place begin = {.tsc = tsc};
    r->bytes_max = bytes_max;
    r->newest = r->before = begin;
    r->bound = FLIGHT_BY_BEGIN;
    r->first = r->n = 0;
    remember(r, begin);
}

void flight_ring_began(struct flight_ring *r, uint64_t tsc)
{
    struct flight_place *first = place_at(r, 0);
    if (first->at == 0 && first->tsc == 0)
        first->tsc = tsc;
}

static uint64_t cycles_since(const struct flight_place *place, const struct flight_place *now)
{
    return now->tsc > place->tsc ? now->tsc - place->tsc : 0;
}

static bool is_due(struct flight_ring *r, const struct flight_place *place, uint64_t age_max)
{
    const struct flight_place *last = place_at(r, r->n - 1);
    return place->at - last->at >= r->bytes_max / FLIGHT_PARTS ||
           (age_max > 0 && cycles_since(last, place) >= age_max / FLIGHT_PARTS);
}

void flight_ring_sweep(struct flight_ring *r, struct flight_place place, uint64_t age_max)
{
    if (place.at <= r->newest.at)
        return;
    r->before = r->newest;
    r->newest = place;
    if (is_due(r, &place, age_max))
        remember(r, place);
    while (age_max > 0 && r->n > 1 && cycles_since(place_at(r, 1), &r->before) >= age_max) {
        drop_first(r);
        r->bound = FLIGHT_BY_AGE;
    }
    while (r->n > 0 && place.at - place_at(r, 0)->at > r->bytes_max) {
        drop_first(r);
        r->bound = FLIGHT_BY_SIZE;
    }
    if (r->n == 0)
        remember(r, place);
}

struct flight_place flight_ring_oldest(const struct flight_ring *r)
{
    return r->places[r->first];
}
