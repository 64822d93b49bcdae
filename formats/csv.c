/* Comma-separated values (RFC 4180, LF line ends): one header, all granularities and executions below it. */
#include <stdlib.h>
#include <string.h>

#include "formats/writer_ops.h"

/* A field comes from the rows of intervals, from executions, or from both where the name is the same. */
struct csv_field {
    const struct column *report;
    const struct column *execution;
};

struct csv {
    struct writer base;
    struct csv_field *fields;
    size_t n;
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

static const char *field_name(const struct csv_field *field)
{
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): a field has at least one of the two */
    return field->report ? field->report->name : field->execution->name;
}

static void choose_fields(struct csv *csv)
{
    const struct report_schema *schema = csv->base.schema;
    if (schema->granularities || !schema->executions)
        for (size_t i = 0; i < schema->columns_n; i++)
            csv->fields[csv->n++].report = schema->columns[i];
    if (!schema->executions)
        return;
    size_t report_fields = csv->n;
    for (size_t i = 0; i < execution_columns_n; i++) {
        const struct column *column = &execution_columns[i];
        size_t at = 0;
        while (at < report_fields && strcmp(field_name(&csv->fields[at]), column->name) != 0)
            at++;
        if (at == report_fields) { /* not chosen: but a field that is there is filled where it applies */
            at = csv->n++;
            csv->fields[at].report = column_find(report_columns, report_columns_n, column->name);
        }
        csv->fields[at].execution = column;
    }
}

static int begin(struct writer *w)
{
    struct csv *csv = (struct csv *)w;
    csv->fields = calloc(w->schema->columns_n + execution_columns_n, sizeof *csv->fields);
    if (!csv->fields)
        return -1;
    choose_fields(csv);
    for (size_t i = 0; i < csv->n; i++) {
        buffer_text(&w->text, i ? "," : "");
        buffer_text(&w->text, field_name(&csv->fields[i]));
    }
    buffer_text(&w->text, "\n");
    if (w->text.failed)
        return -1;
    writer_put_text(w); /* a failing output shows in the next call, and in its commit */
    return 0;
}

static int record(struct writer *w, const struct record_view *view)
{
    const struct csv *csv = (const struct csv *)w;
    for (size_t i = 0; i < csv->n; i++) {
        const struct column *column = view->execution ? csv->fields[i].execution : csv->fields[i].report;
        if (i)
            buffer_add(&w->text, ",", 1);
        if (column)
            writer_add_value(&w->text, column, column->get(view), "", add_text);
    }
    buffer_add(&w->text, "\n", 1);
    return writer_put_text(w);
}

static int end(struct writer *w, const struct report_summary *summary)
{
    (void)summary; /* a table of rows has no place for it */
    return output_flush(w->out);
}

static void release(struct writer *w)
{
    free(((struct csv *)w)->fields);
}

const struct writer_ops csv_writer = {
    .name = "csv",
    .size = sizeof(struct csv),
    .begin = begin,
    .record = record,
    .end = end,
    .release = release,
};
