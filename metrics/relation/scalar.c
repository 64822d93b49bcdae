#include "metrics/relation/scalar.h"

#include <string.h>

#include "metrics/measure/adding.h"

uint64_t scalar_bits(const struct scalar *f, const void *of)
{
    const char *at = (const char *)of + f->offset;
    uint64_t bits = 0;
    switch ((enum scalar_type)f->type) {
    case SCALAR_I32:
        return (uint64_t)(int64_t) * (const int32_t *)at;
    case SCALAR_U32:
    case SCALAR_NAME:
        return *(const uint32_t *)at;
    case SCALAR_I64:
        return (uint64_t) * (const int64_t *)at;
    case SCALAR_U64:
        return *(const uint64_t *)at;
    case SCALAR_REAL:
        memcpy(&bits, at, sizeof bits);
        return bits;
    case SCALAR_FLAG:
        return *(const bool *)at;
    }
    return 0;
}

void scalar_set_bits(const struct scalar *f, void *of, uint64_t bits)
{
    char *at = (char *)of + f->offset;
    switch ((enum scalar_type)f->type) {
    case SCALAR_I32:
        *(int32_t *)at = (int32_t)(int64_t)bits;
        break;
    case SCALAR_U32:
    case SCALAR_NAME:
        *(uint32_t *)at = (uint32_t)bits;
        break;
    case SCALAR_I64:
        *(int64_t *)at = (int64_t)bits;
        break;
    case SCALAR_U64:
        *(uint64_t *)at = bits;
        break;
    case SCALAR_REAL:
        memcpy(at, &bits, sizeof bits);
        break;
    case SCALAR_FLAG:
        *(bool *)at = bits != 0;
        break;
    }
}

static double as_double(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static bool is_less(const struct scalar *f, uint64_t a, uint64_t b)
{
    if (f->type == SCALAR_REAL)
        return as_double(a) < as_double(b);
    return f->type == SCALAR_I32 || f->type == SCALAR_I64 ? (int64_t)a < (int64_t)b : a < b;
}

static uint64_t sum(const struct scalar *f, uint64_t a, uint64_t b)
{
    double real;
    switch ((enum scalar_type)f->type) {
    case SCALAR_REAL:
        real = as_double(a) + as_double(b);
        memcpy(&a, &real, sizeof a);
        return a;
    case SCALAR_I64:
        return (uint64_t)add_ns((int64_t)a, (int64_t)b);
    case SCALAR_FLAG:
        return a | b;
    default:
        return add_count(a, b);
    }
}

void scalar_add(const struct scalar *f, void *into, const void *from)
{
    uint64_t a = scalar_bits(f, into), b = scalar_bits(f, from);
    if (f->adds == ADDS_NOT || scalar_is_absent(f, b))
        return;
    bool alone = scalar_is_absent(f, a);
    if (f->adds == ADDS_SUM && !alone)
        b = sum(f, a, b);
    if (alone || f->adds == ADDS_SUM || is_less(f, a, b) == (f->adds == ADDS_MAX))
        scalar_set_bits(f, into, b);
}
