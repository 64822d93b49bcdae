#include "formats/table_cell.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/digits.h"
#include "formats/safe_text.h"
#include "formats/utf8.h"
#include "metrics/human.h"

double value_number(struct value v)
{
    return v.type == VALUE_INTEGER ? (double)v.integer : v.type == VALUE_DECIMAL ? v.decimal : 0;
}

/*
 * One unit for all cells of a column of times: that of the largest, or the next finer one where the smallest
 * would lose its meaning in it.
 */
static struct scale scale_of_times(double largest, double smallest)
{
    static const char *const names[] = {"ns", "us", "ms", "s"};
    static const double lengths[] = {1, 1e3, 1e6, 1e9};
    unsigned unit = 0;
    while (unit < 3 && largest >= lengths[unit + 1])
        unit++;
    if (unit && smallest < lengths[unit] / 100)
        unit--;
    double x = largest / lengths[unit];
    unsigned digits = x < 10 ? 3 : x < 100 ? 2 : 1;
    return (struct scale){.unit = names[unit], .divisor = lengths[unit], .digits = unit ? digits : 0};
}

static unsigned rate_digits(double largest)
{
    return largest >= 1000 ? 0 : largest >= 100 ? 1 : 2;
}

struct scale scale_of(const struct column *column, const struct value *values, size_t n)
{
    double largest = 0, smallest = INFINITY;
    for (size_t i = 0; i < n; i++) {
        double x = fabs(value_number(values[i]));
        if (x > largest)
            largest = x;
        if (x > 0 && x < smallest)
            smallest = x;
    }
    switch (column->unit) {
    case UNIT_NS:
        return scale_of_times(largest, smallest);
    case UNIT_INSTANT:
        return (struct scale){.unit = "s", .divisor = 1e9, .digits = 6};
    case UNIT_PERCENT:
        return (struct scale){.unit = "%", .divisor = 1, .digits = 2};
    case UNIT_PER_SECOND:
        return (struct scale){.unit = "/s", .divisor = 1, .digits = rate_digits(largest)};
    case UNIT_COUNT:
    case UNIT_POINTS:
        return (struct scale){.unit = "", .divisor = 1, .digits = column->digits};
    case UNIT_OWN:
    case UNIT_NONE:
        break;
    }
    return (struct scale){.unit = "", .divisor = 1, .is_plain = true};
}

struct scale scale_free(const struct column *column)
{
    if (column->unit == UNIT_NS)
        return (struct scale){.unit = "", .divisor = 1, .is_free = true};
    return scale_of(column, NULL, 0);
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
        return (size_t)(at - to) + (size_t)snprintf(at, CELL_BYTES - 1, "%.0f", x);
    const char *places = split_number(text, fabs(x), scale->digits, &whole);
    if (x < 0 && (whole || places[strspn(places, "0.")]))
        *at++ = '-';
    at += strlen(human_count(at, whole));
    return (size_t)(stpcpy(at, places) - to);
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
    const struct scale scale = scale_of(&column, &v, 1);
    at += number_cell(at, &scale, fabs(x) / scale.divisor);
    const char *name = unit == UNIT_POINTS ? "pt" : scale.unit;
    if (*name)
        at = stpcpy(stpcpy(at, " "), name);
    return (size_t)(at - to);
}

size_t cell_of(char to[CELL_BYTES], const struct column *column, const struct scale *scale, struct value v)
{
    if (v.type == VALUE_TEXT)
        return cell_text(to, v.text, column->flags & COLUMN_WHOLE ? CELL_WHOLE_MAX : CELL_TEXT_MAX);
    if (v.type == VALUE_NONE)
        return cell_text(to, v.text ? v.text : "-", CELL_TEXT_MAX);
    if (column->unit == UNIT_OWN && value_number(v) != 0)
        return own_unit_cell(to, v);
    if (v.life > 1 && column->unit != UNIT_OWN)
        return cell_domain(to, (int32_t)v.integer, v.life);
    if (value_number(v) == 0)
        return (size_t)(stpcpy(to, "0") - to);
    if (scale->is_plain && v.type == VALUE_INTEGER) {
        char *end = digits_signed(to, v.integer);
        *end = '\0';
        return (size_t)(end - to);
    }
    if (scale->is_free) {
        *to = '-';
        uint64_t ns = v.integer < 0 ? -(uint64_t)v.integer : (uint64_t)v.integer;
        human_duration(to + (v.integer < 0), ns);
        return strlen(to);
    }
    return number_cell(to, scale, value_number(v) / scale->divisor);
}

void cell_heading(char one[CELL_BYTES], char two[CELL_BYTES], const struct column *column,
                  const struct scale *scale)
{
    const char *space = strrchr(column->title, ' ');
    *one = '\0';
    if (space) {
        snprintf(one, CELL_BYTES, "%.*s", (int)(space - column->title), column->title);
        snprintf(two, CELL_BYTES, "%s%s%s", space + 1, *scale->unit ? " " : "", scale->unit);
    } else if (*scale->unit) {
        snprintf(one, CELL_BYTES, "%s", column->title);
        snprintf(two, CELL_BYTES, "%s", scale->unit);
    } else {
        snprintf(two, CELL_BYTES, "%s", column->title);
    }
}
