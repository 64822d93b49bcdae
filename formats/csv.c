/* Comma-separated values (RFC 4180, LF line ends): one header, all relations and granularities below it. */
#include <stdlib.h>
#include <string.h>

#include "formats/writer_ops.h"

struct csv {
    struct writer base;
    const struct column *
        *columns; /* of each relation as many as there are fields; NULL where one does not apply */
};

static void add_text(struct buffer *b, const char *s)
{
    if (!s[strcspn(s, ",\"\r\n")]) {
        buffer_text(b, s);
        return;
    }
    buffer_text(b, "\"");
    for (;;) {
        size_t n = strcspn(s, "\"");
        buffer_add(b, s, n);
        if (!s[n])
            break;
        buffer_text(b, "\"\"");
        s += n + 1;
    }
    buffer_text(b, "\"");
}

static int begin(struct writer *w)
{
    struct csv *csv = (struct csv *)w;
    const struct column_choice *c = w->schema->choice;
    csv->columns = calloc(c->n * c->fields_n + 1, sizeof(struct column *));
    if (!csv->columns)
        return -1;
    for (size_t f = 0; f < c->fields_n; f++) {
        for (size_t i = 0; i < c->n; i++)
            for (size_t k = 0; k < c->shown[i].n; k++)
                if (strcmp(c->shown[i].columns[k]->name, c->fields[f]) == 0)
                    csv->columns[i * c->fields_n + f] = c->shown[i].columns[k];
        buffer_text(&w->text, f ? "," : "");
        buffer_text(&w->text, c->fields[f]);
    }
    buffer_text(&w->text, "\n");
    if (w->text.failed)
        return -1;
    writer_put_text(w); /* a failing output shows in the next call, and in its commit */
    return 0;
}

static int rows(struct writer *w, const struct rows *rows)
{
    const struct column_choice *c = w->schema->choice;
    size_t relation = (size_t)(choice_find(c, rows->relation) - c->shown);
    const struct column *const *columns = ((struct csv *)w)->columns + relation * c->fields_n;
    struct row_view view = writer_view(w, rows);
    for (size_t r = 0; r < rows->n; r++) {
        view.row = row_at(rows, r);
        for (size_t f = 0; f < c->fields_n; f++) {
            if (f)
                buffer_add(&w->text, ",", 1);
            if (columns[f])
                writer_add_value(&w->text, columns[f], column_value(columns[f], &view), "", add_text);
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
