#include "formats/buffer.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/digits.h"

#define LEADING_ROOM 16 /* for a sign, nine zeros and a point */

void buffer_free(struct buffer *b)
{
    free(b->at);
    *b = (struct buffer){0};
}

char *buffer_grow(struct buffer *b, size_t n)
{
    size_t size = b->size ? b->size : 4096;
    while (size < b->n + n)
        size *= 2;
    char *at = b->failed ? NULL : realloc(b->at, size);
    if (!at) {
        b->failed = true;
        return NULL;
    }
    b->at = at;
    b->size = size;
    return at + b->n;
}

void buffer_fill(struct buffer *b, char c, size_t n)
{
    char *to = buffer_room(b, n);
    if (to) {
        memset(to, c, n);
        b->n += n;
    }
}

void buffer_integer(struct buffer *b, int64_t n)
{
    char *to = buffer_room(b, DIGITS_ROOM);
    if (to)
        b->n += (size_t)(digits_signed(to, n) - to);
}

void buffer_decimal(struct buffer *b, double x, unsigned digits)
{
    static const double powers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
    double scaled = x * powers[digits];
    if (!(fabs(scaled) < 9e18)) {
        buffer_printf(b, "%.*f", (int)digits, x);
        return;
    }
    int64_t n = llround(scaled);
    char number[LEADING_ROOM + DIGITS_ROOM];
    char *start = number + LEADING_ROOM;
    char *end = digits_decimal(start, n < 0 ? -(uint64_t)n : (uint64_t)n);
    if (digits) {
        while ((size_t)(end - start) <= digits)
            *--start = '0';
        size_t whole = (size_t)(end - start) - digits;
        memmove(start - 1, start, whole);
        start--;
        start[whole] = '.';
    }
    if (n < 0)
        *--start = '-';
    buffer_add(b, start, (size_t)(end - start));
}

void buffer_printf(struct buffer *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *to = n < 0 ? NULL : buffer_room(b, (size_t)n + 1);
    if (!to)
        return;
    va_start(args, format);
    vsnprintf(to, (size_t)n + 1, format, args);
    va_end(args);
    b->n += (size_t)n;
}
