#include "clock_time.h"

#include <ctype.h>
#include <string.h>
#include <time.h>

#define SECOND_NS INT64_C(1000000000)
#define HALF_DAY  (12 * 3600 * SECOND_NS)

/* ---- reading ---- */

/* A number of so many digits, at most `most`. */
static bool take_digits(const char **at, const char *end, int digits, int least, int most, int *n)
{
    *n = 0;
    for (; digits > 0; digits--, (*at)++) {
        if (*at == end || !isdigit((unsigned char)**at))
            return false;
        *n = 10 * *n + (**at - '0');
    }
    return *n >= least && *n <= most;
}

static bool take_char(const char **at, const char *end, const char *chars)
{
    bool fine = *at < end && strchr(chars, **at);
    *at += fine;
    return fine;
}

static bool take_day(struct clock_time *t, const char **at, const char *end)
{
    t->has_day = end - *at > 10 && (*at)[4] == '-';
    return !t->has_day || (take_digits(at, end, 4, 1970, 2115, &t->year) && take_char(at, end, "-") &&
                           take_digits(at, end, 2, 1, 12, &t->month) && take_char(at, end, "-") &&
                           take_digits(at, end, 2, 1, 31, &t->day) && take_char(at, end, "T "));
}

/* ":30", ":30.25", or nothing. */
static bool take_second(struct clock_time *t, const char **at, const char *end)
{
    int second = 0;
    if (!take_char(at, end, ":"))
        return true;
    if (!take_digits(at, end, 2, 0, 59, &second))
        return false;
    t->second_ns = second * SECOND_NS;
    if (!take_char(at, end, "."))
        return true;
    int64_t unit = SECOND_NS;
    const char *digits = *at;
    for (; *at < end && isdigit((unsigned char)**at) && unit > 1; (*at)++) {
        unit /= 10;
        t->second_ns += (**at - '0') * unit;
    }
    return *at > digits;
}

int clock_time_parse(struct clock_time *t, const char *option, const char *text, size_t n, struct error *err)
{
    const char *at = text, *end = text + n;
    *t = (struct clock_time){.given = true};
    bool fine = take_day(t, &at, end) && take_digits(&at, end, 2, 0, 23, &t->hour) &&
                take_char(&at, end, ":") && take_digits(&at, end, 2, 0, 59, &t->minute) &&
                take_second(t, &at, end);
    t->utc = fine && take_char(&at, end, "Zz");
    if (fine && at == end)
        return 0;
    return error_set(err, ERROR_USAGE,
                     "%s: '%.*s' is not a time of day: 07:00, 07:00:30.5, 07:00Z, 2026-11-29T07:00 are",
                     option, n > 60 ? 60 : (int)n, text);
}

/* ---- which moment ---- */

/* On that day, or so many days after the day of `begin`. False: no such day. */
static bool utc_of(const struct clock_time *t, bool utc, int64_t begin_utc_ns, int days, int64_t *utc_ns)
{
    time_t begin = begin_utc_ns / SECOND_NS;
    struct tm tm;
    bool is_utc = utc || t->utc;
    if (is_utc)
        gmtime_r(&begin, &tm);
    else
        localtime_r(&begin, &tm);
    if (t->has_day) {
        tm.tm_year = t->year - 1900;
        tm.tm_mon = t->month - 1;
        tm.tm_mday = t->day;
    } else {
        tm.tm_mday += days;
    }
    tm.tm_hour = t->hour;
    tm.tm_min = t->minute;
    tm.tm_sec = 0;
    tm.tm_isdst = -1;
    *utc_ns = (is_utc ? timegm(&tm) : mktime(&tm)) * SECOND_NS + t->second_ns;
    return !t->has_day || tm.tm_mday == t->day;
}

int clock_span_resolve(const struct clock_span *s, bool utc, int64_t begin_utc_ns, int64_t *from_utc_ns,
                       int64_t *to_utc_ns, struct error *err)
{
    const struct clock_time *from = &s->from, *to = &s->to;
    int from_days = 0, to_days = 0;
    if ((from->given && !utc_of(from, utc, begin_utc_ns, 0, from_utc_ns)) ||
        (to->given && !utc_of(to, utc, begin_utc_ns, 0, to_utc_ns)))
        return error_set(err, ERROR_USAGE, "%s %.60s: there is no such day", clock_span_option(s), s->text);
    if (to->given && !to->has_day && from->given && *to_utc_ns <= *from_utc_ns)
        to_days++;
    if (to->given && !to->has_day) {
        utc_of(to, utc, begin_utc_ns, to_days, to_utc_ns);
        if (*to_utc_ns <= begin_utc_ns) {
            to_days++;
            from_days++;
        }
    } else if (from->given && !to->given && *from_utc_ns <= begin_utc_ns - HALF_DAY) {
        from_days++;
    }
    if (from->given && !from->has_day)
        utc_of(from, utc, begin_utc_ns, from_days, from_utc_ns);
    if (to->given && !to->has_day)
        utc_of(to, utc, begin_utc_ns, to_days, to_utc_ns);
    if (from->given && to->given && *to_utc_ns <= *from_utc_ns)
        return error_set(err, ERROR_USAGE, "%s %.60s: nothing lies between", clock_span_option(s), s->text);
    return 0;
}
