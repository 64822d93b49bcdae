/*
 * The records that a dump writes: reads --events and --vcpus, and makes the filter of metrics/measure/dump.h from all
 * options.
 */
#ifndef XENMETER_CMD_DUMP_FILTER_H
#define XENMETER_CMD_DUMP_FILTER_H

#include "cli.h"
#include "metrics/measure/dump.h"

struct dump_choice {
    bool want[EVENT_SLOTS];
    uint8_t by_number[EVENT_SLOTS]; /* enum dump_by_number */
    uint32_t *numbers;              /* ascending */
    size_t numbers_n;
    const struct own_events *own; /* a user's own; NULL: none */
    struct vcpu_range *vcpus;
    size_t vcpus_n;
};

/* Reads the options; `own`, which outlives the choice: a user's own events, NULL: none. 0, or -1 with `err` filled: what is wrong and what is expected. Free in both cases. */
int dump_choice_read(struct dump_choice *c, const struct options *o, const struct own_events *own,
                     struct error *err);
void dump_choice_free(struct dump_choice *c);

/* The filter of these options; points into both. */
struct dump_filter dump_filter_of(const struct dump_choice *c, const struct options *o);

/* The slot (own_event_slot) of the only event that is chosen; DUMP_SEVERAL_EVENTS: there are several. */
unsigned dump_choice_only(const struct dump_choice *c);

/* Prints the events that --events accepts, a line each: "  NAME  CLASS  NUMBER". */
void dump_print_events(const struct own_events *own);

#endif
