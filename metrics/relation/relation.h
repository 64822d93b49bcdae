/*
 * A relation describes one kind of result: its rows are structs of one type, its columns say how each value is read
 * from a row, added up and shown. Every writer, choice, order and sum works from this description; a new kind of
 * result is a struct, a table of columns (relation_table.h has the words for it) and one struct relation.
 */
#ifndef XENMETER_METRICS_RELATION_RELATION_H
#define XENMETER_METRICS_RELATION_RELATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "metrics/measure/row.h"
#include "metrics/relation/moments.h"
#include "metrics/relation/scalar.h"

enum value_type {
    VALUE_NONE,    /* unknown or does not apply: empty CSV field, JSON null */
    VALUE_INTEGER, /* */
    VALUE_DECIMAL, /* printed with the column's fixed number of digits */
    VALUE_TEXT,    /* static text, a domain name, or part of the row; not owned */
    VALUE_TIME     /* a time of day: `integer` is ns since 1970, UTC; text in all formats */
};

struct value {
    enum value_type type;
    union {
        uint32_t life;     /* of an integer that is a domain's id; a table shows it when above 1: "7#2" */
        uint32_t own_unit; /* in a column of UNIT_OWN: enum unit, OWN_UNIT_SIGNED or-ed to it */
        uint32_t local;    /* of a time of day: 1: it is shown as local time, 0: as UTC */
        uint32_t number;   /* of a text: 1: it is a decimal number, exact, which orders it; 0: it is not */
    };
    union {
        int64_t integer;
        double decimal;
        const char *text; /* VALUE_NONE: what a table shows in its place; NULL: "-" */
    };
};

enum unit {
    UNIT_NONE,
    UNIT_NS,      /* time that adds up over an interval: running, charged */
    UNIT_NS_EACH, /* the length of one thing, or a mean of such: of an execution, a wait, a slice */
    UNIT_NS_COST, /* what one event costs */
    UNIT_INSTANT, /* a moment: ns from the trace's start */
    UNIT_PERCENT,
    UNIT_COUNT,
    UNIT_PER_SECOND,
    UNIT_POINTS, /* of per cent: what per cents differ by */
    UNIT_OWN     /* each value has its own */
};

#define OWN_UNIT_SIGNED (1u << 8) /* a table shows the sign of what is above zero, too */

/* Names of domains, for the `name` column. Returns NULL when there is none. */
typedef const char *(*name_lookup)(const void *names, int32_t domain, uint32_t life);

/* Everything a column may look at. */
struct row_view {
    const void *row;
    const struct interval *interval; /* NULL: the relation's rows carry their own times */
    enum by by;
    name_lookup name_of; /* may be NULL */
    const void *names;
    const char *host;              /* whose timelines are in the report, where there are several; else NULL */
    const struct moments *moments; /* NULL: moments are ns from the trace's start only */
};

enum column_flag {
    COLUMN_KEY = 1 << 0, /* names the subject: not summed in a row of sums */
    COLUMN_OF_INTERVAL =
        1 << 1,              /* the same for all rows of an interval: JSON has it there, JSONL in every row */
    COLUMN_SEVERAL = 1 << 2, /* of use only where rows by several subjects are in one report */
    COLUMN_TIMELINES = 1 << 13, /* of use only where several timelines of a host are in one report */
    COLUMN_TIMES = 1 << 18, /* of use only where moments are shown as more than ns from the trace's start */
    COLUMN_CHARGE = 1 << 3, /* needs I/O and charges accounted */
    COLUMN_SLICE = 1 << 12, /* needs the slices that the scheduler granted */
    COLUMN_DOMAIN = 1 << 4, /* the domain by which rows are chosen (--domains) */
    COLUMN_PCPU = 1 << 5,   /* the pCPU by which rows are chosen (--pcpus) */
    COLUMN_NAME = 1 << 6,   /* a domain's name: in a table only if names are known */
    /* how a table shows it */
    COLUMN_ALARM = 1 << 7,    /* above zero is a worry: in red, and by default only once it is above zero */
    COLUMN_OPTIONAL = 1 << 8, /* by default only once it is above zero */
    COLUMN_KEEP = 1 << 9,     /* stays where a terminal is too narrow, as keys do */
    COLUMN_LEFT = 1 << 10,    /* its cells begin at the left edge */
    COLUMN_WHOLE = 1 << 11,   /* its text is not cut */
    COLUMN_TEXT =
        1
        << 14, /* a value that is computed is text; of names, and where there are `words`, it is in any case */
    /* what has to be measured for it */
    COLUMN_RUNS = 1 << 15,     /* percentiles of executions' lengths */
    COLUMN_WAITS = 1 << 16,    /* percentiles of waits */
    COLUMN_BLOCKINGS = 1 << 17 /* percentiles of blockings */
};

#define TABLE_LINES                                                                                          \
    (1u << 7) /* in column.in_table, beside 1 << BY_DOMAIN and so on: in tables of single lines */

struct column {
    const char *name;  /* CSV header = JSON key; an interface, never changes */
    const char *title; /* short heading of the table, without the unit: "run p99" */
    const char *help;  /* one line for --columns help and the man page */
    enum unit unit;
    uint8_t digits; /* of a decimal */
    uint8_t
        in_table;   /* in which default tables: 1 << by of the rows (rows without any `by`: 1), TABLE_LINES */
    uint32_t flags; /* enum column_flag, or-ed */
    struct value (*get)(const struct row_view *view); /* NULL: the value is a member of the row: */
    struct scalar scalar;
    const char *const *words; /* of text that is one of these, ended by NULL; or NULL */
};

struct rows;

struct relation {
    const char *name;  /* "execution": JSON's "by" where rows are by no subject */
    const char *title; /* of the list of its columns: "executions (-g execution)" */
    const char *table; /* "executions": the table of a database that has its rows */
    const char *none;  /* what a table says of an interval without rows */
    size_t row_size;
    const struct column *columns;
    size_t columns_n;
    bool by_subject;  /* rows are by domain, vCPU, ... (rows.by) */
    bool plain;       /* rows hold no pointers: copies of them stay what they are */
    bool own_times;   /* rows come as a stream and carry their own times, they belong to no interval */
    bool own_periods; /* own_times, and columns say all about them */
    const char *
        table_sort; /* a table's rows of an interval are in the order of this column if no other is asked for;
                               NULL: in that of the relation */
    /*
     * Rows add up to a row of sums if a column's scalar says how, or by this: fills `total` (total_size bytes that begin
     * with a row; all zero the first time, what this left there later). False when memory ran out.
     */
    bool (*add_up)(void *total, const struct rows *rows);
    void (*total_free)(void *total); /* what add_up left there; NULL: nothing */
    size_t total_size;
    bool (*is_empty)(const void *row); /* nothing was counted in it: lines leave it out; NULL: none is */
    bool (*is_worry)(const void *row); /* a table colours it; NULL: none is */
    bool (*is_rest)(const void *row);  /* it closes its group: neither ordered nor cut; NULL: none is */
    size_t group_size; /* rows come in groups, which are structs of this size (rows.groups); 0: they do not */
    size_t group_at;   /* where in a row the pointer to its group is */
};

/* Rows of one relation, ordered, on their way to a writer. */
struct rows {
    const struct relation *relation;
    enum by by;
    const struct interval *interval; /* NULL: the rows carry their own times */
    const void *at;                  /* n structs */
    size_t n;
    const void *
        groups; /* of a relation with groups: all of the interval, in the rows' order; some may have no row */
    size_t groups_n;
};

static inline const void *row_at(const struct rows *rows, size_t i)
{
    return (const char *)rows->at + i * rows->relation->row_size;
}

/* The first row, from `from` on, that does not belong to group number `group`; without groups the end. */
size_t rows_end_of_group(const struct rows *rows, size_t group, size_t from);

/* The kinds of results of every report. */
extern const struct relation relation_rows;       /* of struct row */
extern const struct relation relation_executions; /* of struct execution */
extern const struct relation relation_charges;    /* of struct charge_row */

/* "domain" "vcpu" "pcpu" "domain-pcpu", by enum by; ended by NULL. */
extern const char *const by_names[];

/* The column of that name, or NULL. */
const struct column *column_find(const struct relation *relation, const char *name);

/*
 * The type of all its values that are not VALUE_NONE; decimals of UNIT_OWN may also be integers. Times of day are VALUE_TEXT
 * here; where moments are shown as tsc, COLUMN_TIMES are integers.
 */
enum value_type column_type(const struct column *column);

struct value column_member(const struct column *column, const void *row);

static inline struct value column_value(const struct column *column, const struct row_view *view)
{
    return column->get ? column->get(view) : column_member(column, view->row);
}

/* A moment as `moments` says: VALUE_TIME, or an integer (tsc); none: it is not known, or `moments` is NULL. */
struct value value_moment(const struct moments *moments, uint64_t ns);

/* What the column has of a row of sums: none where sums make no sense. */
struct value column_total(const struct column *column, const struct row_view *view);

/* Whether rows of this relation add up. */
bool relation_adds(const struct relation *relation);

/* Adds rows up into *total, which is made on first use. False when memory ran out. */
bool relation_add_up(void **total, const struct rows *rows);
void relation_total_free(const struct relation *relation, void *total);

/* <0, 0, >0: order of two values of one column: unknown ones last, larger numbers first, text from A to Z. */
int value_compare(struct value a, struct value b);

#endif
