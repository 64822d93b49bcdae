/* Times of day as text. */
#ifndef XENMETER_FORMATS_TIME_TEXT_H
#define XENMETER_FORMATS_TIME_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/buffer.h"
#include "metrics/relation/moments.h"
#include "metrics/relation/relation.h"

#define TIME_TEXT 40 /* bytes of any of these texts, with the NUL */

/*
 * RFC 3339 with nanoseconds: "2026-11-29T07:00:00.000000000Z", or local time with its offset "+01:00". utc_ns: since 1970, may be
 * negative. Local time is that of the environment's TZ. Returns the length.
 */
size_t time_text(char to[TIME_TEXT], int64_t utc_ns, bool local);

/* Rounded to so many digits (0..9) of the second. */
int64_t time_rounded(int64_t utc_ns, unsigned digits);

/* Only the time of day, with `digits` (0..9) of the second, cut off, not rounded: "07:00:00.000". Returns the length. */
size_t time_of_day_text(char to[TIME_TEXT], int64_t utc_ns, bool local, unsigned digits);

/* Only the day: "2026-11-29". Returns the length. */
size_t day_text(char to[TIME_TEXT], int64_t utc_ns, bool local);

/* "UTC" "local" "tsc": what a heading says of moments in this form. */
const char *time_format_unit(enum time_format format);

/* For documents of JSON: `"start_time": ..., "end_time": ..., `, null where a moment is not known. Nothing without `moments`. */
void json_add_times(struct buffer *b, const struct moments *moments, uint64_t start_ns, uint64_t end_ns);

#endif
