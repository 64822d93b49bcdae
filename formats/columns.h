/* The tables of output columns (columns.def, charge_columns.def): name, unit, how to get the value. Every writer walks it. */
#ifndef XENMETER_FORMATS_COLUMNS_H
#define XENMETER_FORMATS_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/charge_row.h"
#include "metrics/measure/row.h"
#include "parser/error.h"

enum value_type {
    VALUE_NONE,    /* unknown or does not apply: empty CSV field, JSON null, "-" in a table */
    VALUE_INTEGER, /* */
    VALUE_DECIMAL, /* printed with the column's fixed number of digits */
    VALUE_TEXT     /* static text or a domain name; not owned */
};

struct value {
    enum value_type type;
    union {
        int64_t integer;
        double decimal;
        const char *text;
    };
};

enum unit {
    UNIT_NONE,
    UNIT_NS,      /* a length of time */
    UNIT_INSTANT, /* a moment: ns from the trace's start */
    UNIT_PERCENT,
    UNIT_COUNT,
    UNIT_PER_SECOND
};

/* Names of domains, for the `name` column. Returns NULL when there is none. */
typedef const char *(*name_lookup)(const void *names, int32_t domain, uint32_t life);

/* Everything a column may look at. Exactly one of row/execution/charge is set. */
struct record_view {
    const struct interval *interval;
    const struct row *row;
    const struct execution *execution;
    const struct charge_row *charge;
    enum by by;
    name_lookup name_of; /* may be NULL */
    const void *names;
};

struct column {
    const char *name;  /* CSV header = JSON key; an interface, never changes */
    const char *title; /* short heading of the table, without the unit: "run p99" */
    const char *help;  /* one line for --columns help and the man page */
    enum unit unit;
    uint8_t digits;   /* of a decimal */
    bool key;         /* names the subject; not summed in a totals row */
    bool of_interval; /* granularity_ns, start_ns, end_ns: JSON keeps them on the interval */
    bool alarm;       /* above zero is a worry: the table's default choice has it only then, and in red */
    bool charge;      /* needs I/O and charges accounted */
    uint8_t in_table; /* in the default table of 1 << BY_DOMAIN, ...; executions: any bit */
    struct value (*get)(const struct record_view *view);
};

extern const struct column report_columns[]; /* rows of intervals */
extern const size_t report_columns_n;
extern const struct column execution_columns[]; /* rows of executions */
extern const size_t execution_columns_n;
extern const struct column charge_columns[]; /* rows of charges */
extern const size_t charge_columns_n;

/* The column of that name, or NULL. */
const struct column *column_find(const struct column *table, size_t n, const char *name);

/*
 * Reads a comma-separated list of report column names into `chosen` (at least report_columns_n pointers) in
 * the order given; a name given twice counts once, "all" is all that are not there yet. -1 with `err` naming
 * the unknown one, the nearest known one, and how to list all.
 */
int columns_choose(const char *list, const struct column **chosen, size_t *n, struct error *err);

/* "domain" "vcpu" "pcpu" "domain-pcpu", by enum by. */
extern const char *const by_names[];

/* <0, 0, >0: order of two values of one column: unknown ones last, larger numbers first, text from A to Z. */
int value_compare(struct value a, struct value b);

#endif
