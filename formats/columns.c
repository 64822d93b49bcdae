#include "formats/columns.h"

#include <stdlib.h>
#include <string.h>

const char *const by_names[] = {"domain", "vcpu", "pcpu", "domain-pcpu"};

static const char *const wait_kinds[] = {NULL, "wake", "preempt"};
static const char *const execution_ends[] = {"blocked", "preempted", "yielded",  "slept",
                                             "offline", "lost",      "trace_end"};

/* ---- the words in which columns.def says where values come from ---- */

static struct value none(void)
{
    return (struct value){.type = VALUE_NONE};
}

static struct value integer(int64_t n)
{
    return (struct value){.type = VALUE_INTEGER, .integer = n};
}

static struct value decimal(double x)
{
    return (struct value){.type = VALUE_DECIMAL, .decimal = x};
}

static struct value text(const char *s)
{
    return s ? (struct value){.type = VALUE_TEXT, .text = s} : none();
}

/* Numbers beyond int64 (centuries of ns) are not reported rather than reported wrongly. */
static struct value of_u64(uint64_t n)
{
    return n <= INT64_MAX ? integer((int64_t)n) : none();
}

static struct value count(uint64_t n)
{
    return of_u64(n);
}

static struct value of_known(uint64_t n)
{
    return n == NS_UNKNOWN ? none() : of_u64(n);
}

static struct value id(int32_t n)
{
    return n >= 0 ? integer(n) : none();
}

static struct value id_from_one(uint32_t n)
{
    return n ? integer(n) : none();
}

static struct value name_of(const struct record_view *v, int32_t domain, uint32_t life)
{
    return v->name_of && domain >= 0 ? text(v->name_of(v->names, domain, life)) : none();
}

/* A pCPU is running guests, idle or unknown; the other states are those of vCPUs. */
static struct value state(const struct record_view *v, enum runstate s)
{
    const struct measures *m = v->row->measures;
    if (v->by != BY_PCPU || s == RUNSTATE_RUNNING)
        return integer(m->state_ns[s]);
    return s == RUNSTATE_UNKNOWN ? integer(m->pcpu_unknown_ns) : none();
}

static struct value idle(const struct record_view *v)
{
    return v->by == BY_PCPU ? integer(v->row->measures->idle_ns) : none();
}

static struct value together(const struct record_view *v, enum domain_runstate s)
{
    return v->by == BY_DOMAIN ? integer(v->row->measures->domain_ns[s]) : none();
}

static uint64_t length_ns(const struct interval *i)
{
    return i->end_ns > i->start_ns ? i->end_ns - i->start_ns : 0;
}

static struct value share(const struct record_view *v, struct value ns)
{
    uint64_t length = length_ns(v->interval);
    return ns.type == VALUE_INTEGER && length ? decimal(100.0 * (double)ns.integer / (double)length) : none();
}

static struct value rate(const struct record_view *v, uint64_t n)
{
    uint64_t length = length_ns(v->interval);
    return length ? decimal((double)n * 1e9 / (double)length) : none();
}

/* Rounded to the nearest. */
static struct value mean(uint64_t sum, uint64_t n)
{
    return n ? of_u64(sum / n + (sum % n >= n - n / 2)) : none();
}

static struct value per_execution(const struct record_view *v, struct value ns)
{
    if (ns.type != VALUE_INTEGER)
        return none();
    if (ns.integer >= 0)
        return mean((uint64_t)ns.integer, v->row->measures->executions);
    struct value back = mean(-(uint64_t)ns.integer, v->row->measures->executions);
    return back.type == VALUE_INTEGER ? integer(-back.integer) : back;
}

static struct value ratio(struct value n, uint64_t of)
{
    return n.type == VALUE_INTEGER && of ? decimal((double)n.integer / (double)of) : none();
}

/* Of a vCPU only notifications are known: the other events name the domain. */
static struct value io(const struct record_view *v, enum io_kind kind)
{
    return v->by != BY_VCPU || kind == IO_NOTIFY ? count(v->row->measures->io[kind]) : none();
}

static struct value io_sum(const struct record_view *v)
{
    const uint64_t *n = v->row->measures->io;
    return v->by != BY_VCPU ? count(n[IO_MAP] + n[IO_UNMAP] + n[IO_TRANSFER] + n[IO_NOTIFY]) : none();
}

static struct value io_rate(const struct record_view *v)
{
    struct value n = io_sum(v);
    return n.type == VALUE_INTEGER ? rate(v, (uint64_t)n.integer) : none();
}

static struct value blocked_per_io(const struct record_view *v)
{
    struct value blocked = state(v, RUNSTATE_BLOCKED), n = io_sum(v);
    if (blocked.type != VALUE_INTEGER || n.type != VALUE_INTEGER)
        return none();
    return mean((uint64_t)blocked.integer, (uint64_t)n.integer);
}

/* Which vCPU a driver domain worked for cannot be told. */
static struct value charged(const struct record_view *v)
{
    return v->by != BY_VCPU ? integer(v->row->measures->charged_ns) : none();
}

/*
 * Of a pCPU, and of all domains together, what was charged while driver domains ran is part of the running time
 * already.
 */
static struct value aggregate(const struct record_view *v)
{
    const struct measures *m = v->row->measures;
    bool is_domain = (v->by == BY_DOMAIN || v->by == BY_DOMAIN_PCPU) && v->row->domain >= 0;
    return is_domain ? integer(m->state_ns[RUNSTATE_RUNNING] + m->charged_ns) : none();
}

static struct value percentile(const struct histogram *h, unsigned per_mille)
{
    return h->count ? of_u64(histogram_percentile(h, per_mille)) : none();
}

static struct value shortest(const struct histogram *h)
{
    return h->count ? of_u64(h->min) : none();
}

static struct value longest(const struct histogram *h)
{
    return h->count ? of_u64(h->max) : none();
}

static struct value longest_at(const struct histogram *h)
{
    return h->count ? of_u64(h->max_at) : none();
}

static const char *const recipients[] = {"guest", "own", "unattributed"};

static struct value events(const struct charge_row *c, enum io_kind kind)
{
    if (kind >= IO_TX && c->guest && !c->guest->counted[kind - IO_TX])
        return none();
    return kind < c->events_n ? of_u64(c->events[kind]) : none();
}

/* ---- the tables ---- */

#define COLUMN(NAME, TITLE, UNIT, DIGITS, FLAGS, TABLE, VALUE, HELP)                                         \
    static struct value row_##NAME(const struct record_view *v) {                                            \
        const struct interval *i = v->interval;                                                              \
        const struct row *r = v->row;                                                                        \
        const struct measures *m = r->measures;                                                              \
        (void)i;                                                                                             \
        (void)m;                                                                                             \
        return VALUE;                                                                                        \
    }
#define EXECUTION(NAME, TITLE, UNIT, TABLE, VALUE, HELP)                                                     \
    static struct value execution_##NAME(const struct record_view *v) {                                      \
        const struct execution *e = v->execution;                                                            \
        return VALUE;                                                                                        \
    }
#include "formats/columns.def"

enum { KEY = 1, OF_INTERVAL = 2, ALARM = 4, CHARGE = 8 };
enum { D = 1 << BY_DOMAIN, V = 1 << BY_VCPU, P = 1 << BY_PCPU, X = 1 << BY_DOMAIN_PCPU };

#define ROW_COLUMN(GET, NAME, TITLE, UNIT, DIGITS, FLAGS, TABLE, HELP)                                       \
    {.name = #NAME,                                                                                          \
     .title = TITLE,                                                                                         \
     .help = HELP,                                                                                           \
     .unit = UNIT_##UNIT,                                                                                    \
     .digits = DIGITS,                                                                                       \
     .key = ((FLAGS)&KEY) != 0,                                                                              \
     .of_interval = ((FLAGS)&OF_INTERVAL) != 0,                                                              \
     .alarm = ((FLAGS)&ALARM) != 0,                                                                          \
     .charge = ((FLAGS)&CHARGE) != 0,                                                                        \
     .in_table = TABLE,                                                                                      \
     .get = GET},

#define COLUMN(NAME, TITLE, UNIT, DIGITS, FLAGS, TABLE, VALUE, HELP)                                         \
    ROW_COLUMN(row_##NAME, NAME, TITLE, UNIT, DIGITS, FLAGS, TABLE, HELP)
const struct column report_columns[] = {
#include "formats/columns.def"
};
const size_t report_columns_n = sizeof report_columns / sizeof *report_columns;

#define EXECUTION(NAME, TITLE, UNIT, TABLE, VALUE, HELP)                                                     \
    {.name = #NAME,                                                                                          \
     .title = TITLE,                                                                                         \
     .help = HELP,                                                                                           \
     .unit = UNIT_##UNIT,                                                                                    \
     .in_table = TABLE,                                                                                      \
     .get = execution_##NAME},
const struct column execution_columns[] = {
#include "formats/columns.def"
};
const size_t execution_columns_n = sizeof execution_columns / sizeof *execution_columns;

#define COLUMN(NAME, TITLE, UNIT, DIGITS, FLAGS, TABLE, VALUE, HELP)                                         \
    static struct value charge_##NAME(const struct record_view *v) {                                         \
        const struct interval *i = v->interval;                                                              \
        const struct charge_row *c = v->charge;                                                              \
        const struct charge_idd *d = c->idd;                                                                 \
        const struct charge_guest *g = c->guest;                                                             \
        (void)i;                                                                                             \
        (void)d;                                                                                             \
        (void)g;                                                                                             \
        return VALUE;                                                                                        \
    }
#include "formats/charge_columns.def"

#define COLUMN(NAME, TITLE, UNIT, DIGITS, FLAGS, TABLE, VALUE, HELP)                                         \
    ROW_COLUMN(charge_##NAME, NAME, TITLE, UNIT, DIGITS, FLAGS, TABLE, HELP)
const struct column charge_columns[] = {
#include "formats/charge_columns.def"
};
const size_t charge_columns_n = sizeof charge_columns / sizeof *charge_columns;

/* ---- choosing ---- */

static const struct column *find(const struct column *table, size_t n, const char *name, size_t length)
{
    for (size_t i = 0; i < n; i++)
        if (strncmp(table[i].name, name, length) == 0 && table[i].name[length] == '\0')
            return &table[i];
    return NULL;
}

const struct column *column_find(const struct column *table, size_t n, const char *name)
{
    return find(table, n, name, strlen(name));
}

static bool is_chosen(const struct column *const *chosen, size_t n, const struct column *column)
{
    for (size_t i = 0; i < n; i++)
        if (chosen[i] == column)
            return true;
    return false;
}

static void choose(const struct column **chosen, size_t *n, const struct column *column)
{
    if (!is_chosen(chosen, *n, column))
        chosen[(*n)++] = column;
}

#define NAME_MAX_LENGTH 48 /* of what a person may have meant as a column's name */

/* Levenshtein's distance of two short strings. */
static unsigned distance(const char *a, size_t a_length, const char *b)
{
    unsigned row[NAME_MAX_LENGTH + 1];
    size_t b_length = strlen(b);
    if (b_length > NAME_MAX_LENGTH)
        return UINT32_MAX;
    for (size_t j = 0; j <= b_length; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; i <= a_length; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b_length; j++) {
            unsigned best = diagonal + (a[i - 1] != b[j - 1]);
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            diagonal = row[j];
            row[j] = best;
        }
    }
    return row[b_length];
}

static int unknown_column(const char *name, size_t length, struct error *err)
{
    if (length == 0)
        return error_set(err, ERROR_USAGE, "a column name is missing in the list; -c help lists them");
    if (length > NAME_MAX_LENGTH)
        return error_set(err, ERROR_USAGE, "unknown column \"%.*s...\"; -c help lists them", NAME_MAX_LENGTH,
                         name);
    const struct column *nearest = &report_columns[0];
    for (size_t i = 0; i < report_columns_n; i++)
        if (distance(name, length, report_columns[i].name) < distance(name, length, nearest->name))
            nearest = &report_columns[i];
    return error_set(err, ERROR_USAGE, "unknown column \"%.*s\"; the nearest is %s, -c help lists them",
                     (int)length, name, nearest->name);
}

int columns_choose(const char *list, const struct column **chosen, size_t *n, struct error *err)
{
    *n = 0;
    for (const char *name = list;; name++) {
        size_t length = strcspn(name, ",");
        const struct column *column = find(report_columns, report_columns_n, name, length);
        if (column)
            choose(chosen, n, column);
        else if (length == 3 && strncmp(name, "all", length) == 0)
            for (size_t i = 0; i < report_columns_n; i++)
                choose(chosen, n, &report_columns[i]);
        else
            return unknown_column(name, length, err);
        name += length;
        if (!*name)
            return 0;
    }
}

static bool is_number(struct value v)
{
    return v.type == VALUE_INTEGER || v.type == VALUE_DECIMAL;
}

int value_compare(struct value a, struct value b)
{
    if (a.type == VALUE_NONE || b.type == VALUE_NONE)
        return (a.type == VALUE_NONE) - (b.type == VALUE_NONE);
    if (a.type == VALUE_TEXT && b.type == VALUE_TEXT)
        return strcmp(a.text, b.text);
    if (!is_number(a) || !is_number(b)) /* cannot be within one column: numbers first */
        return is_number(b) - is_number(a);
    if (a.type == VALUE_INTEGER && b.type == VALUE_INTEGER)
        return (a.integer < b.integer) - (a.integer > b.integer);
    double x = a.type == VALUE_INTEGER ? (double)a.integer : a.decimal;
    double y = b.type == VALUE_INTEGER ? (double)b.integer : b.decimal;
    return (x < y) - (x > y);
}
