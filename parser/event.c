#include "event.h"

#include <string.h>

static bool any(const bool *flags, size_t n)
{
    return memchr(flags, 1, n) != NULL;
}

static void add(bool *into, const bool *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        into[i] |= from[i];
}

bool event_interest_raw(const struct event_interest *i)
{
    return any(i->raw, EVENT_SLOTS);
}

bool event_interest_model(const struct event_interest *i)
{
    return i->io || any(i->model, EVENT_SLOTS) || any(i->model_without_runstates, EVENT_SLOTS);
}

void event_interest_add(struct event_interest *into, const struct event_interest *from)
{
    if (event_interest_raw(from)) {
        bool first = !event_interest_raw(into);
        into->raw_some_pcpus = from->raw_some_pcpus && (first || into->raw_some_pcpus);
        add(into->raw_pcpus, from->raw_pcpus, PCPUS_MAX);
    }
    add(into->raw, from->raw, EVENT_SLOTS);
    add(into->model, from->model, EVENT_SLOTS);
    add(into->model_without_runstates, from->model_without_runstates, EVENT_SLOTS);
    into->io |= from->io;
    into->tasks |= from->tasks;
    into->slices |= from->slices;
}
