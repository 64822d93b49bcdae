/*
 * The table: made for reading. One block per interval (or group of rows in it) in units that make each column comparable,
 * or single lines: rows of a stream as they come, and short intervals of relations that have columns for lines.
 */
#include "formats/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/charge_table.h"
#include "formats/compared_table.h"
#include "metrics/min_max.h"

#define LINES_PER_HEADER 40 /* on a terminal, where the header scrolls away */
#define REASONS_SHOWN    4  /* the worst; more make no line that anybody reads */

/* ---- layout ---- */

static bool is_last(const struct table_sheet *s, size_t at)
{
    while (++at < s->n)
        if (!s->layouts[at].hidden)
            return false;
    return true;
}

/* A cell in its place: padded to its layout's width; the last one ends the line, without trailing spaces. */
static void put_cell(struct table *t, const struct table_sheet *s, size_t at, const char *cell, size_t width)
{
    struct buffer *b = &t->base.text;
    size_t n = strlen(cell), pad = s->layouts[at].width > width ? s->layouts[at].width - width : 0;
    char *to = buffer_room(b, n + pad + 2);
    if (!to)
        return;
    memset(to, ' ', n + pad + 2);
    /* NOLINTNEXTLINE(bugprone-not-null-terminated-result): what follows is padding */
    memcpy(s->layouts[at].column->flags & COLUMN_LEFT ? to : to + pad, cell, n);
    b->n += n + pad + 2;
    if (!is_last(s, at))
        return;
    while (b->n && b->at[b->n - 1] == ' ')
        b->n--;
    buffer_text(b, "\n");
}

static size_t width_of(const struct table_sheet *s)
{
    size_t width = 0;
    for (size_t c = 0; c < s->n; c++)
        if (!s->layouts[c].hidden)
            width += s->layouts[c].width + (width ? 2 : 0);
    return width;
}

static void put_rule(struct table *t, const struct table_sheet *s)
{
    writer_style(&t->base, STYLE_RULE);
    buffer_fill(&t->base.text, '-', width_of(s));
    writer_style(&t->base, STYLE_END);
    buffer_text(&t->base.text, "\n");
}

static void put_header(struct table *t, const struct table_sheet *s)
{
    char lines[2][CELL_BYTES];
    bool has_first = false;
    for (size_t c = 0; c < s->n; c++) {
        cell_heading(lines[0], lines[1], s->layouts[c].column, &s->layouts[c].scale);
        has_first |= !s->layouts[c].hidden && *lines[0];
    }
    writer_style(&t->base, STYLE_HEADER);
    for (unsigned line = has_first ? 0 : 1; line < 2; line++)
        for (size_t c = 0; c < s->n; c++)
            if (!s->layouts[c].hidden) {
                cell_heading(lines[0], lines[1], s->layouts[c].column, &s->layouts[c].scale);
                put_cell(t, s, c, lines[line], strlen(lines[line]));
            }
    writer_style(&t->base, STYLE_END);
    put_rule(t, s);
}

static void widen_to_heading(struct layout *layout)
{
    char one[CELL_BYTES], two[CELL_BYTES];
    cell_heading(one, two, layout->column, &layout->scale);
    layout->width = max64(layout->width, max64(strlen(one), strlen(two)));
}

/* Hides columns from the right until the rest fits on the terminal; keys and the like stay. */
static void fit(struct table *t, struct table_sheet *s)
{
    const unsigned stay = COLUMN_KEY | COLUMN_OF_INTERVAL | COLUMN_KEEP;
    unsigned width = t->base.schema->width;
    size_t dropped = 0;
    if (width == 0 || t->base.schema->choice->given)
        return;
    for (size_t c = s->n; c-- > 1 && width_of(s) > width;)
        if (!s->layouts[c].hidden && !(s->layouts[c].column->flags & stay)) {
            s->layouts[c].hidden = true;
            dropped++;
        }
    if (dropped > t->dropped)
        t->dropped = dropped;
}

/* ---- sheets ---- */

/* The width of a column in lines that are written before the next is known: what usually occurs. */
static size_t usual_width(const struct column *column)
{
    size_t width = column->unit == UNIT_INSTANT   ? strlen("1234.567890")
                   : column->unit == UNIT_NS      ? strlen("123.4 ms")
                   : column->unit == UNIT_PERCENT ? strlen("100.00")
                   : column->flags & COLUMN_NAME  ? CELL_TEXT_MAX
                                                  : 0;
    for (const char *const *word = column->words; word && *word; word++)
        width = max64(width, strlen(*word));
    return width;
}

static bool is_shown(const struct table *t, const struct column *column, unsigned in_table)
{
    const struct report_schema *schema = t->base.schema;
    if (column->flags & (COLUMN_SEVERAL | COLUMN_TIMELINES) & ~writer_useless(&t->base))
        return false; /* the title has it */
    if (schema->choice->given)
        return true;
    return column->in_table & in_table && (schema->name_of || !(column->flags & COLUMN_NAME));
}

static struct table_sheet *make_sheet(struct table *t, const struct shown *shown, unsigned in_table)
{
    struct table_sheet *s = calloc(1, sizeof *s);
    if (!s || !(s->layouts = calloc(shown->n, sizeof *s->layouts))) {
        free(s);
        return NULL;
    }
    s->relation = shown->relation;
    s->in_table = in_table;
    for (size_t c = 0; c < shown->n; c++)
        if (is_shown(t, shown->columns[c], in_table))
            s->layouts[s->n++].column = shown->columns[c];
    s->next = t->sheets;
    return t->sheets = s;
}

static void lay_out_lines(struct table *t, struct table_sheet *s)
{
    for (struct layout *layout = s->layouts; layout < s->layouts + s->n; layout++) {
        layout->scale = scale_free(layout->column);
        layout->width = usual_width(layout->column);
        widen_to_heading(layout);
    }
    fit(t, s);
}

/* The one for these rows, made on first use; NULL: no memory. */
static struct table_sheet *sheet_of(struct table *t, const struct relation *relation, unsigned in_table)
{
    for (struct table_sheet *s = t->sheets; s; s = s->next)
        if (s->relation == relation && s->in_table == in_table)
            return s;
    struct table_sheet *s = make_sheet(t, choice_find(t->base.schema->choice, relation), in_table);
    if (s && in_table == TABLE_LINES)
        lay_out_lines(t, s);
    return s;
}

/* ---- rows ---- */

/* The cells of a row, or (row NULL) of the sums; values[c * stride] is that of column c. */
static void put_row(struct table *t, const struct table_sheet *s, const struct value *values, size_t stride,
                    const void *row)
{
    bool is_worry = row && s->relation->is_worry && s->relation->is_worry(row);
    char cell[CELL_BYTES];
    if (is_worry)
        writer_style(&t->base, STYLE_WARNING);
    for (size_t c = 0; c < s->n; c++) {
        const struct layout *layout = &s->layouts[c];
        if (layout->hidden)
            continue;
        struct value v = values[c * stride];
        size_t width = cell_of(cell, layout->column, &layout->scale, v);
        if (!row && layout->column->flags & COLUMN_KEY)
            width = (size_t)snprintf(cell, sizeof cell, "%s", c == 0 ? "sum" : "");
        bool is_alarm = layout->column->flags & COLUMN_ALARM && value_number(v) != 0;
        if (is_alarm)
            writer_style(&t->base, STYLE_ALARM);
        put_cell(t, s, c, cell, width);
        if (is_alarm)
            writer_style(&t->base, STYLE_END);
    }
    if (is_worry)
        writer_style(&t->base, STYLE_END);
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

/* The line above an interval: "total  0 s - 15.062 s". */
static void put_title(struct table *t, const struct rows *rows)
{
    const struct interval *of = rows->interval;
    struct buffer *b = &t->base.text;
    buffer_text(b, t->begun ? "\n" : "");
    writer_style(&t->base, STYLE_HEADER);
    buffer_text(b, of->granularity_ns ? "interval " : "total  ");
    put_instant(b, of->start_ns, digits_of(of));
    buffer_text(b, " - ");
    put_instant(b, of->end_ns, digits_of(of));
    if (of->timeline > 0)
        buffer_printf(b, ", %s:%u", t->base.schema->host, of->timeline);
    if (of->gap_ns > 0) {
        buffer_text(b, ", ");
        put_instant(b, of->gap_ns, digits_of(of));
        buffer_text(b, " not recorded");
    }
    if (writer_has_several(&t->base) && rows->relation->by_subject)
        buffer_printf(b, ", by %s", by_names[rows->by]);
    writer_style(&t->base, STYLE_END);
    buffer_text(b, "\n");
    t->begun = true;
    t->lines_of = NULL;
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
            t->grid[c * lines + r] = r < rows->n ? column_value(column, &view) : column_total(column, &view);
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
    struct value extremes[EXTREMES] = {{0}};
    char cell[CELL_BYTES];
    size_t width = 0;
    for (size_t i = 0; i < n; i++) {
        double x = value_number(values[i]);
        if (x == 0 || values[i].life > 1 || layout->column->unit == UNIT_OWN)
            width = max64(width, cell_of(cell, layout->column, &layout->scale, values[i]));
        else if (x < value_number(extremes[LEAST]))
            extremes[LEAST] = values[i];
        else if (x > value_number(extremes[MOST]))
            extremes[MOST] = values[i];
        if (x > 0 && (extremes[TINIEST].type == VALUE_NONE || x < value_number(extremes[TINIEST])))
            extremes[TINIEST] = values[i];
    }
    for (int i = 0; i < EXTREMES; i++)
        if (extremes[i].type != VALUE_NONE)
            width = max64(width, cell_of(cell, layout->column, &layout->scale, extremes[i]));
    return width;
}

static void lay_out_block(struct table *t, struct table_sheet *s, size_t lines)
{
    for (size_t c = 0; c < s->n; c++) {
        struct layout *layout = &s->layouts[c];
        const struct value *values = &t->grid[c * lines];
        bool on_demand = layout->column->flags & (COLUMN_ALARM | COLUMN_OPTIONAL);
        layout->scale = scale_of(layout->column, values, lines);
        layout->width = max64(layout->width, widest_of(layout, values, lines));
        for (size_t r = 0; r < lines && on_demand && !layout->seen; r++)
            layout->seen = value_number(values[r]) != 0;
        layout->hidden = !t->base.schema->choice->given && on_demand && !layout->seen;
        widen_to_heading(layout);
    }
    fit(t, s);
}

/* The rows of an interval or of one of its groups, with a row of sums where that says something. */
static bool put_block(struct table *t, struct table_sheet *s, const struct rows *rows)
{
    bool with_sum = rows->n > 1 && s->layouts[0].column->flags & COLUMN_KEY && relation_adds(s->relation);
    size_t lines = rows->n + with_sum;
    if ((with_sum && !relation_add_up(&s->total, rows)) || !fill_grid(t, s, rows, lines))
        return false;
    lay_out_block(t, s, lines);
    put_header(t, s);
    for (size_t r = 0; r < rows->n; r++)
        put_row(t, s, &t->grid[r], lines, row_at(rows, r));
    if (with_sum) {
        put_rule(t, s);
        put_row(t, s, &t->grid[rows->n], lines, NULL);
    }
    return true;
}

static int put_blocks(struct table *t, struct table_sheet *s, const struct rows *rows)
{
    bool has_groups = s->relation->group_size != 0, ok = true;
    size_t groups = has_groups ? rows->groups_n : 1;
    if (rows->interval)
        put_title(t, rows);
    t->begun = true;
    if (s->n == 0 || (has_groups ? groups : rows->n) == 0)
        buffer_text(&t->base.text, s->relation->none);
    else
        for (size_t g = 0, from = 0, to; g < groups && ok; g++, from = to) {
            to = rows_end_of_group(rows, g, from);
            struct rows part = *rows;
            part.at = (const char *)rows->at + from * s->relation->row_size;
            part.n = to - from;
            if (has_groups)
                charge_table_heading(&t->base, rows->interval, (const struct charge_idd *)rows->groups + g);
            ok = part.n == 0 || put_block(t, s, &part);
        }
    return ok ? writer_put_text(&t->base) : writer_no_memory(&t->base);
}

/* ---- lines ---- */

static int put_lines(struct table *t, struct table_sheet *s, const struct rows *rows)
{
    struct row_view view = writer_view(&t->base, rows);
    if (!reserve_grid(t, s->n))
        return writer_no_memory(&t->base);
    for (size_t r = 0; r < rows->n; r++) {
        view.row = row_at(rows, r);
        if (s->relation->is_empty && s->relation->is_empty(view.row))
            continue;
        if (t->lines_of != s || (t->base.schema->width && t->lines % LINES_PER_HEADER == 0)) {
            buffer_text(&t->base.text, t->begun ? "\n" : "");
            put_header(t, s);
            t->begun = true;
            t->lines = t->lines_of == s ? t->lines : 0;
            t->lines_of = s;
        }
        t->lines++;
        for (size_t c = 0; c < s->n; c++)
            t->grid[c] = column_value(s->layouts[c].column, &view);
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
    struct table_sheet *s = sheet_of(t, rows->relation, lines ? TABLE_LINES : 1u << rows->by);
    if (!s)
        return writer_no_memory(w);
    return lines ? put_lines(t, s, rows) : put_blocks(t, s, rows);
}

/* ---- the end: what was left out, and whether the result can be trusted ---- */

static void put_clock(struct buffer *b, const struct clock *clock)
{
    char count[HUMAN_BYTES];
    buffer_printf(b, "clock %.2f MHz", clock->cpu_hz / 1e6);
    if (clock->measured)
        buffer_printf(b, " measured from %s samples (+-%.*f ppm)", human_count(count, clock->pairs),
                      clock->error_ppm < 10 ? 1 : 0, clock->error_ppm);
    else if (clock->by_host)
        buffer_text(b, " by --io-counts");
    else
        buffer_text(b, " as given");
}

void table_judgement(struct table *t, const char *what, const struct judgement *j)
{
    struct buffer *b = &t->base.text;
    bool is_good = j->verdict == VERDICT_GOOD;
    buffer_printf(b, "%s: ", what);
    if (!is_good)
        writer_style(&t->base, j->verdict == VERDICT_POOR ? STYLE_ALARM : STYLE_WARNING);
    buffer_text(b, verdict_name(j->verdict));
    if (!is_good)
        writer_style(&t->base, STYLE_END);
    for (unsigned i = 0; i < j->reasons && i < REASONS_SHOWN; i++)
        buffer_printf(b, "%s%s", i ? "; " : " - because ", j->why[i]);
    if (j->reasons > REASONS_SHOWN)
        buffer_printf(b, "; and %u more: xenmeter info", j->reasons - REASONS_SHOWN);
}

static void put_verdict(struct table *t, const struct report_summary *summary)
{
    struct buffer *b = &t->base.text;
    char count[HUMAN_BYTES];
    buffer_text(b, t->begun ? "\n" : "");
    table_judgement(t, "verdict", summary->judgement);
    if (summary->judgement->verdict == VERDICT_GOOD) {
        buffer_printf(b, " - %s records, nothing lost, ", human_count(count, summary->quality->records));
        put_clock(b, &summary->clock);
    }
    buffer_text(b, "\n");
    if (summary->charges_judgement && summary->charges_judgement->verdict != VERDICT_GOOD) {
        table_judgement(t, "charges", summary->charges_judgement);
        buffer_text(b, "\n");
    }
}

static int end(struct writer *w, const struct report_summary *summary)
{
    struct table *t = (struct table *)w;
    if (w->schema->charge)
        charge_table_end(w, t->begun, summary->charges);
    if (t->dropped) {
        writer_style(&t->base, STYLE_RULE);
        buffer_printf(&w->text, "\n%zu more column%s: -c all or -f csv", t->dropped,
                      t->dropped == 1 ? "" : "s");
        writer_style(&t->base, STYLE_END);
        buffer_text(&w->text, "\n");
    }
    if (summary->compared)
        compared_table_end(t, summary);
    else
        put_verdict(t, summary);
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
