/*
 * The fields of a record as text. A list of fields (event_fields.h) is compiled once into steps, each with the text
 * before its value; writing a record walks the steps.
 */
#ifndef XENMETER_FORMATS_DUMP_STEPS_H
#define XENMETER_FORMATS_DUMP_STEPS_H

#include <stdint.h>

#include "parser/decode/event_fields.h"
#include "parser/decode/value_names.h"

/* The texts around fields in a format. */
struct dump_style {
    const char *before, *between; /* before a name; between a name and its value */
    const char *behind;           /* after a value */
    const char *quote;            /* around a value that is no decimal number */
    const char *open, *close;     /* around a list of words */
};

struct dump_label {
    uint8_t length;
    char text[31]; /* the text before a value; copied at full length, so that copying needs no branch */
};

struct dump_step {
    struct dump_label label;
    const struct field *field;
};

struct dump_steps {
    struct dump_label arguments[HYPERCALLS]
                               [ARGUMENTS_NAMED]; /* of hypercalls, by number; length 0: no name */
    struct {
        unsigned n;
        struct dump_step steps[FIELDS_MAX];
    } lists[FIELD_LISTS_MAX]; /* by field_list.id */
};

/* The steps of all lists, the caller's to free; NULL: no memory. */
struct dump_steps *dump_steps_new(const struct dump_style *style);

#define DUMP_FIELDS_MOST 1024 /* bytes that the fields of a record may overwrite */

#endif
