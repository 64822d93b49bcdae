/* A growing text with fast numbers, in which every format builds its rows. */
#ifndef XENMETER_FORMATS_BUFFER_H
#define XENMETER_FORMATS_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* All zero is an empty buffer. When an allocation fails, `failed` is set and stays set, and later text is dropped. */
struct buffer {
    char *at;
    size_t n;    /* bytes of text, without a NUL at the end */
    size_t size; /* bytes of room */
    bool failed;
};

void buffer_free(struct buffer *b);

/* The same as buffer_room where the room has to grow. */
char *buffer_grow(struct buffer *b, size_t n);

/* Room for `n` more bytes at the end; the caller writes them and adds them to b->n. NULL: no memory. */
static inline char *buffer_room(struct buffer *b, size_t n)
{
    return b->size - b->n >= n && b->at && !b->failed ? b->at + b->n : buffer_grow(b, n);
}

static inline void buffer_add(struct buffer *b, const char *bytes, size_t n)
{
    char *to = n > 0 ? buffer_room(b, n) : NULL;
    if (to) {
        memcpy(to, bytes, n);
        b->n += n;
    }
}

static inline void buffer_text(struct buffer *b, const char *text)
{
    buffer_add(b, text, strlen(text));
}

void buffer_fill(struct buffer *b, char c, size_t n);
void buffer_integer(struct buffer *b, int64_t n);

/* With exactly that many digits (0..9) after the point, rounded half away from zero; the point is '.'. */
void buffer_decimal(struct buffer *b, double x, unsigned digits);

void buffer_printf(struct buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
