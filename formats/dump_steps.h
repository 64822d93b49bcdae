/*
 * The fields of a record as text. A list of fields (event_fields.h) is made into steps once, each with all that stands
 * before its value; to write a record is to walk them.
 */
#ifndef XENMETER_FORMATS_DUMP_STEPS_H
#define XENMETER_FORMATS_DUMP_STEPS_H

#include "formats/digits.h"
#include "metrics/dump.h"

/* How a format writes fields. */
struct dump_style {
    const char *before, *between; /* of a name; of a name and its value */
    const char *behind;           /* of a value */
    const char *quote;            /* of a value that is no decimal number */
    const char *open, *close;     /* of a list of words */
};

struct dump_step {
    struct field field;
    uint8_t length; /* of the label */
    char label[39]; /* what stands before the value; read at its full length */
};

struct dump_steps {
    unsigned n;
    struct dump_step steps[FIELDS_MAX];
};

/* The steps of all lists there are, by field_list.id; NULL when memory ran out. Free it. */
struct dump_steps *dump_steps_new(const struct dump_style *style);

#define DUMP_FIELDS_MOST 1024 /* bytes that may be written to for the fields of a record */

#endif
