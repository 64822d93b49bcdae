#include "fields.h"

#include <inttypes.h>
#include <string.h>

uint64_t field_bits(const struct stored_field *f, const void *of)
{
    const char *at = (const char *)of + f->offset;
    uint64_t bits = 0;
    switch ((enum field_type)f->type) {
    case FIELD_I32:
        return (uint64_t)(int64_t) * (const int32_t *)at;
    case FIELD_U32:
    case FIELD_NAME:
        return *(const uint32_t *)at;
    case FIELD_I64:
        return (uint64_t) * (const int64_t *)at;
    case FIELD_U64:
        return *(const uint64_t *)at;
    case FIELD_REAL:
        memcpy(&bits, at, sizeof bits);
        return bits;
    case FIELD_FLAG:
        return *(const bool *)at;
    }
    return 0;
}

void field_set_bits(const struct stored_field *f, void *of, uint64_t bits)
{
    char *at = (char *)of + f->offset;
    switch ((enum field_type)f->type) {
    case FIELD_I32:
        *(int32_t *)at = (int32_t)(int64_t)bits;
        break;
    case FIELD_U32:
    case FIELD_NAME:
        *(uint32_t *)at = (uint32_t)bits;
        break;
    case FIELD_I64:
        *(int64_t *)at = (int64_t)bits;
        break;
    case FIELD_U64:
        *(uint64_t *)at = bits;
        break;
    case FIELD_REAL:
        memcpy(at, &bits, sizeof bits);
        break;
    case FIELD_FLAG:
        *(bool *)at = bits != 0;
        break;
    }
}

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
    switch ((enum field_type)f->type) {
    case FIELD_I32:
    case FIELD_I64:
        buffer_integer(b, (int64_t)bits);
        break;
    case FIELD_U32:
    case FIELD_U64:
        fields_put_u64(b, bits);
        break;
    case FIELD_REAL:
        memcpy(&real, &bits, sizeof real);
        buffer_printf(b, "%.17g", real);
        break;
    case FIELD_FLAG:
        buffer_text(b, bits ? "true" : "false");
        break;
    case FIELD_NAME:
        buffer_add(b, "\"", 1);
        buffer_text(b, f->names[bits]);
        buffer_add(b, "\"", 1);
        break;
    }
}

void fields_put(struct buffer *b, const struct stored_field *fields, size_t n, const void *of)
{
    for (const struct stored_field *f = fields; f < fields + n; f++) {
        uint64_t bits = field_bits(f, of);
        if (bits == f->absent && !f->always)
            continue;
        buffer_add(b, f->text, f->text_n);
        put_bits(b, f, bits);
    }
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
