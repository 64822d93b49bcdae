#include "account/period.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SECOND_NS  1000000000
#define HOUR_S     3600
#define FARTHEST_S (27 * HOUR_S) /* a zone's offset from UTC, and a day that it changed in: at most so much */

const char *const account_granularity_names[] = {"hour", "day", "month", "total", NULL};

/* ---- zones ---- */

static bool is_zone_file(const char *folder, const char *zone)
{
    char path[PATH_MAX], magic[4] = "";
    int n = snprintf(path, sizeof path, "%s/%s", folder, zone);
    int fd = n > 0 && (size_t)n < sizeof path ? open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK) : -1;
    if (fd < 0)
        return false;
    bool is = read(fd, magic, sizeof magic) == (ssize_t)sizeof magic && memcmp(magic, "TZif", 4) == 0;
    close(fd);
    return is;
}

/* Letters, digits and what else is in names of zones; none is a path out of the database. */
static bool is_zone_name(const char *zone)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/_+-";
    return *zone && *zone != '/' && strlen(zone) < 64 && zone[strspn(zone, allowed)] == '\0';
}

int account_zone_set(const char *zone, struct error *err)
{
    const char *folder = getenv("TZDIR");
    bool is_utc = strcmp(zone, "UTC") == 0;
    if (!is_utc && (!is_zone_name(zone) || !is_zone_file(folder ? folder : "/usr/share/zoneinfo", zone)))
        return error_set(err, ERROR_USAGE,
                         "--tz %.60s: the tz database has no such zone; names are like Europe/Berlin", zone);
    if (setenv("TZ", is_utc ? "UTC0" : zone, 1) != 0)
        return error_no_memory(err, "the time zone");
    tzset();
    return 0;
}

/* ---- periods ---- */

static struct tm local_of(int64_t utc_s)
{
    time_t t = (time_t)utc_s;
    struct tm tm = {0};
    (void)localtime_r(&t, &tm);
    return tm;
}

/* A date as a number that grows with time. */
static int64_t date_number(const struct tm *tm)
{
    return ((int64_t)tm->tm_year * 12 + tm->tm_mon) * 32 + tm->tm_mday;
}

/* The first second whose local date is that of `day` or later. Month 12 is January of the next year. */
static int64_t first_second_of(int year, int month, int day)
{
    struct tm tm = {.tm_year = year, .tm_mon = month, .tm_mday = day};
    int64_t middle = (int64_t)timegm(&tm); /* which normalises the date */
    const int64_t date = date_number(&tm);
    int64_t from = middle - FARTHEST_S, to = middle + FARTHEST_S; /* before; not before */
    while (to - from > 1) {
        int64_t at = from + (to - from) / 2;
        tm = local_of(at);
        if (date_number(&tm) < date)
            from = at;
        else
            to = at;
    }
    return to;
}

/* The first second in (from, to] with the offset of `to`, which `from` has not. */
static int64_t first_with_offset(int64_t from, int64_t to)
{
    const long offset = local_of(to).tm_gmtoff;
    while (to - from > 1) {
        int64_t at = from + (to - from) / 2;
        if (local_of(at).tm_gmtoff == offset)
            to = at;
        else
            from = at;
    }
    return to;
}

static bool same_minutes(int64_t a_s, int64_t b_s)
{
    return (local_of(a_s).tm_gmtoff - local_of(b_s).tm_gmtoff) % HOUR_S == 0;
}

static void hour_of(int64_t utc_s, int64_t *begin_s, int64_t *end_s)
{
    const struct tm tm = local_of(utc_s);
    *begin_s = utc_s - tm.tm_min * 60L - tm.tm_sec;
    *end_s = *begin_s + HOUR_S;
    if (!same_minutes(*begin_s, utc_s))
        *begin_s = first_with_offset(*begin_s, utc_s);
    if (!same_minutes(utc_s, *end_s))
        *end_s = first_with_offset(utc_s, *end_s);
}

/* A date can come twice, by some minutes, where clocks are set back after midnight: those belong to the day that begins then. */
static void days_of(int64_t utc_s, bool month, int64_t *begin_s, int64_t *end_s)
{
    const struct tm tm = local_of(utc_s);
    int step = 0;
    do {
        int mon = tm.tm_mon + (month ? step : 0), day = month ? 1 : tm.tm_mday + step;
        *begin_s = first_second_of(tm.tm_year, mon, day);
        *end_s = first_second_of(tm.tm_year, mon + (month ? 1 : 0), day + (month ? 0 : 1));
        step += utc_s < *begin_s ? -1 : 1;
    } while ((utc_s < *begin_s || utc_s >= *end_s) && step > -2 && step < 2);
}

struct account_period account_period_of(enum account_granularity granularity, int64_t utc_ns)
{
    int64_t utc_s = utc_ns / SECOND_NS, begin_s, end_s;
    if (granularity == ACCOUNT_HOUR)
        hour_of(utc_s, &begin_s, &end_s);
    else
        days_of(utc_s, granularity == ACCOUNT_MONTH, &begin_s, &end_s);
    return (struct account_period){begin_s * SECOND_NS, end_s * SECOND_NS};
}

int64_t account_day_begin(int year, int month, int day)
{
    return first_second_of(year - 1900, month - 1, day) * SECOND_NS;
}
