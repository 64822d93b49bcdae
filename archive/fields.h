/*
 * Which members of a struct are written, and under which JSON key: one table that writer and reader walk, so that the
 * two cannot drift apart.
 */
#ifndef XENMETER_ARCHIVE_FIELDS_H
#define XENMETER_ARCHIVE_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/buffer.h"

enum field_type {
    FIELD_I32,  /* int32_t, an id: 0 or more where it applies */
    FIELD_U32,  /* uint32_t, unsigned */
    FIELD_I64,  /* int64_t */
    FIELD_U64,  /* uint64_t; above INT64_MAX a string of digits: JSON integers are int64 in many a reader */
    FIELD_REAL, /* double, finite and not negative, with 17 digits, which restore it exactly */
    FIELD_FLAG, /* bool */
    FIELD_NAME  /* an enum, by its names */
};

struct stored_field {
    const char *key;
    const char *text; /* `,"key":` */
    uint16_t text_n;
    uint8_t type;             /* enum field_type */
    bool always;              /* always written; else left out if equal to `absent` */
    uint32_t offset;          /* in its struct */
    uint64_t absent;          /* in the form of field_bits */
    uint64_t most;            /* FIELD_I32, FIELD_U32, FIELD_U64, FIELD_NAME: larger values are refused */
    const char *const *names; /* FIELD_NAME: by value; NULL for `absent` */
};

#define FIELD(STRUCT, KEY, MEMBER, TYPE, ALWAYS, ABSENT, MOST, NAMES)                                        \
    {                                                                                                        \
        KEY, ",\"" KEY "\":", sizeof(",\"" KEY "\":") - 1, FIELD_##TYPE, ALWAYS, offsetof(STRUCT, MEMBER),   \
            (uint64_t)(ABSENT), MOST, NAMES                                                                  \
    }

/* The value of a field as 64 bits: signed ones extended, a double's own. */
uint64_t field_bits(const struct stored_field *f, const void *of);
void field_set_bits(const struct stored_field *f, void *of, uint64_t bits);

/* Appends `,"key":value` for each field that is not absent. */
void fields_put(struct buffer *b, const struct stored_field *fields, size_t n, const void *of);

/* Appends one number in the form of FIELD_U64. */
void fields_put_u64(struct buffer *b, uint64_t n);

/*
 * Reads decimal digits without a leading zero, up to `end` or the first other byte. Returns their number; 0: no such
 * number there, or larger than 64 bits.
 */
size_t fields_digits(const char *at, const char *end, uint64_t *n);

#endif
