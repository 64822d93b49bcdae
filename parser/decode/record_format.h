/*
 * How a record is laid out: a u32 header (event 0-27, extra words 28-30, tsc flag 31), two words of tsc if flagged, and the
 * extra words (Xen public/trace.h).
 */
#ifndef XENMETER_PARSER_RECORD_FORMAT_H
#define XENMETER_PARSER_RECORD_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define WINDOW_HEADER 0x2001f003u /* CPU_CHANGE with two words and no tsc, which only xentrace writes */
#define RECORD_MAX    40          /* bytes: header, tsc, 7 words */

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
    size_t words = header >> 28; /* with the tsc flag: as if that were 8 words, and not 2 */
    return 4 + words * 4 - (size_t)((0u - (header >> 31)) & 24);
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

#endif
