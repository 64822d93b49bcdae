#include "formats/writer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "formats/time_text.h"
#include "formats/writer_ops.h"
#include "formats/writer_queue.h"

/* A new format is a file with its NAME_writer, and its name here. */
#define FORMATS(F)      F(table) F(csv) F(tsv) F(json) F(jsonl) F(sqlite)
#define FILE_FORMATS(F) F(xenmon)     /* they make files of their own */
#define SUM_FORMATS(F)  F(prometheus) /* they have sums over all intervals */

#define DECLARE(NAME) extern const struct writer_ops NAME##_writer;
#define ADDRESS(NAME) &NAME##_writer,
#define AS_TEXT(NAME) #NAME,

/* clang-format off */
FORMATS(DECLARE)
FILE_FORMATS(DECLARE)
SUM_FORMATS(DECLARE)
/* clang-format on */

static const struct writer_ops *const formats[] = {FORMATS(ADDRESS) FILE_FORMATS(ADDRESS) SUM_FORMATS(ADDRESS)
                                                       NULL};

const char *const writer_formats[] = {FORMATS(AS_TEXT) NULL};
const char *const report_formats[] = {FORMATS(AS_TEXT) FILE_FORMATS(AS_TEXT) SUM_FORMATS(AS_TEXT) "archive",
                                      NULL};

bool writer_makes_files(const char *format)
{
    return strcmp(format, xenmon_writer.name) == 0;
}

bool writer_replaces(const char *format)
{
    return strcmp(format, prometheus_writer.name) == 0;
}

const char *writer_format_of(const char *path)
{
    static const struct {
        const char *ending, *format;
    } endings[] = {{".csv", "csv"},     {".tsv", "tsv"},        {".json", "json"},     {".jsonl", "jsonl"},
                   {".txt", "table"},   {".ndjson", "jsonl"},   {".sqlite", "sqlite"}, {".sqlite3", "sqlite"},
                   {".xma", "archive"}, {".prom", "prometheus"}};
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

const char *writer_foreign_ending(const char *path)
{
    static const char *const endings[] = {".gz",   ".xz",  ".bz2",     ".lz4",  ".zip", ".7z",   ".parquet",
                                          ".avro", ".orc", ".xls",     ".xlsx", ".ods", ".pdf",  ".htm",
                                          ".html", ".png", ".svg",     ".db",   ".xml", ".yaml", ".yml",
                                          ".md",   ".xt",  ".feather", ".arrow"};
    size_t n = strlen(path);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t m = strlen(endings[i]);
        if (n > m && strcasecmp(path + n - m, endings[i]) == 0)
            return endings[i];
    }
    return NULL;
}

bool writer_wants(const char *format, const struct report_schema *schema, enum column_flag flag)
{
    const struct column_choice *c = schema->choice;
    bool own_choice = strcmp(format, table_writer.name) == 0 && !c->given;
    for (const struct shown *s = c->shown; s < c->shown + c->n; s++) {
        unsigned tables = TABLE_LINES | (s->relation->by_subject ? schema->bys : 1);
        if (s->sort && s->sort->flags & flag)
            return true;
        for (size_t i = 0; i < s->n; i++)
            if (s->columns[i]->flags & flag && (!own_choice || s->columns[i]->in_table & tables))
                return true;
    }
    return false;
}

static bool make_selections(struct writer *w)
{
    const struct column_choice *c = w->schema->choice;
    const struct row_view view = {
        .name_of = w->schema->name_of, .names = w->schema->names, .moments = w->schema->moments};
    w->selections = calloc(c->n + 1, sizeof(struct selection *));
    for (size_t i = 0; w->selections && i < c->n; i++)
        if (!(w->selections[i] = selection_new(&c->shown[i], &w->schema->selection, &view)))
            return false;
    return w->selections != NULL;
}

static int write_now(void *context, const struct rows *rows);

struct writer *writer_new(const char *format, struct output *out, const struct report_schema *schema,
                          struct error *err)
{
    const struct writer_ops *ops = NULL;
    for (size_t i = 0; formats[i]; i++)
        if (strcmp(formats[i]->name, format) == 0)
            ops = formats[i];
    if (!ops) {
        error_set(err, ERROR_USAGE, "unknown format \"%s\": table, csv, tsv, json, jsonl or sqlite", format);
        return NULL;
    }
    struct writer *w = calloc(1, ops->size);
    if (w) {
        w->ops = ops;
        w->out = out;
        w->schema = schema;
    }
    if (!w || !make_selections(w) || (ops->begin && ops->begin(w) != 0)) {
        const struct error *why = output_failure(out);
        if (why)
            *err = *why;
        else
            error_no_memory(err, "the output");
        writer_free(w);
        return NULL;
    }
    if (schema->apart)
        w->queue = writer_queue_new(write_now, w); /* without a thread, rows are written here */
    return w;
}

/* Selects rows, and writes them. */
static int write_now(void *context, const struct rows *rows)
{
    struct writer *w = context;
    const struct shown *shown = choice_find(w->schema->choice, rows->relation);
    struct rows selected;
    struct error why;
    struct selection *selection = w->selections[shown - w->schema->choice->shown];
    if (selection_take(selection, rows, &selected, &why) != 0)
        return output_fail(w->out, &why);
    w->rows += selected.n;
    return selected.n || rows->interval ? w->ops->rows(w, &selected) : 0;
}

int writer_rows(struct writer *w, const struct rows *rows)
{
    const struct shown *shown = choice_find(w->schema->choice, rows->relation);
    if (!shown || shown->n == 0)
        return 0;
    if (!w->queue)
        return write_now(w, rows);
    if (writer_queue_put(w->queue, rows) == 0)
        return 0;
    bool no_memory = writer_queue_lacks_memory(w->queue);
    writer_settle(w);
    return no_memory ? writer_no_memory(w) : -1;
}

int writer_replace(struct writer *w, const struct report_summary *summary)
{
    return w->ops->replace(w, summary);
}

int writer_settle(struct writer *w)
{
    struct writer_queue *queue = w->queue;
    w->queue = NULL;
    return queue ? writer_queue_end(queue) : 0;
}

/* What waited for the end to be ordered. */
static int put_rest(struct writer *w, struct selection *s)
{
    struct rows rows;
    struct error why;
    int more, status = 0;
    while (status == 0 && (more = selection_rest(s, &rows, &why)) > 0) {
        w->rows += rows.n;
        status = w->ops->rows(w, &rows);
    }
    return status == 0 && more < 0 ? output_fail(w->out, &why) : status;
}

int writer_rest(struct writer *w, uint64_t *rows)
{
    int status = 0;
    for (size_t i = 0; status == 0 && i < w->schema->choice->n; i++)
        status = put_rest(w, w->selections[i]);
    *rows = w->rows;
    return status;
}

int writer_end(struct writer *w, const struct report_summary *summary)
{
    uint64_t rows;
    int status = writer_rest(w, &rows);
    if (status == 0)
        status = w->ops->end ? w->ops->end(w, summary) : output_flush(w->out);
    writer_free(w);
    return status;
}

void writer_free(struct writer *w)
{
    if (!w)
        return;
    writer_queue_free(w->queue);
    if (w->ops->release)
        w->ops->release(w);
    for (size_t i = 0; w->selections && i < w->schema->choice->n; i++)
        selection_free(w->selections[i]);
    free(w->selections);
    buffer_free(&w->text);
    free(w);
}

int writer_no_memory(struct writer *w)
{
    struct error why;
    error_no_memory(&why, "the output");
    return output_fail(w->out, &why);
}

void writer_style(struct writer *w, enum text_style style)
{
    static const char *const codes[] = {"\033[1m", "\033[2m", "\033[31m", "\033[33m", "\033[0m"};
    if (w->schema->color)
        buffer_text(&w->text, codes[style]);
}

int writer_put_text(struct writer *w)
{
    if (w->text.failed)
        return writer_no_memory(w);
    int status = w->text.n ? output_write(w->out, w->text.at, w->text.n) : 0;
    w->text.n = 0;
    return status;
}

struct row_view writer_view(const struct writer *w, const struct rows *rows)
{
    return (struct row_view){.interval = rows->interval,
                             .by = rows->by,
                             .name_of = w->schema->name_of,
                             .names = w->schema->names,
                             .host = w->schema->host,
                             .moments = w->schema->moments};
}

void writer_add_value(struct buffer *b, const struct column *column, struct value v, const char *none,
                      void (*add_text)(struct buffer *b, const char *s))
{
    char time[TIME_TEXT];
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
    case VALUE_TIME:
        time_text(time, v.integer, v.local);
        add_text(b, time);
        break;
    }
}
