#include "human.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

char *human_count(char *to, uint64_t n)
{
    char text[HUMAN_BYTES], *end = text + sizeof text, *at = end;
    *--at = '\0';
    for (unsigned digits = 0; n || digits == 0; n /= 10) {
        if (digits && digits % 3 == 0)
            *--at = ',';
        *--at = (char)('0' + n % 10);
        digits++;
    }
    return memcpy(to, at, (size_t)(end - at));
}

char *human_duration(char *to, uint64_t ns)
{
    static const struct {
        uint64_t length_ns;
        const char *name;
    } units[] = {{1000000000, "s"}, {1000000, "ms"}, {1000, "us"}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        double x = (double)ns / (double)units[i].length_ns;
        if (x < 0.99995) /* it would print as 1000.0 of the smaller unit */
            continue;
        if (x >= 1000) { /* only of the largest unit */
            char seconds[HUMAN_BYTES];
            snprintf(to, HUMAN_BYTES, "%.29s s", human_count(seconds, ns / units[i].length_ns));
        } else {
            snprintf(to, HUMAN_BYTES, "%.*f %s", x < 10 ? 3 : x < 100 ? 2 : 1, x, units[i].name);
        }
        return to;
    }
    snprintf(to, HUMAN_BYTES, "%llu ns", (unsigned long long)ns);
    return to;
}

char *human_bytes(char *to, uint64_t bytes)
{
    static const char *const units[] = {"kB", "MB", "GB", "TB"};
    double x = (double)bytes / 1e3;
    size_t unit = 0;
    if (bytes < 1000) {
        snprintf(to, HUMAN_BYTES, "%u bytes", (unsigned)bytes);
        return to;
    }
    for (; x >= 999.95 && unit + 1 < sizeof units / sizeof *units; unit++)
        x /= 1e3;
    snprintf(to, HUMAN_BYTES, "%.1f %s", x, units[unit]);
    return to;
}

char *human_percent(char *to, double part, double whole)
{
    double percent = whole > 0 ? 100 * part / whole : 0;
    if (percent > 0 && percent < 0.01)
        snprintf(to, HUMAN_BYTES, "less than 0.01 %%");
    else
        snprintf(to, HUMAN_BYTES, "%.*f %%", percent >= 10 ? 0 : percent >= 1 ? 1 : 2, percent);
    return to;
}
