#include <stdio.h>
#include <string.h>
#include <time.h>

#include "account.h"
#include "account/period.h"
#include "clock_time.h"

#define YEAR_LEAST 1970
#define YEAR_MOST  2115

/* Whether the text begins like a date. */
static bool is_date(const char *text, int *year, int *month, int *day)
{
    char digits[] = "0000-00-00";
    size_t n = strspn(text, "0123456789-");
    *day = 1;
    if (n != 7 && n != 10)
        return false;
    for (size_t i = 0; i < n; i++)
        if ((digits[i] == '-') != (text[i] == '-'))
            return false;
    snprintf(digits, sizeof digits, "%.*s", (int)n, text);
    return sscanf(digits, n == 7 ? "%4d-%2d" : "%4d-%2d-%2d", year, month, day) >= 2;
}

/* Whether there is such a day, also in leap years. */
static bool day_exists(int year, int month, int day)
{
    struct tm tm = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day};
    (void)timegm(&tm); /* makes 2 March of 30 February */
    return tm.tm_mon == month - 1 && tm.tm_mday == day;
}

int account_moment(const char *what, const char *text, int64_t *utc_ns, struct error *err)
{
    struct clock_span span = {.text = text};
    int year, month, day;
    int64_t ignored;
    bool date = is_date(text, &year, &month, &day);
    if (date && (year < YEAR_LEAST || year > YEAR_MOST))
        return error_set(err, ERROR_USAGE, "%s %.60s: is not in a year from %d to %d", what, text, YEAR_LEAST,
                         YEAR_MOST);
    if (date && !day_exists(year, month, day))
        return error_set(err, ERROR_USAGE, "%s %.60s: there is no such %s", what, text,
                         strlen(text) == 7 ? "month" : "day");
    if (date && strspn(text, "0123456789-") == strlen(text)) {
        *utc_ns = account_day_begin(year, month, day);
        return 0;
    }
    if (clock_time_parse(&span.from, what, text, strlen(text), NULL) != 0 || !span.from.has_day ||
        clock_span_resolve(&span, false, 0, utc_ns, &ignored, NULL) != 0 || *utc_ns < 0)
        return error_set(
            err, ERROR_USAGE,
            "%s %.60s: wants a month (2026-11), a day (2026-11-29) or a moment (2026-11-29T07:00Z)", what,
            text);
    return 0;
}
