/* The stacked view of a table: for what is wider than the terminal. */
#include <stdio.h>
#include <string.h>

#include "formats/table.h"
#include "formats/wrap.h"
#include "metrics/min_max.h"

#define BETWEEN    2 /* columns */
#define CELL_LEAST 6 /* columns, so that the rows of several blocks line up */

/* One block of it, as it is laid out. */
struct stacked_block {
    struct table *table;
    const struct table_sheet *sheet;
    const struct value *values;
    size_t rows;
    bool has_sum;
    size_t label; /* columns of the headings at the left */
};

static size_t label_width(const struct table_sheet *s)
{
    char label[CELL_BYTES];
    size_t width = 0;
    for (size_t c = 0; c < s->n; c++)
        if (layout_is_shown(s, &s->layouts[c])) {
            layout_label(label, &s->layouts[c]);
            width = max64(width, strlen(label));
        }
    return width;
}

static size_t make_cell(char cell[CELL_BYTES], const struct stacked_block *k, size_t c, size_t row)
{
    const struct layout *layout = &k->sheet->layouts[c];
    if (k->has_sum && row == k->rows - 1 && layout->column->flags & COLUMN_KEY)
        return (size_t)snprintf(cell, CELL_BYTES, "%s", c == 0 ? "sum" : "");
    return cell_of(cell, layout->column, &layout->scale, k->values[c * k->rows + row]);
}

/* The width of a row's column; what is wider than the terminal has lines of its own. */
static size_t row_width(const struct stacked_block *k, size_t row)
{
    char cell[CELL_BYTES];
    size_t width = CELL_LEAST, room = k->table->base.schema->width;
    for (size_t c = 0; c < k->sheet->n; c++) {
        if (!layout_is_shown(k->sheet, &k->sheet->layouts[c]))
            continue;
        size_t cells = make_cell(cell, k, c, row);
        if (k->label + BETWEEN + cells <= room)
            width = max64(width, cells);
    }
    return width;
}

/* The line of one column, over rows from..to-1 of these widths. */
static void put_line(const struct stacked_block *k, size_t c, size_t from, size_t to, const size_t *widths)
{
    struct writer *w = &k->table->base;
    const struct layout *layout = &k->sheet->layouts[c];
    size_t start = w->text.n;
    char cell[CELL_BYTES];
    layout_label(cell, layout);
    writer_style(w, TEXT_HEADER);
    table_put_cell(&w->text, cell, strlen(cell), k->label, true, false);
    writer_style(w, TEXT_END);
    for (size_t row = from; row < to; row++) {
        size_t width = make_cell(cell, k, c, row);
        bool is_alarm =
            layout->column->flags & COLUMN_ALARM && value_number(k->values[c * k->rows + row]) != 0;
        if (is_alarm)
            writer_style(w, TEXT_ALARM);
        table_put_cell(&w->text, cell, width, widths[row - from], to - from == 1 && k->rows == 1,
                       row + 1 == to);
        if (is_alarm)
            writer_style(w, TEXT_END);
    }
    wrap_lines(&w->text, start, w->schema->width, (unsigned)(k->label + BETWEEN));
}

/* The keys, a rule, the other columns. */
static void put_part(const struct stacked_block *k, size_t from, size_t to, const size_t *widths,
                     size_t width)
{
    const struct table_sheet *s = k->sheet;
    for (unsigned keys = COLUMN_KEY, pass = 0; pass < 2; keys = 0, pass++) {
        bool any = false;
        for (size_t c = 0; c < s->n; c++)
            if (layout_is_shown(s, &s->layouts[c]) && (s->layouts[c].column->flags & COLUMN_KEY) == keys) {
                put_line(k, c, from, to, widths);
                any = true;
            }
        if (keys && any)
            table_put_rule(k->table, min64(width, k->table->base.schema->width));
    }
}

#define SIDE_BY_SIDE 64 /* rows at most */

void table_put_stacked(struct table *t, const struct table_sheet *s, const struct value *values, size_t rows,
                       bool has_sum)
{
    const struct stacked_block k = {t, s, values, rows, has_sum, label_width(s)};
    size_t widths[SIDE_BY_SIDE];
    for (size_t from = 0, to; from < rows; from = to) {
        size_t width = k.label;
        for (to = from; to < rows && to - from < SIDE_BY_SIDE; to++) {
            size_t more = row_width(&k, to);
            if (to > from && width + BETWEEN + more > t->base.schema->width)
                break;
            widths[to - from] = more;
            width += BETWEEN + more;
        }
        buffer_text(&t->base.text, from ? "\n" : "");
        put_part(&k, from, to, widths, width);
    }
}
