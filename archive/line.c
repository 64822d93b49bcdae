#include "line.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REAL_BYTES 32 /* more than a double with 17 digits needs */

void line_wrong(struct line *l, const char *what)
{
    if (!l->wrong)
        l->wrong = what;
}

void line_open(struct line *l)
{
    l->before = '{';
}

void line_close(struct line *l)
{
    if (l->before != ',' || !LINE_HAS(l, "}"))
        line_wrong(l, "a member that is unknown or out of place");
}

void line_finish(struct line *l)
{
    line_close(l);
    if (!LINE_HAS(l, "}") || l->at != l->end)
        line_wrong(l, "its end is out of place");
}

/* ---- numbers ---- */

static uint64_t not_a_number(struct line *l)
{
    line_wrong(l, "a number that is none, or out of range");
    return 0;
}

uint64_t line_u64(struct line *l)
{
    bool quoted = LINE_HAS(l, "\"");
    uint64_t n;
    size_t digits = fields_digits(l->at, l->end, &n);
    l->at += digits;
    if (digits == 0 || quoted != (n > INT64_MAX) || (quoted && !LINE_HAS(l, "\"")))
        return not_a_number(l);
    return n;
}

static uint64_t read_i64(struct line *l)
{
    bool negative = LINE_HAS(l, "-");
    uint64_t n;
    size_t digits = fields_digits(l->at, l->end, &n);
    l->at += digits;
    if (digits == 0 || n > (uint64_t)INT64_MAX + negative || (negative && n == 0))
        return not_a_number(l);
    return negative ? -n : n;
}

/* strtod accepts many forms: a number is valid only if it prints as the same text again. */
static uint64_t read_real(struct line *l)
{
    char text[REAL_BYTES], again[REAL_BYTES];
    size_t n = 0;
    while (n < sizeof text - 1 && l->at + n < l->end && l->at[n] && strchr("0123456789.e+-", l->at[n]))
        n++;
    memcpy(text, l->at, n);
    text[n] = '\0';
    double real = strtod(text, NULL);
    snprintf(again, sizeof again, "%.17g", real);
    if (strcmp(text, again) != 0 || !isfinite(real) || signbit(real))
        return not_a_number(l);
    l->at += n;
    uint64_t bits;
    memcpy(&bits, &real, sizeof bits);
    return bits;
}

static uint64_t read_name(struct line *l, const struct stored_field *f)
{
    for (uint64_t i = 0; i <= f->most; i++) {
        size_t n = f->names[i] ? strlen(f->names[i]) : 0;
        if (n && (size_t)(l->end - l->at) > n + 1 && l->at[0] == '"' && l->at[n + 1] == '"' &&
            memcmp(l->at + 1, f->names[i], n) == 0) {
            l->at += n + 2;
            return i;
        }
    }
    line_wrong(l, "a name that is unknown");
    return 0;
}

/* ---- tables ---- */

static uint64_t read_bits(struct line *l, const struct stored_field *f)
{
    uint64_t bits;
    switch ((enum scalar_type)f->scalar.type) {
    case SCALAR_I64:
        return read_i64(l);
    case SCALAR_REAL:
        return read_real(l);
    case SCALAR_NAME:
        return read_name(l, f);
    case SCALAR_FLAG:
        return LINE_HAS(l, "true");
    default:
        bits = line_u64(l);
        return bits <= f->most ? bits : not_a_number(l);
    }
}

void line_fields(struct line *l, const struct stored_field *fields, void *of)
{
    for (const struct stored_field *f = fields; f->key; f++) {
        uint64_t bits = f->scalar.absent;
        if (line_has_key(l, f->text, f->text_n)) {
            bits = read_bits(l, f);
            if (scalar_is_absent(&f->scalar, bits))
                line_wrong(l, "a member that goes without saying");
        } else if (f->scalar.always) {
            line_wrong(l, "a member is missing");
        }
        scalar_set_bits(&f->scalar, of, bits);
    }
}
