/* Times of day on the command line: "07:00", "07:00:30.5", "2026-11-29T07:00Z". */
#ifndef XENMETER_CMD_CLOCK_TIME_H
#define XENMETER_CMD_CLOCK_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parser/error.h"

struct clock_time {
    bool given;
    bool has_day;         /* else year, month and day are 0 */
    bool utc;             /* with a Z; else as local times are */
    int year, month, day; /* as people count: from 1 */
    int hour, minute;
    int64_t second_ns; /* of the minute */
};

/* Part of a trace, from and to times of day; both may be given or not. */
struct clock_span {
    struct clock_time from, to;
    const char *option, *text; /* as they were given, for messages; option NULL: --time */
};

static inline bool clock_span_given(const struct clock_span *s)
{
    return s->from.given || s->to.given;
}

/* The option that messages about it name: "--time". */
static inline const char *clock_span_option(const struct clock_span *s)
{
    return s->option ? s->option : "--time";
}

/* Reads n characters of this option ("--time"). -1 with `err` filled. */
int clock_time_parse(struct clock_time *t, const char *option, const char *text, size_t n, struct error *err);

/*
 * The moments that are meant, ns since 1970, where the trace begins at begin_utc_ns. Times without a day are on the day on which the
 * trace begins, or on the day after: `to` where it would not be after `from`; both where `to` would not be after the
 * beginning, or, without `to`, where `from` would be 12 hours or more before it. `utc`: times without a Z are UTC, too. What
 * is not given is not set. -1 with `err` filled: nothing lies between, or there is no such day.
 */
int clock_span_resolve(const struct clock_span *s, bool utc, int64_t begin_utc_ns, int64_t *from_utc_ns,
                       int64_t *to_utc_ns, struct error *err);

#endif
