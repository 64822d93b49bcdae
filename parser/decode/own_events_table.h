/* What own_events.c and own_events_read.c share. */
#ifndef XENMETER_PARSER_OWN_EVENTS_TABLE_H
#define XENMETER_PARSER_OWN_EVENTS_TABLE_H

#include "own_events.h"

/* A number of an event, its own or an alias. */
struct own_number {
    uint32_t id, variants;
    size_t event;
};

struct own_events {
    struct own_event events[OWN_EVENTS_MOST];
    size_t n;
    struct own_number numbers[OWN_EVENTS_MOST];
    size_t numbers_n;
};

#endif
