/*
 * Periods of a statement: hours, days and months of a time zone, as UTC moments. A day has 23, 24 or 25 hours, as the zone's rules
 * say. All moments are ns since 1970, UTC; a period has its beginning and not its end.
 */
#ifndef XENMETER_ACCOUNT_PERIOD_H
#define XENMETER_ACCOUNT_PERIOD_H

#include <stdbool.h>
#include <stdint.h>

#include "parser/error.h"

enum account_granularity { ACCOUNT_HOUR, ACCOUNT_DAY, ACCOUNT_MONTH, ACCOUNT_TOTAL };

/* "hour" "day" "month" "total", by enum account_granularity; ended by NULL. */
extern const char *const account_granularity_names[];

struct account_period {
    int64_t begin_utc_ns, end_utc_ns; /* begin < end */
};

static inline bool account_period_has(const struct account_period *p, int64_t utc_ns)
{
    return utc_ns >= p->begin_utc_ns && utc_ns < p->end_utc_ns;
}

/*
 * Makes `zone` ("UTC", "Europe/Berlin") the zone of this process (TZ), in which all periods are from then on, and local times, too.
 * Call before any thread begins. -1 with `err` filled (ERROR_USAGE): the system's tz database has no such zone.
 */
int account_zone_set(const char *zone, struct error *err);

/*
 * The hour, day or month (not ACCOUNT_TOTAL) in which a moment lies, 0 .. ACCOUNT_UTC_MAX. Where a zone's offset changes by less than
 * an hour, the hour ends there, and another one begins.
 */
#define ACCOUNT_UTC_MAX (INT64_MAX / 2)
struct account_period account_period_of(enum account_granularity granularity, int64_t utc_ns);

/* Where that day begins in the zone; years as people count them, months and days from 1. */
int64_t account_day_begin(int year, int month, int day);

#endif
