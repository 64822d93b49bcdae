/*
 * Names for values in records: hypercalls and their commands, runstates, exit reasons, ... (hypercalls.def, names.def).
 */
#ifndef XENMETER_PARSER_VALUE_NAMES_H
#define XENMETER_PARSER_VALUE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NAME_MOST   30 /* characters of a name */
#define NAMES_DENSE 256

/* A name in a field of fixed length, so that copying it needs no branch. */
struct value_name {
    uint8_t length;
    char text[NAME_MOST + 1]; /* padded with zeros */
};

/* A table of names. */
struct name_table {
    const struct value_name *dense[NAMES_DENSE]; /* of small values, by value */
    size_t first, n;                             /* entries of value_names.c */
    uint32_t mask;                               /* the bits of a value that select the name; 0: all */
};

/* For value_name: of the values that are not small. */
const struct value_name *value_name_search(const struct name_table *table, uint64_t value);

/* Arguments of a hypercall that have names. */
#define ARGUMENTS_NAMED 3
#define HYPERCALLS      64 /* numbers of hypercalls are below */

struct argument {
    const char *name;               /* NULL: none */
    const struct name_table *names; /* of its values; NULL: none */
    bool preempted;                 /* bit 31 is not part of the value: it marks a preempted call */
};

/* Builds the tables. Idempotent; event_fields_init calls it before threads start. */
void value_names_init(void);

/* The table of that name in events.def ("hypercall", "runstate", ...), of n characters; NULL: none. */
const struct name_table *name_table_find(const char *name, size_t n);

/* The name of a value; NULL: it has none. */
static inline const struct value_name *value_name(const struct name_table *table, uint64_t value)
{
    return value < NAMES_DENSE ? table->dense[value] : value_name_search(table, value);
}

/* The ARGUMENTS_NAMED first arguments of a hypercall, whatever its number. Never NULL. */
const struct argument *hypercall_arguments(uint32_t number);

#endif
