/*
 * One record: its header, its time, what becomes of it. A record is a u32 header (event 0-27, extra words 28-30, tsc
 * flag 31), two words of tsc if flagged, and the extra words (Xen public/trace.h).
 */
#ifndef XENMETER_PARSER_RECORD_H
#define XENMETER_PARSER_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "window.h"

#define WINDOW_HEADER 0x2001f003u /* CPU_CHANGE with two words and no tsc, which only xentrace writes */
#define RECORD_MAX    40          /* bytes: header, tsc, 7 words */
#define LOOKAHEAD     1024        /* bytes after a record that may decide what to make of it */

/* Or-ed, beside enum event_flag: what becomes of a slot's records. */
enum record_action {
    RECORD_LEARN = 8,      /* it says something about other records */
    RECORD_SWITCH = 16,    /* the same, for SWITCH_INFPREV and _INFNEXT, about runstate changes */
    RECORD_FILTERED = 32,  /* the model wants it if it is of I/O (io_filter.h) */
    RECORD_HYPERCALL = 64, /* the same, for HYPERCALL_V2, of which there are so many */
    RECORD_WHO = 128       /* with another action: it says who is current, perhaps on a sibling: EVENT_WHO */
};

static inline uint32_t load32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, 4);
    return v;
}

static inline uint64_t load64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
    return v;
}

static inline size_t record_bytes(uint32_t header)
{
    return 4 + (header >> 31) * 8 + (header >> 28 & 7) * 4;
}

/* The runstates in the event number of a RUNSTATE_CHANGE. */
#define XEN_RUNNING 0

static inline unsigned runstate_old(uint32_t header)
{
    return header >> 8 & 3;
}

static inline unsigned runstate_new(uint32_t header)
{
    return header >> 4 & 3;
}

/* Whether an event number can be one at all: exactly one class bit. */
static inline bool event_possible(uint32_t header)
{
    uint32_t class_bits = header >> 16 & 0xfff;
    return class_bits != 0 && (class_bits & (class_bits - 1)) == 0;
}

/* What a record turned out to be. */
enum record_kind {
    RECORD_OK,
    RECORD_DAMAGED,  /* no record can look like this */
    RECORD_FOREIGN,  /* it belongs to quite another time */
    RECORD_IS_HEADER /* a window header inside a window */
};

/* Sets what becomes of each slot's records, by what is wanted now. */
void record_set_actions(struct decoder *d);

/* Only `measures_clock` has changed since. */
void record_set_clock_actions(struct decoder *d);

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
