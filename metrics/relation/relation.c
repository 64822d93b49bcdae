#include "metrics/relation/relation.h"

#include <stdlib.h>
#include <string.h>

const char *const by_names[] = {"domain", "vcpu", "pcpu", "domain-pcpu", NULL};

const struct column *column_find(const struct relation *relation, const char *name)
{
    for (size_t i = 0; i < relation->columns_n; i++)
        if (strcmp(relation->columns[i].name, name) == 0)
            return &relation->columns[i];
    return NULL;
}

static enum value_type member_type(const struct scalar *f)
{
    return f->type == SCALAR_REAL ? VALUE_DECIMAL : f->type == SCALAR_NAME ? VALUE_TEXT : VALUE_INTEGER;
}

enum value_type column_type(const struct column *column)
{
    if (!column->get)
        return member_type(&column->scalar);
    if (column->flags & (COLUMN_TEXT | COLUMN_NAME) || column->words)
        return VALUE_TEXT;
    return column->digits ? VALUE_DECIMAL : VALUE_INTEGER;
}

/* Numbers beyond int64 (centuries of ns) are not reported rather than reported wrongly. */
struct value column_member(const struct column *column, const void *row)
{
    const struct scalar *f = &column->scalar;
    uint64_t bits = scalar_bits(f, row);
    struct value v = {.type = VALUE_NONE};
    if (scalar_is_absent(f, bits))
        return v;
    v.type = member_type(f);
    if (f->type == SCALAR_NAME)
        v.text = column->words[bits];
    else if (f->type == SCALAR_U64 && bits > INT64_MAX)
        v.type = VALUE_NONE;
    else
        v.integer = (int64_t)bits; /* or a double's bits */
    return v;
}

struct value column_total(const struct column *column, const struct row_view *view)
{
    bool adds = column->get || column->scalar.adds != ADDS_NOT;
    if (column->flags & (COLUMN_KEY | COLUMN_OF_INTERVAL) || !adds)
        return (struct value){.type = VALUE_NONE};
    return column_value(column, view);
}

struct value value_moment(const struct moments *moments, uint64_t ns)
{
    struct value v = {.type = VALUE_NONE};
    uint64_t tsc;
    if (moments && moments->format == TIMES_TSC && moments->tsc(moments->context, ns, &tsc) &&
        tsc <= INT64_MAX) {
        v.type = VALUE_INTEGER;
        v.integer = (int64_t)tsc;
    } else if (moments && moments->format != TIMES_TSC && moments->utc(moments->context, ns, &v.integer)) {
        v.type = VALUE_TIME;
        v.local = moments->format == TIMES_LOCAL;
    }
    return v;
}

size_t rows_end_of_group(const struct rows *rows, size_t group, size_t from)
{
    const struct relation *relation = rows->relation;
    if (!relation->group_size)
        return rows->n;
    const void *wanted = (const char *)rows->groups + group * relation->group_size;
    for (; from < rows->n; from++) {
        const void *of;
        memcpy(&of, (const char *)row_at(rows, from) + relation->group_at, sizeof of);
        if (of != wanted)
            break;
    }
    return from;
}

/* ---- sums ---- */

bool relation_adds(const struct relation *relation)
{
    bool adds = relation->add_up != NULL;
    for (size_t i = 0; i < relation->columns_n; i++)
        adds |= relation->columns[i].scalar.adds != ADDS_NOT;
    return adds;
}

bool relation_add_up(void **total, const struct rows *rows)
{
    const struct relation *relation = rows->relation;
    if (!*total)
        *total = calloc(1, relation->add_up ? relation->total_size : relation->row_size);
    if (!*total || relation->add_up)
        return *total && relation->add_up(*total, rows);
    for (size_t r = 0; r < rows->n; r++)
        for (size_t c = 0; c < relation->columns_n; c++)
            if (r > 0)
                scalar_add(&relation->columns[c].scalar, *total, row_at(rows, r));
            else if (c == 0)
                memcpy(*total, rows->at, relation->row_size);
    return true;
}

void relation_total_free(const struct relation *relation, void *total)
{
    if (total && relation->total_free)
        relation->total_free(total);
    free(total);
}

/* ---- order ---- */

static bool is_number(struct value v)
{
    return v.type == VALUE_INTEGER || v.type == VALUE_DECIMAL;
}

/* -1, 0, 1: a < b, of two decimal numbers without a sign: "12.50". */
static int compare_digits(const char *a, const char *b)
{
    a += strspn(a, "0");
    b += strspn(b, "0");
    size_t a_whole = strspn(a, "0123456789"), b_whole = strspn(b, "0123456789");
    if (a_whole != b_whole)
        return a_whole < b_whole ? -1 : 1;
    int order = strcmp(a, b);
    return (order > 0) - (order < 0);
}

/* The same with signs; both have as many digits after the point. */
static int compare_numbers(const char *a, const char *b)
{
    bool a_below = *a == '-', b_below = *b == '-';
    if (a_below != b_below)
        return a_below ? -1 : 1;
    return a_below ? compare_digits(b + 1, a + 1) : compare_digits(a, b);
}

int value_compare(struct value a, struct value b)
{
    if (a.type == VALUE_NONE || b.type == VALUE_NONE)
        return (a.type == VALUE_NONE) - (b.type == VALUE_NONE);
    if (a.type == VALUE_TEXT && b.type == VALUE_TEXT)
        return a.number && b.number ? compare_numbers(b.text, a.text) : strcmp(a.text, b.text);
    if (a.type == VALUE_TIME && b.type == VALUE_TIME)
        return (a.integer < b.integer) - (a.integer > b.integer);
    if (!is_number(a) || !is_number(b)) /* cannot be within one column: numbers first */
        return is_number(b) - is_number(a);
    if (a.type == VALUE_INTEGER && b.type == VALUE_INTEGER)
        return (a.integer < b.integer) - (a.integer > b.integer);
    double x = a.type == VALUE_INTEGER ? (double)a.integer : a.decimal;
    double y = b.type == VALUE_INTEGER ? (double)b.integer : b.decimal;
    return (x < y) - (x > y);
}
