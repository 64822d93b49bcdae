#include "formats/writer.h"

#include <stdlib.h>
#include <string.h>

#include "formats/writer_ops.h"

static const struct writer_ops *const formats[] = {&table_writer, &csv_writer,    &json_writer,
                                                   &jsonl_writer, &xenmon_writer, NULL};

const char *const writer_formats[] = {"table", "csv", "json", "jsonl", NULL};

bool writer_makes_files(const char *format)
{
    return strcmp(format, xenmon_writer.name) == 0;
}

const char *writer_format_of(const char *path)
{
    static const struct {
        const char *ending, *format;
    } endings[] = {{".csv", "csv"},      {".json", "json"}, {".jsonl", "jsonl"},
                   {".ndjson", "jsonl"}, {".txt", "table"}, {".xma", "archive"}};
    size_t n = strlen(path);
    if (n > 4 && strcmp(path + n - 4, ".zst") == 0)
        n -= 4;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t m = strlen(endings[i].ending);
        if (n > m && strncmp(path + n - m, endings[i].ending, m) == 0)
            return endings[i].format;
    }
    return NULL;
}

bool writer_wants_charges(const char *format, const struct report_schema *schema)
{
    bool own_choice = strcmp(format, table_writer.name) == 0 && !schema->columns_given;
    if (schema->executions)
        return true;
    for (size_t i = 0; own_choice && i < report_columns_n; i++)
        if (report_columns[i].charge && report_columns[i].in_table & 1u << schema->by)
            return true;
    for (size_t i = 0; !own_choice && i < schema->columns_n; i++)
        if (schema->columns[i]->charge)
            return true;
    return false;
}

struct writer *writer_new(const char *format, struct output *out, const struct report_schema *schema,
                          struct error *err)
{
    const struct writer_ops *ops = NULL;
    for (size_t i = 0; formats[i]; i++)
        if (strcmp(formats[i]->name, format) == 0)
            ops = formats[i];
    if (ops == &table_writer && schema->charge)
        ops = &charge_table_writer;
    if (!ops) {
        error_set(err, ERROR_USAGE, "unknown format \"%s\": table, csv, json or jsonl", format);
        return NULL;
    }
    struct writer *w = calloc(1, ops->size);
    if (w) {
        w->ops = ops;
        w->out = out;
        w->schema = schema;
    }
    if (!w || ops->begin(w) != 0) {
        writer_free(w);
        error_no_memory(err, "the output");
        return NULL;
    }
    return w;
}

int writer_interval(struct writer *w, const struct interval *interval, const struct row *rows, size_t n)
{
    if (w->ops->interval)
        return w->ops->interval(w, interval, rows, n);
    for (size_t r = 0; r < n; r++) {
        struct record_view view = view_of_row(w, interval, &rows[r]);
        if (w->ops->record(w, &view) != 0)
            return -1;
    }
    return 0;
}

int writer_execution(struct writer *w, const struct execution *execution)
{
    if (w->ops->execution)
        return w->ops->execution(w, execution);
    struct record_view view = view_of_execution(w, execution);
    return w->ops->record(w, &view);
}

static int put_charges(struct writer *w, const struct interval *interval, const struct charge_idd *idd)
{
    for (size_t r = 0; r < charge_rows_shown(w, idd); r++) {
        struct charge_row row = charge_row_of(idd, r);
        struct record_view view = view_of_charge(w, interval, &row);
        if (w->ops->record(w, &view) != 0)
            return -1;
    }
    return 0;
}

int writer_charges(struct writer *w, const struct interval *interval, const struct charge_idd *idds, size_t n)
{
    if (w->ops->charges)
        return w->ops->charges(w, interval, idds, n);
    for (size_t d = 0; d < n; d++)
        if (put_charges(w, interval, &idds[d]) != 0)
            return -1;
    return 0;
}

int writer_flush(struct writer *w)
{
    return output_flush(w->out);
}

int writer_end(struct writer *w, const struct report_summary *summary)
{
    int status = w->ops->end(w, summary);
    writer_free(w);
    return status;
}

void writer_free(struct writer *w)
{
    if (!w)
        return;
    if (w->ops->release)
        w->ops->release(w);
    buffer_free(&w->text);
    free(w);
}

int writer_no_memory(struct writer *w)
{
    struct error why;
    error_no_memory(&why, "the output");
    return output_fail(w->out, &why);
}

int writer_put_text(struct writer *w)
{
    if (w->text.failed)
        return writer_no_memory(w);
    int status = w->text.n ? output_write(w->out, w->text.at, w->text.n) : 0;
    w->text.n = 0;
    return status;
}

/* What all views of a report have. */
static struct record_view view_of(const struct writer *w)
{
    return (struct record_view){
        .by = w->schema->by, .name_of = w->schema->name_of, .names = w->schema->names};
}

struct record_view view_of_row(const struct writer *w, const struct interval *interval, const struct row *row)
{
    struct record_view view = view_of(w);
    view.interval = interval;
    view.row = row;
    return view;
}

struct record_view view_of_execution(const struct writer *w, const struct execution *execution)
{
    struct record_view view = view_of(w);
    view.execution = execution;
    return view;
}

struct record_view view_of_charge(const struct writer *w, const struct interval *interval,
                                  const struct charge_row *charge)
{
    struct record_view view = view_of(w);
    view.interval = interval;
    view.charge = charge;
    return view;
}

size_t charge_rows_shown(const struct writer *w, const struct charge_idd *idd)
{
    return charge_rows_n(idd, w->schema->charge->guests_only);
}

void writer_add_value(struct buffer *b, const struct column *column, struct value v, const char *none,
                      void (*add_text)(struct buffer *b, const char *s))
{
    switch (v.type) {
    case VALUE_NONE:
        buffer_text(b, none);
        break;
    case VALUE_INTEGER:
        buffer_integer(b, v.integer);
        break;
    case VALUE_DECIMAL:
        buffer_decimal(b, v.decimal, column->digits);
        break;
    case VALUE_TEXT:
        add_text(b, v.text);
        break;
    }
}
