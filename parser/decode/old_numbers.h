/*
 * Numbers that meant another event in Xen 4.0 to 4.2: power states, and the records of credit2, which had the numbers of
 * credit's (EVENT_OLD in events.def).
 *
 * The decoder counts and queues a record as the event that has its number today. Which one it is follows from its words
 * and from the rest of the trace, and is decided when it is delivered, by all that was read until then, and for the counts
 * at the end. Records of one kind of host outweigh few of the other kind: these are damage.
 */
#ifndef XENMETER_PARSER_OLD_NUMBERS_H
#define XENMETER_PARSER_OLD_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parser/event.h"
#include "parser/quality.h"

/* The traits (enum trace_trait) that follow from the counts of records. */
unsigned old_numbers_traits(const struct quality *q);

/*
 * Whether the words of a CREDIT_ACCOUNT_STOP {dom, vcpu, active_vcpus} can only be those of credit2's
 * {dom:u16 vcpu:u16} credit delta: there is no such domain or vCPU.
 */
bool old_number_is_burn(uint32_t first, uint32_t second, uint32_t third);

/* Asks for what events had for numbers in the past, too. True if that is more. */
bool old_numbers_widen(struct event_interest *interest);

/*
 * Gives events of a trace with these traits the slots that they had then; those that `interest` (not widened) does not ask
 * for lose their flags.
 */
void old_numbers_rename(struct event *events, size_t n, const struct event_interest *interest,
                        unsigned traits);

/* The same of counts: the records of a trace are counted as what they were then. */
void old_numbers_count(struct quality *q);

/*
 * The versions ("4.0-4.1") that wrote the records of old numbers that were counted, by the events of `q` that are not
 * renamed yet: *slot is the event. Begins with *row = 0; NULL: there are no more.
 */
const char *old_numbers_since(const struct quality *q, size_t *row, unsigned *slot);

/* For event_fields: the events whose records may be another one's where TRAIT_CREDIT_UNSURE is, and which. */
unsigned old_number_alternative(unsigned slot, unsigned words);

#endif
