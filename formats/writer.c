#include "formats/writer.h"

#include <stdlib.h>
#include <string.h>

#include "formats/writer_ops.h"

static const struct writer_ops *const formats[] = {&table_writer, &csv_writer, &json_writer, &jsonl_writer,
                                                   NULL};

const char *const writer_formats[] = {"table", "csv", "json", "jsonl", NULL};

const char *writer_format_of(const char *path)
{
    static const struct {
        const char *ending, *format;
    } endings[] = {
        {".csv", "csv"}, {".json", "json"}, {".jsonl", "jsonl"}, {".ndjson", "jsonl"}, {".txt", "table"}};
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

struct writer *writer_new(const char *format, struct output *out, const struct report_schema *schema,
                          struct error *err)
{
    const struct writer_ops *ops = NULL;
    for (size_t i = 0; formats[i]; i++)
        if (strcmp(formats[i]->name, format) == 0)
            ops = formats[i];
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
        error_set(err, ERROR_MEMORY, "not enough memory");
        return NULL;
    }
    return w;
}

int writer_interval(struct writer *w, const struct interval *interval, const struct row *rows, size_t n)
{
    return w->ops->interval(w, interval, rows, n);
}

int writer_execution(struct writer *w, const struct execution *execution)
{
    return w->ops->execution(w, execution);
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
    error_set(&why, ERROR_MEMORY, "not enough memory");
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

struct record_view view_of_row(const struct writer *w, const struct interval *interval, const struct row *row)
{
    return (struct record_view){.interval = interval,
                                .row = row,
                                .by = w->schema->by,
                                .name_of = w->schema->name_of,
                                .names = w->schema->names};
}

struct record_view view_of_execution(const struct writer *w, const struct execution *execution)
{
    return (struct record_view){.execution = execution,
                                .by = w->schema->by,
                                .name_of = w->schema->name_of,
                                .names = w->schema->names};
}
