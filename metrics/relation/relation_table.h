/*
 * The words in which the table of a relation is written: values, short names of flags, columns. Only for the files that
 * define a relation.
 *
 * Columns that compute their value, one line each in a .def file, from which the functions and the table are made:
 *
 *   COLUMN(NAME, TITLE, UNIT, DIGITS, FLAGS, TABLE, VALUE, HELP)
 *
 *   NAME    the CSV header and JSON key: an interface, never renamed
 *   TITLE   the table's heading, without the unit
 *   DIGITS  after the point, for decimals
 *   FLAGS   enum column_flag without COLUMN_, or-ed, or 0
 *   TABLE   in which default tables it is: D (by domain) V (vcpu) P (pcpu) X (domain-pcpu) L (single lines), or-ed, or 0
 *   VALUE   a C expression of type struct value over v (the view) and what the relation's file says
 *   HELP    one line
 *
 * Columns that are members of the row need no function:
 *
 *   {COLUMN_HEAD(waited_ns, "waited", NS, 0, 0, L, "runnable before"), COLUMN_KNOWN(struct execution, waited_ns, U64, NOT, NS_UNKNOWN)}
 */
#ifndef XENMETER_METRICS_RELATION_RELATION_TABLE_H
#define XENMETER_METRICS_RELATION_RELATION_TABLE_H

#include "metrics/relation/relation.h"

enum {
    KEY = COLUMN_KEY,
    CHARGE = COLUMN_CHARGE,
    SLICE = COLUMN_SLICE,
    RUNS = COLUMN_RUNS,
    WAITS = COLUMN_WAITS,
    BLOCKINGS = COLUMN_BLOCKINGS,
    DOMAIN = COLUMN_DOMAIN,
    PCPU = COLUMN_PCPU,
    NAME = COLUMN_NAME,
    ALARM = COLUMN_ALARM,
    OPTIONAL = COLUMN_OPTIONAL,
    KEEP = COLUMN_KEEP,
    LEFT = COLUMN_LEFT,
    WHOLE = COLUMN_WHOLE,
    TEXT = COLUMN_TEXT
};
enum { D = 1 << BY_DOMAIN, V = 1 << BY_VCPU, P = 1 << BY_PCPU, X = 1 << BY_DOMAIN_PCPU, L = TABLE_LINES };

#define COLUMN_HEAD(NAME, TITLE, UNIT, DIGITS, FLAGS, TABLE, HELP)                                           \
    .name = #NAME, .title = TITLE, .help = HELP, .unit = UNIT_##UNIT, .digits = DIGITS, .in_table = TABLE,   \
    .flags = FLAGS
#define COLUMN_MEMBER(STRUCT, MEMBER, TYPE, ADDS)                                                            \
    .scalar = {SCALAR_##TYPE, ADDS_##ADDS, true, offsetof(STRUCT, MEMBER), 0}
/* The same of a member that is unknown, or does not apply, where it has the value ABSENT. */
#define COLUMN_KNOWN(STRUCT, MEMBER, TYPE, ADDS, ABSENT)                                                     \
    .scalar = {SCALAR_##TYPE, ADDS_##ADDS, false, offsetof(STRUCT, MEMBER), (uint64_t)(ABSENT)}

/* The first column of a relation by subject. */
#define BY_COLUMN                                                                                            \
    {                                                                                                        \
        COLUMN_HEAD(by, "by", NONE, 0, COLUMN_OF_INTERVAL | COLUMN_SEVERAL | COLUMN_TEXT, 0,                 \
                    "what the row is about, where rows by several are in one report"),                       \
            .get = interval_by                                                                               \
    }

/* Before those of intervals, in relations that several timelines can be added up to. */
#define TIMELINE_COLUMNS                                                                                     \
    {COLUMN_HEAD(host, "host", NONE, 0, COLUMN_OF_INTERVAL | COLUMN_TIMELINES | COLUMN_TEXT, 0,              \
                 "the host, where several of its timelines are in one report"),                              \
     .get = interval_host},                                                                                  \
        {COLUMN_HEAD(timeline, "timeline", NONE, 0, COLUMN_OF_INTERVAL | COLUMN_TIMELINES, 0,                \
                     "the number of that timeline; none: it is of all"),                                     \
         .get = interval_timeline},                                                                          \
    {                                                                                                        \
        COLUMN_HEAD(not_recorded_ns, "not recorded", NS, 0, COLUMN_OF_INTERVAL | COLUMN_TIMELINES, 0,        \
                    "time in it between timelines, which is left out of rates and per cent"),                \
            .get = interval_gap                                                                              \
    }

/* The first columns of every relation of intervals. TABLE: which tables have start and end. */
#define INTERVAL_COLUMNS(TABLE)                                                                              \
    {COLUMN_HEAD(granularity_ns, "granularity", NS, 0, COLUMN_OF_INTERVAL, 0,                                \
                 "length of the intervals of this report; 0: the whole trace"),                              \
     .get = interval_granularity},                                                                           \
        {COLUMN_HEAD(start_ns, "start", INSTANT, 0, COLUMN_OF_INTERVAL | COLUMN_KEEP, TABLE,                 \
                     "where the interval begins, from the trace's start"),                                   \
         .get = interval_start},                                                                             \
    {                                                                                                        \
        COLUMN_HEAD(end_ns, "end", INSTANT, 0, COLUMN_OF_INTERVAL, TABLE, "where the interval ends"),        \
            .get = interval_end                                                                              \
    }

/* The same as times of day, or as tsc. */
#define TIME_COLUMNS                                                                                         \
    {COLUMN_HEAD(start_time, "start time", NONE, 0, COLUMN_OF_INTERVAL | COLUMN_TIMES | COLUMN_TEXT, 0,      \
                 "the same as --time-format has it: a time of day, or the tsc"),                             \
     .get = interval_start_time},                                                                            \
    {                                                                                                        \
        COLUMN_HEAD(end_time, "end time", NONE, 0, COLUMN_OF_INTERVAL | COLUMN_TIMES | COLUMN_TEXT, 0,       \
                    "where the interval ends, as --time-format has it"),                                     \
            .get = interval_end_time                                                                         \
    }

static inline struct value none(void)
{
    return (struct value){.type = VALUE_NONE};
}

/* None, and a table shows this in its place. */
static inline struct value none_but(const char *shown)
{
    return (struct value){.type = VALUE_NONE, .text = shown};
}

static inline struct value integer(int64_t n)
{
    return (struct value){.type = VALUE_INTEGER, .integer = n};
}

static inline struct value decimal(double x)
{
    return (struct value){.type = VALUE_DECIMAL, .decimal = x};
}

static inline struct value text(const char *s)
{
    return s ? (struct value){.type = VALUE_TEXT, .text = s} : none();
}

/* A decimal number with all its digits: "-1.05". */
static inline struct value exact_number(const char *s)
{
    return s ? (struct value){.type = VALUE_TEXT, .number = 1, .text = s} : none();
}

/* Numbers beyond int64 (centuries of ns) are not reported rather than reported wrongly. */
static inline struct value of_u64(uint64_t n)
{
    return n <= INT64_MAX ? integer((int64_t)n) : none();
}

static inline struct value id(int32_t n)
{
    return n >= 0 ? integer(n) : none();
}

static inline struct value id_from_one(uint32_t n)
{
    return n ? integer(n) : none();
}

static inline struct value domain_id(int32_t domain, uint32_t life)
{
    return domain >= 0 ? (struct value){.type = VALUE_INTEGER, .life = life, .integer = domain} : none();
}

static inline struct value name_of(const struct row_view *v, int32_t domain, uint32_t life)
{
    return v->name_of && domain >= 0 ? text(v->name_of(v->names, domain, life)) : none();
}

/* Without what was not recorded. */
static inline uint64_t length_ns(const struct interval *i)
{
    uint64_t end_ns = i->end_ns - i->gap_ns;
    return end_ns > i->start_ns ? end_ns - i->start_ns : 0;
}

/* Per cent of the interval. */
static inline struct value share(const struct row_view *v, struct value ns)
{
    uint64_t length = length_ns(v->interval);
    return ns.type == VALUE_INTEGER && length ? decimal(100.0 * (double)ns.integer / (double)length) : none();
}

/* Rounded to the nearest. */
static inline struct value mean(uint64_t sum, uint64_t n)
{
    return n ? of_u64(sum / n + (sum % n >= n - n / 2)) : none();
}

static inline struct value interval_by(const struct row_view *v)
{
    return text(by_names[v->by]);
}

static inline struct value interval_host(const struct row_view *v)
{
    return text(v->host);
}

static inline struct value interval_timeline(const struct row_view *v)
{
    return id_from_one(v->interval->timeline);
}

static inline struct value interval_gap(const struct row_view *v)
{
    return of_u64(v->interval->gap_ns);
}

static inline struct value interval_granularity(const struct row_view *v)
{
    return of_u64(v->interval->granularity_ns);
}

static inline struct value interval_start(const struct row_view *v)
{
    return of_u64(v->interval->start_ns);
}

static inline struct value interval_end(const struct row_view *v)
{
    return of_u64(v->interval->end_ns);
}

static inline struct value interval_start_time(const struct row_view *v)
{
    return value_moment(v->moments, v->interval->start_ns);
}

static inline struct value interval_end_time(const struct row_view *v)
{
    return value_moment(v->moments, v->interval->end_ns);
}

#endif
