/*
 * CSV of the records of one event: a column for each of its fields. A field that a record does not have (another version of Xen, a
 * shorter form) is empty; a flag that is not set is 0. Arguments of hypercalls, which differ from call to call, are one
 * column in the form of the text, and so are the words of a record without a known form.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "formats/dump_writer_ops.h"

/* Each field as MARK_NAME name MARK_VALUE value; neither mark is in a name or value. */
#define MARK_NAME  '\1'
#define MARK_VALUE '\2'

static const struct dump_style style = {
    .before = "\1", .between = "\2", .behind = "", .quote = "", .open = "", .close = ""};

#define ARGUMENTS "arguments"

static void add_column(struct dump_columns *c, const char *name, bool flag)
{
    for (unsigned i = 0; i < c->n; i++)
        if (strcmp(c->names[i], name) == 0) {
            c->flags[i] &= flag;
            return;
        }
    assert(c->n < DUMP_COLUMNS_MOST);
    c->flags[c->n] = flag;
    c->names[c->n++] = name;
}

static void add_list(struct dump_columns *c, const struct field_list *list)
{
    for (unsigned i = 0; list && i < list->n; i++) {
        const struct field *f = &list->fields[i];
        if (!f->hidden && f->kind != FIELD_WORDS)
            add_column(c, f->kind == FIELD_ARGUMENTS ? ARGUMENTS : f->name, f->kind == FIELD_FLAG);
    }
}

static const char *words_name(void)
{
    return event_fields_unknown()->fields[event_fields_unknown()->n - 1].name;
}

void dump_columns_of(struct dump_columns *c, unsigned slot, const struct own_events *own)
{
    size_t n;
    const struct own_event *events = own_events_all(own, &n);
    c->n = 0;
    for (int words = RECORD_WORDS_MAX; words >= 0; words--) { /* the newest forms have the most */
        if (slot >= EVENT_SLOTS) {
            add_list(c, events[slot - EVENT_SLOTS].lists[words]);
        } else {
            add_list(c, layout_choices[slot][words].first);
            add_list(c, layout_choices[slot][words].second);
        }
    }
    add_column(c, words_name(), false);
}

/* Ends a cell: quoted if there are commas in it. */
static char *end_cell(char *cell, char *end)
{
    size_t n = (size_t)(end - cell);
    if (!memchr(cell, ',', n))
        return end;
    memmove(cell + 1, cell, n);
    cell[0] = '"';
    cell[n + 1] = '"';
    return end + 2;
}

/* The value of a column, from the marked fields; none: NULL. Its end is the next mark, or `end`. */
static const char *find(const char *fields, const char *end, const char *name, const char **value_end)
{
    size_t n = strlen(name);
    for (const char *at = fields; at < end; at = *value_end) {
        const char *value = memchr(at, MARK_VALUE, (size_t)(end - at));
        const char *next = memchr(at + 1, MARK_NAME, (size_t)(end - at - 1));
        *value_end = next ? next : end;
        if ((size_t)(value - at - 1) == n && memcmp(at + 1, name, n) == 0)
            return value + 1;
    }
    return NULL;
}

static bool is_column(const struct dump_columns *c, const char *name, size_t n)
{
    for (unsigned i = 0; i < c->n; i++)
        if (strlen(c->names[i]) == n && memcmp(c->names[i], name, n) == 0)
            return true;
    return false;
}

/* All that is in no column of its own: "NAME=VALUE NAME=VALUE". */
static char *put_arguments(const struct dump_columns *c, const char *fields, const char *end, char *to)
{
    char *begin = to;
    for (const char *at = fields, *next; at < end; at = next) {
        const char *value = memchr(at, MARK_VALUE, (size_t)(end - at));
        next = memchr(at + 1, MARK_NAME, (size_t)(end - at - 1));
        next = next ? next : end;
        if (is_column(c, at + 1, (size_t)(value - at - 1)))
            continue;
        if (to > begin)
            *to++ = ' ';
        to = mempcpy(to, at + 1, (size_t)(value - at - 1));
        *to++ = '=';
        to = mempcpy(to, value + 1, (size_t)(next - value - 1));
    }
    return to;
}

static char *make_tail(struct dump_form *w, const struct dump_record *r, char *to)
{
    const struct dump_columns *c = &w->columns;
    const struct dump_name *name = &w->names[r->slot];
    char fields[DUMP_FIELDS_MOST];
    const char *end = dump_put_fields(w->steps, &style, r, fields);
    to = mempcpy(to, name->text, name->length);
    for (unsigned i = 0; i < c->n; i++) {
        char *cell = to + 1;
        const char *value_end = NULL, *value = find(fields, end, c->names[i], &value_end);
        *to = ',';
        to = cell;
        if (value)
            to = mempcpy(cell, value, (size_t)(value_end - value));
        else if (strcmp(c->names[i], ARGUMENTS) == 0)
            to = put_arguments(c, fields, end, cell);
        else if (c->flags[i])
            *to++ = '0';
        to = end_cell(cell, to);
    }
    *to++ = '\n';
    return to;
}

static char *line(struct dump_form *w, const struct dump_record *r, char *to)
{
    return dump_put_tail(w, r, dump_csv_place(w, r, to), make_tail);
}

/* Whether a field has the name of a column that every record has. */
static bool is_taken(const struct dump_form *w, const char *name)
{
    const char *const taken[] = {
        dump_time_name(w), "pcpu", "domain", "vcpu", "event", w->moments ? "time" : "event"};
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        if (strcmp(taken[i], name) == 0)
            return true;
    return false;
}

static char *header(const struct dump_form *w, char *to)
{
    to += sprintf(to, "%s,%spcpu,domain,vcpu,event", dump_time_name(w), w->moments ? "time," : "");
    for (unsigned i = 0; i < w->columns.n; i++)
        to += sprintf(to, ",%s%s", is_taken(w, w->columns.names[i]) ? "field_" : "", w->columns.names[i]);
    *to++ = '\n';
    return to;
}

const struct dump_writer_ops dump_csv_event = {
    .name = "csv", .header = header, .style = &style, .line = line};
