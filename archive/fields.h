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

/* One whose values add up (ADDS: enum adds): fields_add. */
#define FIELD_THAT(ADDS, STRUCT, KEY, MEMBER, TYPE, ALWAYS, ABSENT, MOST, NAMES)                             \
    {                                                                                                        \
        {SCALAR_##TYPE, ADDS_##ADDS, ALWAYS, offsetof(STRUCT, MEMBER), (uint64_t)(ABSENT)}, KEY,             \
            ",\"" KEY "\":", sizeof(",\"" KEY "\":") - 1, STORED_SCALAR, MOST, NAMES                         \
    }

#define FIELD(STRUCT, KEY, MEMBER, TYPE, ALWAYS, ABSENT, MOST, NAMES)                                        \
    FIELD_THAT(NOT, STRUCT, KEY, MEMBER, TYPE, ALWAYS, ABSENT, MOST, NAMES)

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

/* Adds to `into` what `from` has in the fields of the table that say how they add. */
void fields_add(const struct stored_field *fields, void *into, const void *from);

/* Appends one number in the form of SCALAR_U64. */
void fields_put_u64(struct buffer *b, uint64_t n);

/*
 * Reads decimal digits without a leading zero, up to `end` or the first other byte. Returns their number; 0: no such
 * number there, or larger than 64 bits.
 */
size_t fields_digits(const char *at, const char *end, uint64_t *n);

#endif
