/*
 * One record: its time, what it says, the event that it becomes.
 */
#ifndef XENMETER_PARSER_RECORD_H
#define XENMETER_PARSER_RECORD_H

#include <stdint.h>

#include "decoder.h"
#include "record_format.h"

#define LOOKAHEAD 1024 /* bytes after a record that may decide what to make of it */

/* What a record turned out to be. */
enum record_kind {
    RECORD_OK,
    RECORD_DAMAGED,  /* no record can look like this */
    RECORD_FOREIGN,  /* it belongs to quite another time */
    RECORD_IS_HEADER /* a window header inside a window */
};

/*
 * The hot loop: decodes the records of the stream's window that begin before `limit`; each lies wholly before `end`, up
 * to which bytes may be looked at, and has RECORD_MAX readable bytes. The stream has room for an event per 4 bytes, and
 * RECORD_EVENTS more. Returns where it stopped: at `limit` or after it, or at a record that is not fine (*kind).
 */
const uint8_t *records_decode(struct decoder *d, struct stream *s, const uint8_t *p, const uint8_t *limit,
                              const uint8_t *end, enum record_kind *kind);
#define RECORD_EVENTS 8

/* Appends the CPU_CHANGE record of the window being read, if it is wanted and still waits for its time, at this one. */
void record_append_window(struct stream *s, uint64_t tsc);

#endif
