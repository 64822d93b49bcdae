/*
 * The table of charges: for the whole trace a block for each driver domain, for shorter intervals a line for each
 * guest; at the end how it was charged.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/charge_words.h"
#include "formats/table.h"

#define LINES_PER_HEADER 40 /* on a terminal, where the header scrolls away */

/* ---- cells ---- */

static size_t id_cell(char to[CELL_BYTES], int32_t domain, uint32_t life)
{
    if (life > 1)
        return (size_t)snprintf(to, CELL_BYTES, "%" PRId32 "#%" PRIu32, domain, life);
    return (size_t)snprintf(to, CELL_BYTES, "%" PRId32, domain);
}

/* What a cell shows: the value, but who is charged in words, and the evidence uncut. */
static size_t charge_cell(char to[CELL_BYTES], const struct layout *layout, struct value v,
                          const struct charge_row *row)
{
    static const char *const recipients[] = {"", "own", "unattributed"};
    const char *name = layout->column->name;
    if (strcmp(name, "idd") == 0)
        return id_cell(to, row->idd->domain, row->idd->life);
    if (strcmp(name, "domain") == 0 && row->guest)
        return id_cell(to, row->guest->domain, row->guest->life);
    if (strcmp(name, "domain") == 0)
        return (size_t)snprintf(to, CELL_BYTES, "%s", recipients[row->recipient]);
    if (strcmp(name, "evidence") == 0)
        return (size_t)snprintf(to, CELL_BYTES, "%s", row->evidence);
    *to = '\0';
    return v.type == VALUE_NONE ? 0 : cell_of(to, &layout->scale, v);
}

/* The cells of one row. Time that cannot be judged stands out. */
static void put_row(struct table *t, const struct layout *layouts, size_t n, const struct interval *of,
                    const struct charge_row *row)
{
    struct record_view view = view_of_charge(&t->base, of, row);
    bool is_warning = row->recipient == RECIPIENT_UNATTRIBUTED && row->charged_ns > 0;
    char cell[CELL_BYTES];
    if (is_warning)
        table_style(t, STYLE_WARNING);
    for (size_t c = 0; c < n; c++)
        if (!layouts[c].hidden) {
            size_t width = charge_cell(cell, &layouts[c], layouts[c].column->get(&view), row);
            table_cell(t, layouts, n, c, cell, width);
        }
    if (is_warning)
        table_style(t, STYLE_END);
}

/* ---- blocks ---- */

static void put_name(struct buffer *b, const char *name)
{
    char cell[CELL_BYTES];
    const struct scale plain = {.unit = ""};
    cell_of(cell, &plain, (struct value){.type = VALUE_TEXT, .text = name});
    buffer_printf(b, " (%s)", cell);
}

static const char *percent(char to[HUMAN_BYTES], uint64_t part, uint64_t whole)
{
    return part ? human_percent(to, (double)part, (double)whole) : "0 %";
}

/* "driver domain 0 (Domain-0): ran 7.82 s, 52 % of a pCPU; charged 71 %, own 28 %, unattributed 0.7 %" */
static void put_idd(struct table *t, const struct interval *of, const struct charge_idd *idd)
{
    struct buffer *b = &t->base.text;
    const struct report_schema *schema = t->base.schema;
    const char *name = schema->name_of ? schema->name_of(schema->names, idd->domain, idd->life) : NULL;
    char id[CELL_BYTES], one[HUMAN_BYTES], two[HUMAN_BYTES], three[HUMAN_BYTES];
    id_cell(id, idd->domain, idd->life);
    buffer_text(b, "\n");
    table_style(t, STYLE_HEADER);
    buffer_printf(b, "driver domain %s", id);
    if (name)
        put_name(b, name);
    table_style(t, STYLE_END);
    buffer_printf(b, ": ran %s, %s of a pCPU", human_duration(one, idd->running_ns),
                  percent(two, idd->running_ns, of->end_ns - of->start_ns));
    if (idd->running_ns)
        buffer_printf(b, "; charged %s, own %s, unattributed %s",
                      percent(one, idd->charged_ns, idd->running_ns),
                      percent(two, idd->own_ns, idd->running_ns),
                      percent(three, idd->unattributed_ns, idd->running_ns));
    buffer_printf(b, "\n%s dispatches; %s executions ended without I/O\n", human_count(one, idd->executions),
                  human_count(two, idd->io_free_executions));
}

/* Counts and what is inferred are shown once there has been any. */
static bool is_optional(const struct column *column)
{
    return column->unit == UNIT_COUNT || strcmp(column->name, "inferred_pct") == 0;
}

static bool is_something(struct value v)
{
    return (v.type == VALUE_INTEGER && v.integer) || (v.type == VALUE_DECIMAL && v.decimal > 0);
}

/* On a narrow terminal counts go first, from the right. */
static void fit(struct table *t)
{
    size_t dropped = 0;
    for (size_t c = t->n; c-- > 0 && table_width(t->layouts, t->n) > t->base.schema->width;)
        if (!t->layouts[c].hidden && is_optional(t->layouts[c].column)) {
            t->layouts[c].hidden = true;
            dropped++;
        }
    if (dropped > t->dropped)
        t->dropped = dropped;
}

static bool lay_out(struct table *t, const struct interval *of, const struct charge_idd *idd, size_t rows)
{
    if (!table_grid(t, rows))
        return false;
    for (size_t c = 0; c < t->n; c++) {
        struct layout *layout = &t->layouts[c];
        for (size_t r = 0; r < rows; r++) {
            struct charge_row row = charge_row_of(idd, r);
            struct record_view view = view_of_charge(&t->base, of, &row);
            t->grid[r] = layout->column->get(&view);
            layout->alarmed |= is_something(t->grid[r]);
        }
        layout->hidden = is_optional(layout->column) && !layout->alarmed;
        layout->scale = scale_of(layout->column, t->grid, rows);
        for (size_t r = 0; r < rows; r++) {
            struct charge_row row = charge_row_of(idd, r);
            char cell[CELL_BYTES];
            size_t width = charge_cell(cell, layout, t->grid[r], &row);
            layout->width = width > layout->width ? width : layout->width;
        }
        table_widen_to_heading(layout);
    }
    if (t->base.schema->width)
        fit(t);
    return true;
}

static int put_block(struct table *t, const struct interval *of, const struct charge_idd *idd)
{
    size_t rows = charge_rows_shown(&t->base, idd);
    put_idd(t, of, idd);
    if (rows == 0)
        return 0;
    if (!lay_out(t, of, idd, rows))
        return -1;
    table_header(t, t->layouts, t->n);
    for (size_t r = 0; r < rows; r++) {
        struct charge_row row = charge_row_of(idd, r);
        put_row(t, t->layouts, t->n, of, &row);
    }
    return 0;
}

static int put_blocks(struct table *t, const struct interval *of, const struct charge_idd *idds, size_t n)
{
    table_title(t, of);
    if (n == 0)
        buffer_text(&t->base.text, "no driver domain is in it\n");
    for (size_t d = 0; d < n; d++)
        if (put_block(t, of, &idds[d]) != 0)
            return writer_no_memory(&t->base);
    return writer_put_text(&t->base);
}

/* ---- lines ---- */

static const char *const line_columns[] = {"start_ns",     "end_ns",     "idd",       "domain",
                                           "name",         "charged_ns", "share_pct", "charged_pct",
                                           "inferred_pct", "evidence"};
#define LINE_COLUMNS_N (sizeof line_columns / sizeof *line_columns)

static int begin_lines(struct table *t)
{
    t->execution_layouts = calloc(LINE_COLUMNS_N, sizeof *t->execution_layouts);
    if (!t->execution_layouts)
        return -1;
    for (size_t i = 0; i < LINE_COLUMNS_N; i++) {
        const struct column *column = column_find(charge_columns, charge_columns_n, line_columns[i]);
        if (strcmp(column->name, "name") == 0 && !t->base.schema->name_of)
            continue;
        struct layout *layout = &t->execution_layouts[t->execution_n++];
        layout->column = column;
        layout->scale = scale_free(column);
        layout->width =
            strcmp(column->name, "domain") == 0 ? strlen("unattributed") : table_usual_width(column);
        table_widen_to_heading(layout);
    }
    return 0;
}

/* Rows of time that there was none of say nothing here. */
static bool is_empty(const struct charge_row *row)
{
    return row->recipient != RECIPIENT_GUEST && row->charged_ns == 0;
}

static int put_lines(struct table *t, const struct interval *of, const struct charge_idd *idds, size_t n)
{
    struct buffer *b = &t->base.text;
    for (size_t d = 0; d < n; d++)
        for (size_t r = 0; r < charge_rows_shown(&t->base, &idds[d]); r++) {
            struct charge_row row = charge_row_of(&idds[d], r);
            if (is_empty(&row))
                continue;
            if (t->execution_lines == 0 ||
                (t->base.schema->width && t->execution_lines % LINES_PER_HEADER == 0)) {
                buffer_text(b, t->begun ? "\n" : "");
                table_header(t, t->execution_layouts, t->execution_n);
                t->begun = true;
            }
            t->execution_lines++;
            put_row(t, t->execution_layouts, t->execution_n, of, &row);
        }
    return writer_put_text(&t->base);
}

/* ---- the writer ---- */

static int begin(struct writer *w)
{
    struct table *t = (struct table *)w;
    measures_init(&t->sum);
    t->layouts = calloc(charge_columns_n, sizeof *t->layouts);
    if (!t->layouts)
        return -1;
    for (size_t c = 0; c < charge_columns_n; c++)
        if (charge_columns[c].in_table && (w->schema->name_of || strcmp(charge_columns[c].name, "name") != 0))
            t->layouts[t->n++].column = &charge_columns[c];
    return begin_lines(t);
}

static int charges(struct writer *w, const struct interval *of, const struct charge_idd *idds, size_t n)
{
    struct table *t = (struct table *)w;
    return of->granularity_ns == 0 ? put_blocks(t, of, idds, n) : put_lines(t, of, idds, n);
}

/* "charged by copies, grants, per execution; weights: map 2, copy 1" */
static void put_method(struct buffer *b, const struct charge_schema *schema, const struct charge_summary *s)
{
    char per[CHARGE_PER_BYTES];
    const struct charge_options *options = schema->options;
    const char *before = "charged by ";
    for (size_t i = 0; i < charge_method_names_n; i++)
        if (s->methods & charge_method_names[i].method) {
            buffer_printf(b, "%s%s", before, charge_method_names[i].name);
            before = ", ";
        }
    buffer_printf(b, ", per %s; weights", charge_per_in_words(per, options->interval_ns));
    before = " ";
    for (int kind = 0; kind < IO_KINDS; kind++)
        if (charge_looks_at(options, s->methods, (enum io_kind)kind)) {
            buffer_printf(b, "%s%s %g", before, io_kind_names[kind], options->weights[kind]);
            before = ", ";
        }
    buffer_text(b, options->spread_own ? "; own time is shared out, too\n" : "\n");
}

/* "BEFORE map 1,234, notify 321 (12 % inferred)": a line, or nothing where all are 0. `inferred` may be NULL. */
static void put_counts(struct buffer *b, const char *before, const uint64_t *counts, const uint64_t *inferred,
                       size_t n)
{
    char count[HUMAN_BYTES];
    bool any = false;
    for (size_t kind = 0; kind < n; kind++)
        if (counts[kind]) {
            buffer_printf(b, "%s %s %s", any ? "," : before, io_kind_names[kind],
                          human_count(count, counts[kind]));
            if (inferred && kind < IO_TRACE_KINDS && inferred[kind])
                buffer_printf(b, " (%s inferred)", percent(count, inferred[kind], counts[kind]));
            any = true;
        }
    buffer_text(b, any ? "\n" : "");
}

static void put_events(struct buffer *b, const struct charge_schema *schema, const struct charge_summary *s)
{
    uint64_t unused[IO_KINDS] = {0};
    for (int kind = 0; kind < IO_KINDS; kind++)
        if (!charge_looks_at(schema->options, s->methods, (enum io_kind)kind))
            unused[kind] = s->events[kind];
    put_counts(b, "events:", s->events, s->inferred, IO_KINDS);
    put_counts(b, "not looked at:", unused, NULL, IO_KINDS);
    put_counts(b, "of unknown guest:", s->unassigned, NULL, IO_TRACE_KINDS);
}

static int end(struct writer *w, const struct report_summary *summary)
{
    struct buffer *b = &w->text;
    const struct charge_summary *s = summary->charges;
    bool any = false;
    for (int kind = 0; kind < IO_KINDS; kind++)
        any |= s->events[kind] > 0;
    buffer_text(b, ((const struct table *)w)->begun ? "\n" : "");
    if (any) {
        put_method(b, w->schema->charge, s);
        put_events(b, w->schema->charge, s);
    } else if (s->idds > 0) {
        buffer_text(b, "no I/O was seen: there was none, or the event mask hides it (xentrace -e 0x32f000 "
                       "shows it)\n");
    }
    return table_end(w, summary);
}

const struct writer_ops charge_table_writer = {
    .name = "table",
    .size = sizeof(struct table),
    .begin = begin,
    .charges = charges,
    .end = end,
    .release = table_release,
};
