/*
 * Window headers that are searched for: in damaged files, and where a capture was cut in a record and another one joined on, so
 * that the record took the other one's first header for its words.
 */
#ifndef XENMETER_PARSER_WINDOW_HEADER_H
#define XENMETER_PARSER_WINDOW_HEADER_H

#include <stdbool.h>
#include <stdint.h>

#include "record_format.h"

#define WINDOW_HEADER_LEN    12
#define WINDOW_PROOF_RECORDS 8 /* records that must make sense after a header found by search */
#define WINDOW_PROOF_BYTES   (WINDOW_HEADER_LEN + WINDOW_PROOF_RECORDS * RECORD_MAX)

/* Whether a window header at p makes sense; `prove`: and the records after it. Looks no further than `end`. */
bool window_header_plausible(const uint8_t *p, const uint8_t *end, bool prove);

/* The first window header that begins in [from, to), and records after it, up to `end`, make sense. NULL: there is none. */
const uint8_t *window_header_within(const uint8_t *from, const uint8_t *to, const uint8_t *end);

#endif
