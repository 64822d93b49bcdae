/*
 * Which records tell of I/O between domains: of the many hypercalls only those that copy between domains, notify
 * another domain or switch the kernel's task, and of the many wakes only those that a notification caused.
 *
 * A notification is an event-channel operation: the hypercall's record comes first, and if the target was asleep its
 * WAKE is the very next record of that pCPU (xen/common/event_channel.c wakes before the hypercall returns).
 */
#ifndef XENMETER_PARSER_IO_FILTER_H
#define XENMETER_PARSER_IO_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "event_table.h"

/* Hypercall numbers (Xen public/xen.h) and sub-operations. */
#define HYPERCALL_STACK_SWITCH     3  /* the kernel of a PV guest switches to another task */
#define HYPERCALL_GRANT_TABLE_OP   20 /* */
#define HYPERCALL_EVENT_CHANNEL_OP 32 /* send is by far the most frequent one */
#define GNTTABOP_COPY              5

/* The hypercall a record of these slots tells of; UINT32_MAX: not one of them, or its number is not in the record. */
uint32_t record_hypercall(unsigned slot, const uint8_t *payload, unsigned words);

/*
 * Whether a record of a filtered slot (io_filtered) is one to deliver. `sent`: the record before it on its pCPU was an
 * event-channel operation (record_sends).
 */
bool record_tells_of_io(unsigned slot, const uint8_t *payload, unsigned words, bool sent);

/* Whether the record is an event-channel operation. `record`: its first byte; it lies wholly in memory. */
bool record_sends(const uint8_t *record);

/* The slots of which only some records tell of I/O, and those of which all do; both end with EVENT_UNRECOGNISED. */
extern const unsigned io_filtered_slots[];
extern const unsigned io_slots[];

#endif
