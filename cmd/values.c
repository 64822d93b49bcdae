#include "values.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    double ns;
} duration_units[] = {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"", 1e9}, {"m", 60e9}, {"h", 3600e9}};

int parse_duration(const char *option, const char *text, size_t n, uint64_t *ns, struct error *err)
{
    char word[40];
    if (n > 0 && n < sizeof word && (isdigit((unsigned char)text[0]) || text[0] == '.')) {
        memcpy(word, text, n);
        word[n] = '\0';
        size_t digits = strspn(word, "0123456789.");
        char *end;
        double number = strtod(word, &end);
        for (size_t i = 0; end == word + digits && i < sizeof duration_units / sizeof duration_units[0];
             i++) {
            if (strcmp(end, duration_units[i].name) != 0)
                continue;
            double value = number * duration_units[i].ns;
            if (value > 9e18)
                break;
            *ns = (uint64_t)llround(value);
            return 0;
        }
    }
    return error_set(err, ERROR_USAGE, "--%s: '%.*s' is not a length of time: 10s, 100ms, 500us, 1.5s are",
                     option, n > 60 ? 60 : (int)n, text);
}

/* Digits at *text to a number below limit; moves *text behind them. */
static int number_below(const char **text, size_t limit, size_t *number)
{
    if (!isdigit((unsigned char)**text))
        return -1;
    char *end;
    errno = 0;
    unsigned long value = strtoul(*text, &end, 10);
    if (errno || value >= limit)
        return -1;
    *text = end;
    *number = value;
    return 0;
}

int parse_numbers(const char *option, const char *text, uint8_t *set, size_t limit, struct error *err)
{
    const char *p = text;
    for (;;) {
        size_t from, to;
        if (number_below(&p, limit, &from) != 0)
            break;
        to = from;
        if (*p == '-') {
            p++;
            if (number_below(&p, limit, &to) != 0 || to < from)
                break;
        }
        memset(set + from, 1, to - from + 1);
        if (*p == '\0')
            return 0;
        if (*p++ != ',')
            break;
    }
    return error_set(err, ERROR_USAGE, "--%s %.60s: wants numbers below %zu and ranges, for example 0,3-5",
                     option, text, limit);
}

int parse_count(const char *option, const char *text, size_t *count, struct error *err)
{
    const char *p = text;
    if (number_below(&p, (size_t)1 << 40, count) != 0 || *p || *count == 0)
        return error_set(err, ERROR_USAGE, "--%s %.60s: wants a whole number from 1 on", option, text);
    return 0;
}

/* A number with one of the letters K, M, G, T for powers of `base`; what follows it must be nothing. */
static int scaled(const char *text, double base, double *value)
{
    static const char letters[] = "KMGT";
    char *end;
    if (!isdigit((unsigned char)text[0]) && text[0] != '.')
        return -1;
    if (strspn(text, "0123456789.") == 0 || strpbrk(text, "xX"))
        return -1;
    *value = strtod(text, &end);
    const char *letter = *end ? strchr(letters, toupper((unsigned char)*end)) : NULL;
    if (letter) {
        *value *= pow(base, (double)(letter - letters + 1));
        end++;
    }
    return *end ? -1 : 0;
}

int parse_frequency(const char *text, double *hz, struct error *err)
{
    if (scaled(text, 1000, hz) != 0 || *hz < 1e3 || *hz > 1e12)
        return error_set(err, ERROR_USAGE,
                         "--cpu-hz %.60s: wants a frequency from 1 kHz on, for example 2.4G or "
                         "2595918170",
                         text);
    return 0;
}

int parse_size(const char *text, uint64_t *bytes, struct error *err)
{
    double value;
    if (scaled(text, 1024, &value) != 0 || value < 16 * 1024 * 1024 || value > 1e15)
        return error_set(err, ERROR_USAGE, "--max-memory %.60s: wants at least 16M, for example 256M or 2G",
                         text);
    *bytes = (uint64_t)value;
    return 0;
}
