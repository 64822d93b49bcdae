/*
 * Comma-separated values (RFC 4180, LF line ends), and the same with tabs between them: one header, all relations and
 * granularities below it.
 */
#include <stdlib.h>
#include <string.h>

#include "formats/csv_text.h"
#include "formats/writer_ops.h"

extern const struct writer_ops csv_writer, tsv_writer;

struct csv {
    struct writer base;
    const struct column *
        *columns; /* of each relation as many as there are fields; NULL where one does not apply */
};

static bool has_tabs(const struct writer *w)
{
    return w->ops == &tsv_writer;
}

static int begin(struct writer *w)
{
    struct csv *csv = (struct csv *)w;
    const char *separator = has_tabs(w) ? "\t" : ",";
    const struct column_choice *c = w->schema->choice;
    csv->columns = calloc(c->n * c->fields_n + 1, sizeof(struct column *));
    if (!csv->columns)
        return -1;
    for (size_t f = 0; f < c->fields_n; f++) {
        for (size_t i = 0; i < c->n; i++)
            for (size_t k = 0; k < c->shown[i].n; k++)
                if (strcmp(c->shown[i].columns[k]->name, c->fields[f]) == 0)
                    csv->columns[i * c->fields_n + f] = c->shown[i].columns[k];
        buffer_text(&w->text, f ? separator : "");
        buffer_text(&w->text, c->fields[f]);
    }
    buffer_text(&w->text, "\n");
    if (w->text.failed)
        return -1;
    writer_put_text(w); /* a failing output shows in the next call, and in its commit */
    return 0;
}

static void put_cell(struct writer *w, const struct column *column, struct value v)
{
    char text[CSV_GUARDED_BYTES];
    if (v.type == VALUE_TEXT && !v.number && !w->schema->raw_names)
        v.text = csv_guarded(text, v.text);
    writer_add_value(&w->text, column, v, "", has_tabs(w) ? csv_add_escaped : csv_add_quoted);
}

static int rows(struct writer *w, const struct rows *rows)
{
    const struct column_choice *c = w->schema->choice;
    size_t relation = (size_t)(choice_find(c, rows->relation) - c->shown);
    const struct column *const *columns = ((struct csv *)w)->columns + relation * c->fields_n;
    struct row_view view = writer_view(w, rows);
    bool tabs = has_tabs(w);
    for (size_t r = 0; r < rows->n; r++) {
        view.row = row_at(rows, r);
        for (size_t f = 0; f < c->fields_n; f++) {
            if (f)
                buffer_add(&w->text, tabs ? "\t" : ",", 1);
            if (columns[f])
                put_cell(w, columns[f], column_value(columns[f], &view));
        }
        buffer_add(&w->text, "\n", 1);
        if (writer_put_text(w) != 0)
            return -1;
    }
    return 0;
}

static void release(struct writer *w)
{
    free(((struct csv *)w)->columns);
}

const struct writer_ops csv_writer = {
    .name = "csv",
    .size = sizeof(struct csv),
    .begin = begin,
    .rows = rows,
    .release = release,
};

const struct writer_ops tsv_writer = {
    .name = "tsv",
    .size = sizeof(struct csv),
    .begin = begin,
    .rows = rows,
    .release = release,
};
