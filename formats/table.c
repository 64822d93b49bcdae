/* The table: made for reading. One block per interval, in units that make each column comparable. */
#include "formats/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- layout ---- */

void table_style(struct table *t, enum style style)
{
    static const char *const codes[] = {"\033[1m", "\033[2m", "\033[31m", "\033[33m", "\033[0m"};
    if (t->base.schema->color)
        buffer_text(&t->base.text, codes[style]);
}

static bool is_last(const struct layout *layouts, size_t n, size_t at)
{
    while (++at < n)
        if (!layouts[at].hidden)
            return false;
    return true;
}

void table_cell(struct table *t, const struct layout *layouts, size_t n, size_t at, const char *cell,
                size_t width)
{
    struct buffer *b = &t->base.text;
    size_t pad = layouts[at].width > width ? layouts[at].width - width : 0;
    bool is_left = cell_is_left(layouts[at].column);
    buffer_fill(b, ' ', is_left ? 0 : pad);
    buffer_text(b, cell);
    buffer_fill(b, ' ', is_left ? pad : 0);
    if (!is_last(layouts, n, at)) {
        buffer_text(b, "  ");
        return;
    }
    while (b->n && b->at[b->n - 1] == ' ')
        b->n--;
    buffer_text(b, "\n");
}

size_t table_width(const struct layout *layouts, size_t n)
{
    size_t width = 0;
    for (size_t c = 0; c < n; c++)
        if (!layouts[c].hidden)
            width += layouts[c].width + (width ? 2 : 0);
    return width;
}

void table_rule(struct table *t, const struct layout *layouts, size_t n)
{
    table_style(t, STYLE_RULE);
    buffer_fill(&t->base.text, '-', table_width(layouts, n));
    table_style(t, STYLE_END);
    buffer_text(&t->base.text, "\n");
}

void table_header(struct table *t, const struct layout *layouts, size_t n)
{
    char lines[2][CELL_BYTES];
    bool has_first = false;
    for (size_t c = 0; c < n; c++) {
        cell_heading(lines[0], lines[1], layouts[c].column, &layouts[c].scale);
        has_first |= !layouts[c].hidden && *lines[0];
    }
    table_style(t, STYLE_HEADER);
    for (unsigned line = has_first ? 0 : 1; line < 2; line++)
        for (size_t c = 0; c < n; c++)
            if (!layouts[c].hidden) {
                cell_heading(lines[0], lines[1], layouts[c].column, &layouts[c].scale);
                table_cell(t, layouts, n, c, lines[line], strlen(lines[line]));
            }
    table_style(t, STYLE_END);
    table_rule(t, layouts, n);
}

void table_widen_to_heading(struct layout *layout)
{
    char one[CELL_BYTES], two[CELL_BYTES];
    cell_heading(one, two, layout->column, &layout->scale);
    if (strlen(one) > layout->width)
        layout->width = strlen(one);
    if (strlen(two) > layout->width)
        layout->width = strlen(two);
}

void table_fit(struct table *t, struct layout *layouts, size_t n)
{
    size_t dropped = 0;
    for (size_t c = n; c-- > 1 && table_width(layouts, n) > t->base.schema->width;)
        if (!layouts[c].hidden && !layouts[c].column->key) {
            layouts[c].hidden = true;
            dropped++;
        }
    if (dropped > t->dropped)
        t->dropped = dropped;
}

/* ---- intervals ---- */

static int begin(struct writer *w)
{
    struct table *t = (struct table *)w;
    const struct report_schema *schema = w->schema;
    measures_init(&t->sum);
    t->layouts = calloc(report_columns_n + schema->columns_n, sizeof *t->layouts);
    if (!t->layouts)
        return -1;
    if (schema->columns_given)
        for (; t->n < schema->columns_n; t->n++)
            t->layouts[t->n].column = schema->columns[t->n];
    else
        for (size_t c = 0; c < report_columns_n; c++)
            if (report_columns[c].in_table & 1u << schema->by &&
                (schema->name_of || strcmp(report_columns[c].name, "name") != 0))
                t->layouts[t->n++].column = &report_columns[c];
    return table_begin_executions(t);
}

/* What the cell of a row shows: the value, but domain ids that were reused tell their incarnations apart. */
static size_t row_cell(char to[CELL_BYTES], const struct layout *layout, struct value v,
                       const struct row *row)
{
    if (row && row->life > 1 && strcmp(layout->column->name, "domain") == 0)
        return (size_t)snprintf(to, CELL_BYTES, "%" PRId32 "#%" PRIu32, row->domain, row->life);
    return cell_of(to, &layout->scale, v);
}

/*
 * The row of sums is a row like the others, over the merged measures: times and counts add, the percentiles
 * are those of all samples together. Returns false when memory ran out.
 */
static bool sum_rows(struct table *t, const struct row *rows, size_t n, struct row *sum)
{
    *sum = (struct row){.domain = -1, .vcpu = -1, .pcpu = -1, .measures = &t->sum};
    measures_clear(&t->sum);
    for (size_t r = 0; r < n; r++) {
        if (!measures_merge(&t->sum, rows[r].measures))
            return false;
        if (t->base.schema->by != BY_DOMAIN_PCPU) /* there a vCPU may be behind several rows */
            sum->vcpus += rows[r].vcpus;
    }
    return true;
}

static void lay_out(struct table *t, const struct row *rows, size_t n, size_t lines)
{
    char cell[CELL_BYTES];
    for (size_t c = 0; c < t->n; c++) {
        struct layout *layout = &t->layouts[c];
        const struct value *values = &t->grid[c * lines];
        layout->scale = scale_of(layout->column, values, lines);
        for (size_t r = 0; r < lines; r++) {
            size_t width = row_cell(cell, layout, values[r], r < n ? &rows[r] : NULL);
            if (width > layout->width)
                layout->width = width;
            layout->alarmed |=
                layout->column->alarm && values[r].type != VALUE_NONE && strcmp(cell, "0") != 0;
        }
        layout->hidden = !t->base.schema->columns_given && layout->column->alarm && !layout->alarmed;
        table_widen_to_heading(layout);
    }
    if (t->base.schema->width && !t->base.schema->columns_given)
        table_fit(t, t->layouts, t->n);
}

static void put_row(struct table *t, const struct row *row, size_t r, size_t lines)
{
    char cell[CELL_BYTES];
    for (size_t c = 0; c < t->n; c++) {
        const struct layout *layout = &t->layouts[c];
        if (layout->hidden)
            continue;
        size_t width = row_cell(cell, layout, t->grid[c * lines + r], row);
        if (!row && layout->column->key)
            width = (size_t)snprintf(cell, sizeof cell, "%s", c == 0 ? "sum" : "");
        bool is_alarm = layout->column->alarm && strcmp(cell, "0") != 0 && strcmp(cell, "-") != 0;
        if (is_alarm)
            table_style(t, STYLE_ALARM);
        table_cell(t, t->layouts, t->n, c, cell, width);
        if (is_alarm)
            table_style(t, STYLE_END);
    }
}

static void put_instant(struct buffer *b, uint64_t ns, unsigned digits)
{
    if (ns == 0)
        buffer_text(b, "0");
    else
        buffer_decimal(b, (double)ns / 1e9, digits);
    buffer_text(b, " s");
}

/* As many digits as the boundaries need. The whole trace may end anywhere: there its length decides. */
static unsigned digits_of(const struct interval *i)
{
    uint64_t length = i->end_ns - i->start_ns;
    if (i->granularity_ns == 0)
        return length >= 1000000000 ? 3 : length >= 1000000 ? 6 : 9;
    return i->granularity_ns % 1000000 == 0 ? 3 : i->granularity_ns % 1000 == 0 ? 6 : 9;
}

void table_title(struct table *t, const struct interval *of)
{
    struct buffer *b = &t->base.text;
    buffer_text(b, t->begun ? "\n" : "");
    table_style(t, STYLE_HEADER);
    buffer_text(b, of->granularity_ns ? "interval " : "total  ");
    put_instant(b, of->start_ns, digits_of(of));
    buffer_text(b, " - ");
    put_instant(b, of->end_ns, digits_of(of));
    table_style(t, STYLE_END);
    buffer_text(b, "\n");
    t->begun = true;
    t->execution_lines = 0;
}

bool table_grid(struct table *t, size_t values)
{
    if (values <= t->grid_size)
        return true;
    struct value *grid = realloc(t->grid, values * sizeof *grid);
    if (!grid)
        return false;
    t->grid = grid;
    t->grid_size = values;
    return true;
}

static bool fill_grid(struct table *t, const struct interval *of, const struct row *rows, size_t n,
                      const struct row *sum, size_t lines)
{
    if (!table_grid(t, t->n * lines))
        return false;
    for (size_t r = 0; r < lines; r++) {
        struct record_view view = view_of_row(&t->base, of, r < n ? &rows[r] : sum);
        for (size_t c = 0; c < t->n; c++) {
            const struct column *column = t->layouts[c].column;
            bool applies = r < n || !(column->key || column->of_interval);
            t->grid[c * lines + r] = applies ? column->get(&view) : (struct value){.type = VALUE_NONE};
        }
    }
    return true;
}

static int interval(struct writer *w, const struct interval *of, const struct row *rows, size_t n)
{
    struct table *t = (struct table *)w;
    struct row sum = {0};
    table_title(t, of);
    if (n == 0 || t->n == 0) {
        buffer_text(&w->text, "nothing to show\n");
        return writer_put_text(w);
    }
    bool with_sum = n > 1 && t->layouts[0].column->key;
    size_t lines = n + with_sum;
    if ((with_sum && !sum_rows(t, rows, n, &sum)) || !fill_grid(t, of, rows, n, &sum, lines))
        return writer_no_memory(w);
    lay_out(t, rows, n, lines);
    table_header(t, t->layouts, t->n);
    for (size_t r = 0; r < n; r++)
        put_row(t, &rows[r], r, lines);
    if (with_sum) {
        table_rule(t, t->layouts, t->n);
        put_row(t, NULL, n, lines);
    }
    return writer_put_text(w);
}

void table_release(struct writer *w)
{
    struct table *t = (struct table *)w;
    measures_free(&t->sum);
    free(t->layouts);
    free(t->execution_layouts);
    free(t->grid);
}

const struct writer_ops table_writer = {
    .name = "table",
    .size = sizeof(struct table),
    .begin = begin,
    .interval = interval,
    .execution = table_execution,
    .end = table_end,
    .release = table_release,
};
