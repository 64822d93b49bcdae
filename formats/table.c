/*
 * The table: made for reading. One block per interval (or group of rows in it), or single lines: rows of a stream as they
 * come, and short intervals of relations that have columns for lines. Each column has one unit in the whole run.
 */
#include "formats/table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/charge_table.h"
#include "formats/wrap.h"
#include "metrics/min_max.h"

#define LINES_PER_HEADER 40   /* on a terminal, where the header scrolls away */
#define LINES_MEASURED   1024 /* of those that are there when lines are laid out */

/* ---- cells and headings ---- */

void table_put_cell(struct buffer *b, const char *cell, size_t width, size_t to_width, bool left, bool last)
{
    size_t n = strlen(cell), pad = to_width > width ? to_width - width : 0;
    char *to = buffer_room(b, n + pad + 2);
    if (!to)
        return;
    memset(to, ' ', n + pad + 2);
    /* NOLINTNEXTLINE(bugprone-not-null-terminated-result): what follows is padding */
    memcpy(left ? to : to + pad, cell, n);
    b->n += n + pad + 2;
    if (!last)
        return;
    while (b->n && b->at[b->n - 1] == ' ')
        b->n--;
    buffer_text(b, "\n");
}

static void put_cell(struct table *t, const struct layout *layout, const char *cell, size_t width, bool last)
{
    table_put_cell(&t->base.text, cell, width, layout->width, layout->column->flags & COLUMN_LEFT, last);
}

void table_put_rule(struct table *t, size_t width)
{
    writer_style(&t->base, TEXT_RULE);
    buffer_fill(&t->base.text, '-', width);
    writer_style(&t->base, TEXT_END);
    buffer_text(&t->base.text, "\n");
}

/* "---- wait ms ----" over the columns of the group. */
static void put_group(struct table *t, const struct table_sheet *s, size_t at, const char *name)
{
    char cell[CELL_BYTES];
    size_t width = layout_group_width(s, at), n = strlen(name), last = at;
    size_t dashes = width >= n + 4 && width < sizeof cell ? width - n - 2 : 0;
    memset(cell, '-', sizeof cell);
    snprintf(cell + dashes / 2, sizeof cell - dashes / 2, "%s%s%s", dashes ? " " : "", name,
             dashes ? " " : "");
    if (dashes) {
        cell[dashes / 2 + n + 2] = '-';
        cell[width] = '\0';
    }
    for (size_t left = s->layouts[at].group; left > 1; left--)
        do
            last++;
        while (!layout_is_shown(s, &s->layouts[last]));
    table_put_cell(&t->base.text, cell, strlen(cell), width, false, layout_is_last(s, last));
}

static void put_header(struct table *t, const struct table_sheet *s)
{
    char lines[2][CELL_BYTES];
    bool has_first = false;
    for (size_t c = 0; c < s->n; c++) {
        layout_heading(lines[0], lines[1], s, c);
        has_first |= layout_is_shown(s, &s->layouts[c]) && *lines[0];
    }
    writer_style(&t->base, TEXT_HEADER);
    for (unsigned line = has_first ? 0 : 1; line < 2; line++)
        for (size_t c = 0; c < s->n; c++) {
            const struct layout *layout = &s->layouts[c];
            if (!layout_is_shown(s, layout) || (line == 0 && layout->group == 0))
                continue;
            layout_heading(lines[0], lines[1], s, c);
            if (line == 0 && layout->group > 1)
                put_group(t, s, c, lines[0]);
            else
                put_cell(t, layout, lines[line], strlen(lines[line]), layout_is_last(s, c));
        }
    writer_style(&t->base, TEXT_END);
    table_put_rule(t, layout_width(s));
}

/* ---- sheets ---- */

static bool is_wanted(const struct table *t, const struct column *column, unsigned in_table)
{
    const struct report_schema *schema = t->base.schema;
    if (column->flags & (COLUMN_SEVERAL | COLUMN_TIMELINES) & ~writer_useless(&t->base))
        return false; /* the title has it */
    if (column->flags & COLUMN_TIMES && !schema->choice->given)
        return false; /* so have columns of moments */
    if (schema->choice->given)
        return true;
    return column->in_table & in_table && (schema->name_of || !(column->flags & COLUMN_NAME));
}

/* The shortest interval of the run; where only the whole trace is asked for, that, in whole ms. */
static uint64_t find_shortest(const struct table *t, const struct interval *of)
{
    const struct report_schema *schema = t->base.schema;
    uint64_t shortest = UINT64_MAX;
    for (size_t i = 0; i < schema->granularities; i++)
        if (schema->granularities_ns[i])
            shortest = min64(shortest, schema->granularities_ns[i]);
    if (shortest < UINT64_MAX || !of)
        return shortest < UINT64_MAX ? shortest : 0;
    uint64_t length = of->end_ns - of->start_ns;
    return length - (length >= 1000000 ? length % 1000000 : 0);
}

static struct table_sheet *make_sheet(struct table *t, const struct rows *rows, unsigned in_table)
{
    const struct shown *shown = choice_find(t->base.schema->choice, rows->relation);
    struct table_sheet *s = calloc(1, sizeof *s);
    if (!s || !(s->layouts = calloc(shown->n, sizeof *s->layouts))) {
        free(s);
        return NULL;
    }
    if (!t->shortest_ns)
        t->shortest_ns = find_shortest(t, rows->interval);
    s->relation = rows->relation;
    s->in_table = in_table;
    for (size_t c = 0; c < shown->n; c++)
        if (is_wanted(t, shown->columns[c], in_table))
            s->layouts[s->n++] =
                (struct layout){.column = shown->columns[c],
                                .scale = scale_of(shown->columns[c], t->shortest_ns, table_times(t))};
    s->next = t->sheets;
    return t->sheets = s;
}

/* The one for these rows, made on first use; NULL: no memory. */
static struct table_sheet *sheet_of(struct table *t, const struct rows *rows, unsigned in_table)
{
    for (struct table_sheet *s = t->sheets; s; s = s->next)
        if (s->relation == rows->relation && s->in_table == in_table)
            return s;
    return make_sheet(t, rows, in_table);
}

/* ---- rows ---- */

/* Breaks what was added from offset `from` on to the width of the terminal. */
static void wrap(struct table *t, size_t from, size_t indent)
{
    wrap_lines(&t->base.text, from, t->base.schema->width, (unsigned)indent);
}

/* The cells of a row, or (row NULL) of the sums; values[c * stride] is that of column c. */
static void put_row(struct table *t, const struct table_sheet *s, const struct value *values, size_t stride,
                    const void *row)
{
    bool is_worry = row && s->relation->is_worry && s->relation->is_worry(row);
    char cell[CELL_BYTES];
    size_t from = t->base.text.n, indent = 0, last = layout_last(s);
    if (is_worry)
        writer_style(&t->base, TEXT_WARNING);
    for (size_t c = 0; c < s->n; c++) {
        const struct layout *layout = &s->layouts[c];
        if (!layout_is_shown(s, layout))
            continue;
        struct value v = values[c * stride];
        size_t width = cell_of(cell, layout->column, &layout->scale, v);
        if (!row && layout->column->flags & COLUMN_KEY)
            width = (size_t)snprintf(cell, sizeof cell, "%s", c == 0 ? "sum" : "");
        bool is_alarm = layout->column->flags & COLUMN_ALARM && value_number(v) != 0;
        if (is_alarm)
            writer_style(&t->base, TEXT_ALARM);
        put_cell(t, layout, cell, width, c == last);
        if (is_alarm)
            writer_style(&t->base, TEXT_END);
        indent += c == last ? 0 : layout->width + 2;
    }
    if (is_worry)
        writer_style(&t->base, TEXT_END);
    wrap(t, from, indent); /* text that is not cut goes on below its column */
}

static bool reserve_grid(struct table *t, size_t values)
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

/* ---- blocks ---- */

/* A moment as the table shows moments; any other value as it is. */
static struct value shown_value(const struct table *t, const struct column *column, struct value v)
{
    const struct moments *moments = t->base.schema->moments;
    return column->unit == UNIT_INSTANT && moments && v.type == VALUE_INTEGER && v.integer >= 0
               ? value_moment(moments, (uint64_t)v.integer)
               : v;
}

/* Columns one after the other; the sums, if lines says that they have one, are the last line. */
static bool fill_grid(struct table *t, const struct table_sheet *s, const struct rows *rows, size_t lines)
{
    if (!reserve_grid(t, s->n * lines))
        return false;
    struct row_view view = writer_view(&t->base, rows);
    for (size_t r = 0; r < lines; r++) {
        view.row = r < rows->n ? row_at(rows, r) : s->total;
        for (size_t c = 0; c < s->n; c++) {
            const struct column *column = s->layouts[c].column;
            struct value v = r < rows->n ? column_value(column, &view) : column_total(column, &view);
            t->grid[c * lines + r] = shown_value(t, column, v);
        }
    }
    return true;
}

/*
 * The width of the widest cell. Of two numbers the one further from 0 has the wider cell, unless what is too small to be
 * shown ("<0.01") has it: so only the extremes are made.
 */
static size_t widest_of(const struct layout *layout, const struct value *values, size_t n)
{
    enum { LEAST, MOST, TINIEST, EXTREMES };
    double numbers[EXTREMES] = {0, 0, INFINITY};
    const struct value *extremes[EXTREMES] = {NULL};
    char cell[CELL_BYTES];
    size_t width = 0;
    for (const struct value *v = values; v < values + n; v++) {
        double x = value_number(*v);
        int which = x < numbers[LEAST] ? LEAST : x > numbers[MOST] ? MOST : EXTREMES;
        if (x == 0 || v->life > 1 || layout->column->unit == UNIT_OWN) {
            width = max64(width, cell_of(cell, layout->column, &layout->scale, *v));
        } else if (which < EXTREMES) {
            extremes[which] = v;
            numbers[which] = x;
        }
        if (x > 0 && x < numbers[TINIEST]) {
            extremes[TINIEST] = v;
            numbers[TINIEST] = x;
        }
    }
    for (int i = 0; i < EXTREMES; i++)
        if (extremes[i])
            width = max64(width, cell_of(cell, layout->column, &layout->scale, *extremes[i]));
    return width;
}

static void lay_out_block(struct table *t, struct table_sheet *s, size_t lines)
{
    bool given = t->base.schema->choice->given;
    for (size_t c = 0; c < s->n; c++) {
        struct layout *layout = &s->layouts[c];
        const struct value *values = &t->grid[c * lines];
        bool on_demand = layout->column->flags & (COLUMN_ALARM | COLUMN_OPTIONAL);
        layout->cells = max64(layout->cells, widest_of(layout, values, lines));
        for (size_t r = 0; r < lines && on_demand && !layout->seen; r++)
            layout->seen = value_number(values[r]) != 0;
        layout->absent = !given && on_demand && !layout->seen;
    }
    layout_fit(s, t->base.schema->width, given);
}

/* The rows of an interval or of one of its groups, with a row of sums where that says something. */
static bool put_block(struct table *t, struct table_sheet *s, const struct rows *rows)
{
    bool with_sum = rows->n > 1 && s->layouts[0].column->flags & COLUMN_KEY && relation_adds(s->relation);
    size_t lines = rows->n + with_sum;
    if ((with_sum && !relation_add_up(&s->total, rows)) || !fill_grid(t, s, rows, lines))
        return false;
    lay_out_block(t, s, lines);
    if (s->stacked) {
        table_put_stacked(t, s, t->grid, lines, with_sum);
        return true;
    }
    put_header(t, s);
    for (size_t r = 0; r < rows->n; r++)
        put_row(t, s, &t->grid[r], lines, row_at(rows, r));
    if (with_sum) {
        table_put_rule(t, layout_width(s));
        put_row(t, s, &t->grid[rows->n], lines, NULL);
    }
    return true;
}

static int put_blocks(struct table *t, struct table_sheet *s, const struct rows *rows)
{
    bool has_groups = s->relation->group_size != 0, ok = true;
    size_t groups = has_groups ? rows->groups_n : 1;
    if (rows->interval)
        table_put_title(t, rows);
    t->begun = true;
    if (s->n == 0 || (has_groups ? groups : rows->n) == 0)
        buffer_text(&t->base.text, s->relation->none);
    else
        for (size_t g = 0, from = 0, to; g < groups && ok; g++, from = to) {
            to = rows_end_of_group(rows, g, from);
            struct rows part = *rows;
            part.at = (const char *)rows->at + from * s->relation->row_size;
            part.n = to - from;
            size_t start = t->base.text.n;
            if (has_groups)
                charge_table_heading(&t->base, rows->interval, (const struct charge_idd *)rows->groups + g);
            wrap(t, start, 2);
            ok = part.n == 0 || put_block(t, s, &part);
        }
    return ok ? writer_put_text(&t->base) : writer_no_memory(&t->base);
}

/* ---- lines ---- */

/* By what usually occurs, and the rows that are there already. */
static bool lay_out_lines(struct table *t, struct table_sheet *s, const struct rows *rows)
{
    struct rows first = *rows;
    first.n = min64(rows->n, LINES_MEASURED);
    if (!fill_grid(t, s, &first, first.n))
        return false;
    for (size_t c = 0; c < s->n; c++) {
        struct layout *layout = &s->layouts[c];
        layout->cells = max64(layout_usual_cells(layout, t->shortest_ns),
                              widest_of(layout, &t->grid[c * first.n], first.n));
    }
    layout_fit(s, t->base.schema->width, t->base.schema->choice->given);
    s->laid_out = true;
    return true;
}

/* What stands above a line: nothing, a header, or a blank line where another interval of several rows begins. */
static void put_above_line(struct table *t, const struct table_sheet *s, const struct rows *rows)
{
    struct buffer *b = &t->base.text;
    bool another = rows->interval && s->relation->group_size && rows->interval->start_ns != t->lines_start_ns;
    if (t->lines_of != s || (t->base.schema->width && t->lines >= LINES_PER_HEADER && !s->stacked)) {
        buffer_text(b, t->begun ? "\n" : "");
        if (!s->stacked)
            put_header(t, s);
        t->lines = 0;
    } else if (another || s->stacked) {
        buffer_text(b, "\n");
    }
    t->begun = true;
    t->lines_of = s;
    t->lines++;
    t->lines_start_ns = rows->interval ? rows->interval->start_ns : 0;
}

static int put_lines(struct table *t, struct table_sheet *s, const struct rows *rows)
{
    struct row_view view = writer_view(&t->base, rows);
    if ((!s->laid_out && !lay_out_lines(t, s, rows)) || !reserve_grid(t, s->n))
        return writer_no_memory(&t->base);
    for (size_t r = 0; r < rows->n; r++) {
        view.row = row_at(rows, r);
        if (s->relation->is_empty && s->relation->is_empty(view.row))
            continue;
        put_above_line(t, s, rows);
        for (size_t c = 0; c < s->n; c++)
            t->grid[c] = shown_value(t, s->layouts[c].column, column_value(s->layouts[c].column, &view));
        if (s->stacked)
            table_put_stacked(t, s, t->grid, 1, false);
        else
            put_row(t, s, t->grid, 1, view.row);
    }
    return writer_put_text(&t->base);
}

/* ---- the writer ---- */

static bool has_lines(const struct rows *rows)
{
    bool any = rows->relation->own_times;
    for (size_t c = 0;
         c < rows->relation->columns_n && !any && rows->interval && rows->interval->granularity_ns; c++)
        any = rows->relation->columns[c].in_table & TABLE_LINES;
    return any;
}

static int rows(struct writer *w, const struct rows *rows)
{
    struct table *t = (struct table *)w;
    bool lines = has_lines(rows);
    struct table_sheet *s = sheet_of(t, rows, lines ? TABLE_LINES : 1u << rows->by);
    if (!s)
        return writer_no_memory(w);
    return lines ? put_lines(t, s, rows) : put_blocks(t, s, rows);
}

static int end(struct writer *w, const struct report_summary *summary)
{
    table_put_end((struct table *)w, summary);
    return writer_put_text(w) == 0 ? output_flush(w->out) : -1;
}

static void release(struct writer *w)
{
    struct table *t = (struct table *)w;
    for (struct table_sheet *s = t->sheets, *next; s; s = next) {
        next = s->next;
        relation_total_free(s->relation, s->total);
        free(s->layouts);
        free(s);
    }
    free(t->grid);
}

const struct writer_ops table_writer = {
    .name = "table",
    .size = sizeof(struct table),
    .rows = rows,
    .end = end,
    .release = release,
};
