/* Single members of structs, described: their type, where they are, when there is nothing in them, how they add up. */
#ifndef XENMETER_METRICS_RELATION_SCALAR_H
#define XENMETER_METRICS_RELATION_SCALAR_H

#include <stdbool.h>
#include <stdint.h>

enum scalar_type {
    SCALAR_I32,  /* int32_t, an id: 0 or more where it applies */
    SCALAR_U32,  /* uint32_t */
    SCALAR_I64,  /* int64_t */
    SCALAR_U64,  /* uint64_t */
    SCALAR_REAL, /* double, finite and not negative */
    SCALAR_FLAG, /* bool */
    SCALAR_NAME  /* an enum that has names */
};

enum adds { ADDS_NOT, ADDS_SUM, ADDS_MIN, ADDS_MAX };

struct scalar {
    uint8_t type;    /* enum scalar_type */
    uint8_t adds;    /* enum adds; what is absent adds nothing */
    bool always;     /* no value of it is absent */
    uint32_t offset; /* in its struct */
    uint64_t absent; /* else this one, as scalar_bits has it: unknown, none, or does not apply */
};

static inline bool scalar_is_absent(const struct scalar *f, uint64_t bits)
{
    return !f->always && bits == f->absent;
}

/* The value of a scalar as 64 bits: signed ones extended, a double's own. */
uint64_t scalar_bits(const struct scalar *f, const void *of);
void scalar_set_bits(const struct scalar *f, void *of, uint64_t bits);

/* Adds the member of `from` to that of `into`. Sums stop at the ends of 64 bits instead of wrapping. */
void scalar_add(const struct scalar *f, void *into, const void *from);

#endif
