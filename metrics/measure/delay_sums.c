#include "delay_sums.h"

#include <stdlib.h>

#include "metrics/array.h"

#define FIRST_CAPACITY 4

/* The culprit's slot, or the free one that it can have. Numbers of culprits are dense: they need no further mixing. */
static struct delay_sum *slot_of(const struct victim_sums *v, uint32_t culprit)
{
    uint32_t i = culprit & (v->capacity - 1);
    while (v->slots[i].culprit != culprit && v->slots[i].culprit != NO_CULPRIT)
        i = (i + 1) & (v->capacity - 1);
    return &v->slots[i];
}

/* At most three of four slots are taken. */
static bool grow(struct delay_sums *s, struct victim_sums *v)
{
    struct victim_sums larger = {.n = v->n, .capacity = v->capacity ? 2 * v->capacity : FIRST_CAPACITY};
    larger.slots = calloc(larger.capacity, sizeof *larger.slots);
    if (!larger.slots)
        return false;
    for (uint32_t i = 0; i < v->capacity; i++)
        if (v->slots[i].culprit != NO_CULPRIT)
            *slot_of(&larger, v->slots[i].culprit) = v->slots[i];
    s->memory += (larger.capacity - v->capacity) * sizeof *larger.slots;
    free(v->slots);
    *v = larger;
    return true;
}

static bool make_room(struct delay_sums *s, uint32_t victim)
{
    size_t before = s->victims_n;
    if (!array_make_room(&s->victims, &s->victims_n, (size_t)victim + 1, sizeof *s->victims))
        return false;
    s->memory += (s->victims_n - before) * sizeof *s->victims;
    return 4 * (uint64_t)(s->victims[victim].n + 1) <= 3 * (uint64_t)s->victims[victim].capacity ||
           grow(s, &s->victims[victim]);
}

bool delay_sums_add(struct delay_sums *s, uint32_t victim, const struct delay_sum *part)
{
    if (!make_room(s, victim))
        return false;
    struct victim_sums *v = &s->victims[victim];
    struct delay_sum *sum = slot_of(v, part->culprit);
    if (sum->culprit == NO_CULPRIT) {
        v->n++;
        s->pairs++;
        *sum = *part;
        return true;
    }
    sum->delayed_ns += part->delayed_ns;
    sum->count += part->count;
    if (part->max_ns > sum->max_ns || (part->max_ns == sum->max_ns && part->max_at_ns < sum->max_at_ns)) {
        sum->max_ns = part->max_ns;
        sum->max_at_ns = part->max_at_ns;
    }
    return true;
}

void delay_sums_forget(struct delay_sums *s, uint32_t victim)
{
    struct victim_sums *v = &s->victims[victim];
    s->memory -= v->capacity * sizeof *v->slots;
    s->pairs -= v->n;
    free(v->slots);
    *v = (struct victim_sums){0};
}

void delay_sums_free(struct delay_sums *s)
{
    for (size_t v = 0; v < s->victims_n; v++)
        free(s->victims[v].slots);
    free(s->victims);
}
