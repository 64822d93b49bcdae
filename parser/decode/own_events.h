/*
 * A user's own events: rows EVENT and EVENT_ALIAS in the syntax of events.def, read from a text. They name event numbers
 * that the built-in table does not have. Decoding knows nothing of them: who shows a record that is EVENT_UNRECOGNISED
 * looks its number up.
 */
#ifndef XENMETER_PARSER_OWN_EVENTS_H
#define XENMETER_PARSER_OWN_EVENTS_H

#include <stddef.h>
#include <stdint.h>

#include "event_fields.h"
#include "parser/error.h"
#include "parser/quality.h"

#define OWN_NAME_MOST   40
#define OWN_EVENTS_MOST 256

struct own_event {
    char slot[OWN_NAME_MOST + 1]; /* what EVENT_ALIAS calls it */
    char name[OWN_NAME_MOST + 1];
    uint32_t id, variants; /* as in struct event_info */
    enum event_class class_id;
    const struct field_list *lists[RECORD_WORDS_MAX + 1]; /* by payload words; never NULL */
};

struct own_events;

/*
 * Reads n bytes of text. NULL with `err` filled, "line N: ..." : a row that cannot be read, a number or name that is
 * taken, no memory. The lists of fields stay registered (event_fields_list), with their layouts, for the life of the process.
 */
struct own_events *own_events_read(const char *text, size_t n, struct error *err);
void own_events_free(struct own_events *own);

/* All of them, in the order of the text; *n: how many. NULL is allowed, and has none. */
const struct own_event *own_events_all(const struct own_events *own, size_t *n);

/* The event of that number; NULL: none. `own` may be NULL. */
const struct own_event *own_event_find(const struct own_events *own, uint32_t number);

/*
 * Slots of records that are shown: EVENT_SLOTS + index of own events. The name, class and number of any such slot.
 * `own` may be NULL where no slot is of it.
 */
unsigned own_event_slot(const struct own_events *own, const struct own_event *event);
const char *own_slot_name(const struct own_events *own, unsigned slot);
uint32_t own_slot_id(const struct own_events *own, unsigned slot);

/* The records of own events are no longer unrecognised in these counts. `own` may be NULL. */
void own_events_forget(const struct own_events *own, struct quality *q);

/* Calls `take` for each number of an event, aliases included. */
void own_event_numbers(const struct own_events *own, const struct own_event *event,
                       void (*take)(void *context, uint32_t number), void *context);

#endif
