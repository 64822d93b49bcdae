#include "formats/time_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SECOND_NS 1000000000

/* A moment in the calendar. */
struct broken_down {
    struct tm tm;
    int32_t ns;
};

static struct broken_down break_down(int64_t utc_ns, bool local)
{
    struct broken_down b = {.ns = (int32_t)(utc_ns % SECOND_NS)};
    time_t seconds = utc_ns / SECOND_NS;
    if (b.ns < 0) {
        b.ns += SECOND_NS;
        seconds--;
    }
    if (local)
        localtime_r(&seconds, &b.tm);
    else
        gmtime_r(&seconds, &b.tm);
    return b;
}

/* "+01:00" */
static size_t put_offset(char *to, size_t size, const struct tm *tm)
{
    long minutes = labs(tm->tm_gmtoff) / 60;
    return (size_t)snprintf(to, size, "%c%02ld:%02ld", tm->tm_gmtoff < 0 ? '-' : '+', minutes / 60,
                            minutes % 60);
}

size_t time_text(char to[TIME_TEXT], int64_t utc_ns, bool local)
{
    struct broken_down b = break_down(utc_ns, local);
    size_t n = strftime(to, TIME_TEXT, "%Y-%m-%dT%H:%M:%S", &b.tm);
    n += (size_t)snprintf(to + n, TIME_TEXT - n, ".%09" PRId32 "%s", b.ns, local ? "" : "Z");
    return local ? n + put_offset(to + n, TIME_TEXT - n, &b.tm) : n;
}

int64_t time_rounded(int64_t utc_ns, unsigned digits)
{
    int64_t unit = 1;
    for (unsigned d = digits; d < 9; d++)
        unit *= 10;
    int64_t up = utc_ns + unit / 2, rest = up % unit;
    return up - (rest < 0 ? rest + unit : rest);
}

size_t time_of_day_text(char to[TIME_TEXT], int64_t utc_ns, bool local, unsigned digits)
{
    struct broken_down b = break_down(utc_ns, local);
    size_t n = strftime(to, TIME_TEXT, "%H:%M:%S", &b.tm);
    snprintf(to + n, TIME_TEXT - n, ".%09" PRId32, b.ns);
    n += digits ? digits + 1 : 0;
    to[n] = '\0';
    return n;
}

size_t day_text(char to[TIME_TEXT], int64_t utc_ns, bool local)
{
    struct broken_down b = break_down(utc_ns, local);
    return strftime(to, TIME_TEXT, "%Y-%m-%d", &b.tm);
}

const char *time_format_unit(enum time_format format)
{
    return format == TIMES_UTC ? "UTC" : format == TIMES_LOCAL ? "local" : format == TIMES_TSC ? "tsc" : "s";
}

static void add_time(struct buffer *b, const char *key, struct value v)
{
    char time[TIME_TEXT];
    buffer_printf(b, "\"%s\": ", key);
    if (v.type == VALUE_TIME) {
        time_text(time, v.integer, v.local);
        buffer_printf(b, "\"%s\", ", time);
    } else if (v.type == VALUE_INTEGER) {
        buffer_printf(b, "%" PRId64 ", ", v.integer);
    } else {
        buffer_text(b, "null, ");
    }
}

void json_add_times(struct buffer *b, const struct moments *moments, uint64_t start_ns, uint64_t end_ns)
{
    if (!moments)
        return;
    add_time(b, "start_time", value_moment(moments, start_ns));
    add_time(b, "end_time", value_moment(moments, end_ns));
}
