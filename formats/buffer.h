/* Growing text with fast numbers: what every format builds its rows in. */
#ifndef XENMETER_FORMATS_BUFFER_H
#define XENMETER_FORMATS_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zero is an empty buffer. Once memory has run out `failed` stays set and nothing more is added. */
struct buffer {
    char *at;
    size_t n;    /* bytes in it; not ended by a NUL */
    size_t size; /* bytes there is room for */
    bool failed;
};

void buffer_free(struct buffer *b);

/* Room for `n` more bytes at the end, to be written and then counted in b->n; NULL when memory ran out. */
char *buffer_room(struct buffer *b, size_t n);

void buffer_add(struct buffer *b, const char *bytes, size_t n);
void buffer_text(struct buffer *b, const char *text);
void buffer_fill(struct buffer *b, char c, size_t n);
void buffer_integer(struct buffer *b, int64_t n);

/* With exactly that many digits (0..9) after the point, rounded half away from zero; the point is '.'. */
void buffer_decimal(struct buffer *b, double x, unsigned digits);

void buffer_printf(struct buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
