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

/* Or-ed: what becomes of a slot's records. */
enum record_action {
    RECORD_SKIP = 0,
    RECORD_DELIVER = 1,
    RECORD_SPECIAL = 2,
    RECORD_FILTERED = 4, /* alone: delivered if it tells of I/O (io_filter.h) */
    RECORD_HYPERCALL = 8 /* alone: the same, for HYPERCALL_V2, of which there are so many */
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

static inline const uint8_t *record_payload(const uint8_t *p, uint32_t header)
{
    return p + 4 + (header >> 31) * 8;
}

/* Whether an event number can be one at all: exactly one class bit. */
static inline bool event_possible(uint32_t header)
{
    uint32_t class_bits = header >> 16 & 0xfff;
    return class_bits != 0 && (class_bits & (class_bits - 1)) == 0;
}

/* record_bytes() by header >> 28: the tsc flag and the number of words. */
extern const uint8_t record_form_bytes[16];

/* What a record turned out to be. */
enum record_kind {
    RECORD_OK,
    RECORD_DAMAGED,  /* no record can look like this */
    RECORD_FOREIGN,  /* it belongs to quite another time */
    RECORD_IS_HEADER /* a window header inside a window */
};

/*
 * The hot loop: decodes the records of the current window that begin before `limit`; each lies wholly before `end`, up
 * to which bytes may be looked at. The stream has room for an event per 4 bytes. Returns where it stopped: at `limit`
 * or behind it, or at a record that is not fine (*kind).
 */
const uint8_t *records_decode(struct decoder *d, const uint8_t *p, const uint8_t *limit, const uint8_t *end,
                              enum record_kind *kind);

/* The same for the one record at p, which may end at `end`, or be cut by it (RECORD_DAMAGED). */
const uint8_t *record_decode_near_end(struct decoder *d, const uint8_t *p, const uint8_t *end,
                                      enum record_kind *kind);

/*
 * Both for somebody who wants records as they stand (decoder_want_raw): the same, and one record, whole, with RECORD_MAX
 * readable bytes at p; `behind` .. `end`: the bytes of the trace after it.
 */
const uint8_t *records_decode_raw(struct decoder *d, const uint8_t *p, const uint8_t *limit,
                                  const uint8_t *end, enum record_kind *kind);
void records_take_raw(struct decoder *d, const uint8_t *p, const uint8_t *behind, const uint8_t *end,
                      enum record_kind *kind);

/* For the same: the window whose records [p, end) are seen now begins, of `bytes`. The stream has room for 4 events. */
void records_window_raw(struct decoder *d, uint32_t bytes, const uint8_t *p, const uint8_t *end);

/*
 * Whether a record of no known event is none: its number cannot be one, and it does not lie between good ones all the same,
 * so that its length fits.
 */
bool record_is_damage(uint32_t header, const uint8_t *behind, const uint8_t *end);

/* Counts a record of no known event. */
void record_note_unrecognised(struct decoder *d, uint32_t header);

/* Counts what a LOST_RECORDS record with this payload tells of. */
void record_note_lost(struct decoder *d, struct stream *s, const uint8_t *payload);

/*
 * The input was cut off in the middle of a sweep: what the pCPUs whose windows were still to come did since their last
 * record is not known. Says so as lost records do.
 */
bool records_cut_off(struct decoder *d);

/* A window begins with these records: the first tsc of a window is its lowest, and may be where the trace begins. */
void records_note_beginning(struct decoder *d, const uint8_t *p, const uint8_t *end);

#endif
