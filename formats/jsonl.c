/*
 * JSON lines: one object per row. With chosen columns it has these, as a line of CSV does; without a choice every key of its
 * interval is in it.
 */
#include "formats/json_text.h"
#include "formats/writer_ops.h"

/* In each row all that JSON has of its interval; a row of no interval has no granularity. True: nothing. */
static bool add_interval(struct writer *w, const struct row_view *view, const struct relation *relation)
{
    bool first = true;
    for (size_t c = 0; view->interval && c < relation->columns_n; c++) {
        const struct column *column = &relation->columns[c];
        if (!(column->flags & COLUMN_OF_INTERVAL) || column->flags & writer_useless(w))
            continue;
        json_add_member(&w->text, column, view, first);
        first = false;
    }
    bool says_none = relation->own_times && !relation->own_periods;
    if (says_none)
        buffer_text(&w->text, "\"granularity_ns\":null");
    return first && !says_none;
}

static void add_chosen(struct buffer *b, const struct shown *shown, const struct row_view *view)
{
    for (size_t c = 0; c < shown->n; c++)
        json_add_member(b, shown->columns[c], view, c == 0);
}

static int rows(struct writer *w, const struct rows *rows)
{
    const struct shown *shown = choice_find(w->schema->choice, rows->relation);
    struct row_view view = writer_view(w, rows);
    for (size_t r = 0; r < rows->n; r++) {
        view.row = row_at(rows, r);
        buffer_add(&w->text, "{", 1);
        if (w->schema->choice->given)
            add_chosen(&w->text, shown, &view);
        else
            json_add_row(&w->text, shown, &view, add_interval(w, &view, rows->relation));
        buffer_add(&w->text, "}\n", 2);
        if (writer_put_text(w) != 0)
            return -1;
    }
    return 0;
}

const struct writer_ops jsonl_writer = {
    .name = "jsonl",
    .size = sizeof(struct writer),
    .rows = rows,
};
