#include <string.h>
#include <time.h>

#include "account.h"
#include "account/period.h"
#include "clock_time.h"

#define SECOND_NS INT64_C(1000000000)

/* "2026-11" or "2026-11-29": -1 if it is neither. */
static int date_of(const char *text, int *year, int *month, int *day)
{
    struct tm tm = {.tm_mday = 1};
    size_t n = strlen(text);
    const char *end = n == 7    ? strptime(text, "%Y-%m", &tm)
                      : n == 10 ? strptime(text, "%Y-%m-%d", &tm)
                                : NULL;
    if (!end || *end || tm.tm_year < 70 || tm.tm_year > 215)
        return -1;
    const int month_given = tm.tm_mon, day_given = tm.tm_mday;
    (void)timegm(&tm); /* makes 2 March of 30 February */
    if (tm.tm_mon != month_given || tm.tm_mday != day_given)
        return -1;
    *year = tm.tm_year + 1900;
    *month = tm.tm_mon + 1;
    *day = tm.tm_mday;
    return 0;
}

int account_moment(const char *option, const char *text, int64_t *utc_ns, struct error *err)
{
    struct clock_span span = {.text = text};
    int year, month, day;
    int64_t ignored;
    if (date_of(text, &year, &month, &day) == 0) {
        *utc_ns = account_day_begin(year, month, day);
        return 0;
    }
    if (clock_time_parse(&span.from, option, text, strlen(text), NULL) != 0 || !span.from.has_day ||
        clock_span_resolve(&span, false, 0, utc_ns, &ignored, NULL) != 0 || *utc_ns < 0)
        return error_set(
            err, ERROR_USAGE,
            "--%s %.60s: wants a month (2026-11), a day (2026-11-29) or a moment (2026-11-29T07:00Z)", option,
            text);
    return 0;
}
