#include "own_events.h"

#include <stdlib.h>

#include "own_events_table.h"

const struct own_event *own_events_all(const struct own_events *own, size_t *n)
{
    *n = own ? own->n : 0;
    return own ? own->events : NULL;
}

const struct own_event *own_event_find(const struct own_events *own, uint32_t number)
{
    for (size_t i = 0; own && i < own->numbers_n; i++)
        if ((number & ~own->numbers[i].variants) == own->numbers[i].id)
            return &own->events[own->numbers[i].event];
    return NULL;
}

unsigned own_event_slot(const struct own_events *own, const struct own_event *event)
{
    return EVENT_SLOTS + (unsigned)(event - own->events);
}

const char *own_slot_name(const struct own_events *own, unsigned slot)
{
    return slot < EVENT_SLOTS ? event_info(slot)->name : own->events[slot - EVENT_SLOTS].name;
}

uint32_t own_slot_id(const struct own_events *own, unsigned slot)
{
    return slot < EVENT_SLOTS ? event_info(slot)->id : own->events[slot - EVENT_SLOTS].id;
}

void own_event_numbers(const struct own_events *own, const struct own_event *event,
                       void (*take)(void *context, uint32_t number), void *context)
{
    for (const struct own_number *number = own->numbers; number < own->numbers + own->numbers_n; number++) {
        uint32_t variant = number->variants;
        for (bool more = &own->events[number->event] == event; more; more = variant != number->variants) {
            take(context, number->id | variant);
            variant = (variant - 1) & number->variants; /* the next smaller subset, after none all of them */
        }
    }
}

void own_events_forget(const struct own_events *own, struct quality *q)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < q->unrecognised_kinds; i++)
        if (!own_event_find(own, q->unrecognised[i].event))
            q->unrecognised[kept++] = q->unrecognised[i];
    q->unrecognised_kinds = kept;
}

void own_events_free(struct own_events *own)
{
    free(own);
}
