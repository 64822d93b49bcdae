#include "formats/table_cell.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/digits.h"
#include "formats/safe_text.h"
#include "formats/time_text.h"
#include "formats/utf8.h"
#include "metrics/human.h"

#define IN_SECONDS_NS 10000000000u /* times of intervals from this length on are in s */

static struct scale scale_of_times(uint64_t finest_ns)
{
    static const char *const names[] = {"us", "ms", "s"};
    static const double lengths[] = {1e3, 1e6, 1e9};
    unsigned unit = finest_ns >= IN_SECONDS_NS ? 2 : finest_ns >= 1000000 ? 1 : 0;
    return (struct scale){.unit = names[unit], .divisor = lengths[unit], .digits = 3};
}

unsigned instant_digits(uint64_t length_ns)
{
    return length_ns % 1000000 == 0 ? 3 : length_ns % 1000 == 0 ? 6 : 9;
}

/* The digits are those of seconds also in a time of day. */
static struct scale scale_of_instants(unsigned digits, enum time_format times)
{
    return (struct scale){.unit = time_format_unit(times),
                          .divisor = 1e9,
                          .digits = digits,
                          .is_plain = times == TIMES_TSC,
                          .times = times};
}

struct scale scale_of(const struct column *column, uint64_t shortest_ns, enum time_format times)
{
    bool of_interval = column->flags & COLUMN_OF_INTERVAL;
    switch (column->unit) {
    case UNIT_NS:
        return scale_of_times(shortest_ns ? shortest_ns : IN_SECONDS_NS);
    case UNIT_NS_EACH:
        return scale_of_times(shortest_ns && shortest_ns < 1000000 ? 1000 : 1000000);
    case UNIT_NS_COST:
        return scale_of_times(1000);
    case UNIT_INSTANT:
        return scale_of_instants(of_interval ? instant_digits(shortest_ns) : 6, times);
    case UNIT_PERCENT:
        return (struct scale){.unit = "%", .divisor = 1, .digits = 2};
    case UNIT_PER_SECOND:
        return (struct scale){.unit = "/s", .divisor = 1, .digits = 1};
    case UNIT_COUNT:
    case UNIT_POINTS:
        return (struct scale){.unit = "", .divisor = 1, .digits = column->digits};
    case UNIT_OWN:
    case UNIT_NONE:
        break;
    }
    return (struct scale){.unit = "", .divisor = 1, .digits = column->digits, .is_plain = true};
}

size_t cell_text(char *to, const char *s, size_t most)
{
    size_t width = 0;
    for (size_t characters = 1; *s; characters++) { /* combining ones have no width of their own */
        size_t n = safe_length(s), bytes = utf8_length(s) ? utf8_length(s) : 1;
        size_t wider = width + (n ? safe_width(s, n) : 1);
        if (wider > most || ((wider == most || characters == most) && s[bytes])) {
            *to++ = '~';
            width++;
            break;
        }
        memcpy(to, n ? s : "?", n ? n : 1);
        to += n ? n : 1;
        s += bytes;
        width = wider;
    }
    *to = '\0';
    return width;
}

static const double powers_of_ten[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};

#define NUMBER_BYTES 32

/*
 * Splits 0 <= x < 10^18: its whole part, and as text the point and its decimal places. Rounded as printf rounds: a
 * product below 10^9 is that exact unless it lies near the middle between two integers.
 */
static const char *split_number(char text[NUMBER_BYTES], double x, unsigned digits, uint64_t *whole)
{
    double scaled = x * powers_of_ten[digits];
    if (!(scaled < 1e9) || fabs(scaled - floor(scaled) - 0.5) < 1e-6) {
        char *end;
        snprintf(text, NUMBER_BYTES, "%.*f", (int)digits, x);
        *whole = strtoull(text, &end, 10);
        return end;
    }
    uint64_t n = (uint64_t)(scaled + 0.5);
    char *at = text + digits + (digits > 0);
    *at = '\0';
    for (; digits > 0; digits--, n /= 10)
        *--at = (char)('0' + n % 10);
    *text = at > text ? '.' : '\0';
    *whole = n;
    return text;
}

/* "12,345"; returns its end. */
static char *put_whole(char *to, uint64_t n)
{
    if (n >= 1000)
        return to + strlen(human_count(to, n));
    if (n >= 100)
        *to++ = (char)('0' + n / 100);
    if (n >= 10)
        *to++ = (char)('0' + n / 10 % 10);
    *to++ = (char)('0' + n % 10);
    return to;
}

/* "12,345.67"; what is above zero never looks like zero: "<0.01". */
static size_t number_cell(char *to, const struct scale *scale, double x)
{
    char text[NUMBER_BYTES], *at = to;
    uint64_t whole;
    double step = 1 / powers_of_ten[scale->digits];
    if (x > 0 && x < step / 2) {
        *at++ = '<';
        x = step;
    }
    if (fabs(x) >= 1e18 || scale->is_plain)
        return (size_t)(at - to) +
               (size_t)snprintf(at, CELL_BYTES - 1, "%.*f", scale->is_plain ? (int)scale->digits : 0, x);
    const char *places = split_number(text, fabs(x), scale->digits, &whole);
    if (x < 0 && (whole || places[strspn(places, "0.")]))
        *at++ = '-';
    at = put_whole(at, whole);
    while ((*at = *places++))
        at++;
    return (size_t)(at - to);
}

size_t cell_domain(char to[CELL_BYTES], int32_t domain, uint32_t life)
{
    return (size_t)snprintf(to, CELL_BYTES, life > 1 ? "%" PRId32 "#%" PRIu32 : "%" PRId32, domain, life);
}

/* A number with the unit that it has itself: "27.66 ms" "44.32 %" "+327 /s". */
static size_t own_unit_cell(char *to, struct value v)
{
    double x = value_number(v);
    enum unit unit = v.own_unit & ~OWN_UNIT_SIGNED;
    const struct column column = {.unit = unit == UNIT_POINTS ? UNIT_PERCENT : unit, .digits = 2};
    char *at = to;
    if (x < 0 || v.own_unit & OWN_UNIT_SIGNED)
        *at++ = x < 0 ? '-' : '+';
    if (unit == UNIT_NS && fabs(x) < 1e18)
        return (size_t)(at - to) + strlen(human_duration(at, (uint64_t)fabs(x)));
    const struct scale scale = scale_of(&column, 0, TIMES_RELATIVE);
    at += number_cell(at, &scale, fabs(x) / scale.divisor);
    const char *name = unit == UNIT_POINTS ? "pt" : scale.unit;
    if (*name)
        at = stpcpy(stpcpy(at, " "), name);
    return (size_t)(at - to);
}

size_t cell_of(char to[CELL_BYTES], const struct column *column, const struct scale *scale, struct value v)
{
    if (v.type == VALUE_TEXT)
        return cell_text(to, v.text,
                         scale->most                    ? scale->most
                         : column->flags & COLUMN_WHOLE ? CELL_WHOLE_MAX
                                                        : CELL_TEXT_MAX);
    if (v.type == VALUE_TIME && column->unit != UNIT_INSTANT)
        return time_text(to, v.integer, v.local);
    if (v.type == VALUE_TIME)
        return time_of_day_text(to, time_rounded(v.integer, scale->digits), v.local, scale->digits);
    if (v.type == VALUE_NONE)
        return cell_text(to, v.text ? v.text : "-", CELL_TEXT_MAX);
    if (column->unit == UNIT_OWN && value_number(v) != 0)
        return own_unit_cell(to, v);
    if (v.life > 1 && column->unit != UNIT_OWN)
        return cell_domain(to, (int32_t)v.integer, v.life);
    if (value_number(v) == 0) {
        memcpy(to, "0", 2);
        return 1;
    }
    if (scale->is_plain && v.type == VALUE_INTEGER) {
        char *end = digits_signed(to, v.integer);
        *end = '\0';
        return (size_t)(end - to);
    }
    return number_cell(to, scale, value_number(v) / scale->divisor);
}
