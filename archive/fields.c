#include "fields.h"

#include <inttypes.h>
#include <string.h>

void fields_put_u64(struct buffer *b, uint64_t n)
{
    if (n <= INT64_MAX)
        buffer_integer(b, (int64_t)n);
    else
        buffer_printf(b, "\"%" PRIu64 "\"", n);
}

static void put_bits(struct buffer *b, const struct stored_field *f, uint64_t bits)
{
    double real;
    switch ((enum scalar_type)f->scalar.type) {
    case SCALAR_I32:
    case SCALAR_I64:
        buffer_integer(b, (int64_t)bits);
        break;
    case SCALAR_U32:
    case SCALAR_U64:
        fields_put_u64(b, bits);
        break;
    case SCALAR_REAL:
        memcpy(&real, &bits, sizeof real);
        buffer_printf(b, "%.17g", real);
        break;
    case SCALAR_FLAG:
        buffer_text(b, bits ? "true" : "false");
        break;
    case SCALAR_NAME:
        buffer_add(b, "\"", 1);
        buffer_text(b, f->names[bits]);
        buffer_add(b, "\"", 1);
        break;
    }
}

void fields_put(struct buffer *b, const struct stored_field *fields, const void *of)
{
    for (const struct stored_field *f = fields; f->key; f++) {
        uint64_t bits = scalar_bits(&f->scalar, of);
        if (scalar_is_absent(&f->scalar, bits))
            continue;
        buffer_add(b, f->text, f->text_n);
        put_bits(b, f, bits);
    }
}

void fields_add(const struct stored_field *fields, void *into, const void *from)
{
    for (const struct stored_field *f = fields; f->key; f++)
        scalar_add(&f->scalar, into, from);
}

size_t fields_digits(const char *at, const char *end, uint64_t *n)
{
    const char *begin = at;
    uint64_t value = 0;
    for (; at < end && *at >= '0' && *at <= '9'; at++)
        if (__builtin_mul_overflow(value, (uint64_t)10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*at - '0'), &value))
            return 0;
    if (at == begin || (*begin == '0' && at - begin > 1))
        return 0;
    *n = value;
    return (size_t)(at - begin);
}
