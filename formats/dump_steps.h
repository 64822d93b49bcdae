/*
 * The fields of a record as text. A list of fields (event_fields.h) is made into steps once, each with all that stands
 * before its value; to write a record is to walk them.
 */
#ifndef XENMETER_FORMATS_DUMP_STEPS_H
#define XENMETER_FORMATS_DUMP_STEPS_H

#include "formats/digits.h"
#include "metrics/measure/dump.h"

/* How a format writes fields. */
struct dump_style {
    const char *before, *between; /* of a name; of a name and its value */
    const char *behind;           /* of a value */
    const char *quote;            /* of a value that is no decimal number */
    const char *open, *close;     /* of a list of words */
};

struct dump_label {
    uint8_t length;
    char text[31]; /* what stands before a value; copied at its full length, whatever it is */
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

/* The steps of all lists there are; NULL when memory ran out. Free them. */
struct dump_steps *dump_steps_new(const struct dump_style *style);

#define DUMP_FIELDS_MOST 1024 /* bytes that may be written to for the fields of a record */

#endif
