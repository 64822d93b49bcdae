/*
 * Which members of a struct are written, and under which JSON key: one table that writer and reader walk, so that the
 * two cannot drift apart.
 */
#ifndef XENMETER_ARCHIVE_FIELDS_H
#define XENMETER_ARCHIVE_FIELDS_H

#include <stddef.h>
#include <stdint.h>

#include "formats/buffer.h"
#include "metrics/relation/scalar.h"

/* What a member is beside a scalar: in documents only (document.h), and never left out. */
enum stored_form {
    STORED_SCALAR,
    STORED_TEXT,  /* const char *, NULL allowed */
    STORED_WORD,  /* char[most], with its NUL: printable, what else it has to be its owner checks */
    STORED_BYTES, /* uint8_t[most], as lower-case hexadecimal digits */
    STORED_EVENT, /* uint32_t, as "0x0001f003" */
    STORED_U16    /* uint16_t, at most `most` */
};

/*
 * Written by its type: SCALAR_U64 above INT64_MAX as a string of digits (JSON integers are int64 in many readers),
 * SCALAR_REAL with 17 digits, which restore it exactly, SCALAR_NAME as one of its names; left out where it is absent.
 */
struct stored_field {
    struct scalar scalar;
    const char *key;  /* NULL: the end of a table */
    const char *text; /* `,"key":` */
    uint16_t text_n;
    uint8_t form;             /* enum stored_form */
    uint64_t most;            /* SCALAR_I32, SCALAR_U32, SCALAR_U64, SCALAR_NAME: larger values are refused */
    const char *const *names; /* SCALAR_NAME: by value; NULL for `absent` */
};

#define FIELD(STRUCT, KEY, MEMBER, TYPE, ALWAYS, ABSENT, MOST, NAMES)                                        \
    {                                                                                                        \
        {SCALAR_##TYPE, ADDS_NOT, ALWAYS, offsetof(STRUCT, MEMBER), (uint64_t)(ABSENT)}, KEY,                \
            ",\"" KEY "\":", sizeof(",\"" KEY "\":") - 1, STORED_SCALAR, MOST, NAMES                         \
    }

#define FIELD_OF(FORM, STRUCT, KEY, MEMBER, MOST)                                                            \
    {                                                                                                        \
        .scalar = {.always = true, .offset = offsetof(STRUCT, MEMBER)}, .key = KEY, .form = STORED_##FORM,   \
        .most = MOST                                                                                         \
    }

#define FIELDS_END                                                                                           \
    {                                                                                                        \
        .key = NULL                                                                                          \
    }

/* Appends `,"key":value` for each field of the table that is not absent. */
void fields_put(struct buffer *b, const struct stored_field *fields, const void *of);

/* Appends one number in the form of SCALAR_U64. */
void fields_put_u64(struct buffer *b, uint64_t n);

/*
 * Reads decimal digits without a leading zero, up to `end` or the first other byte. Returns their number; 0: no such
 * number there, or larger than 64 bits.
 */
size_t fields_digits(const char *at, const char *end, uint64_t *n);

#endif
