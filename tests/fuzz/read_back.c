#include "tests/fuzz/read_back.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef HAVE_sqlite3
#include <sqlite3.h>
#endif

#include "formats/output.h"
#include "formats/writer.h"
#include "metrics/pipeline.h"
#include "parser/trace.h"
#include "tests/fuzz/must.h"
#include "tests/fuzz/read_text.h"
#include "tests/unit/bytes_feed.h"

#define MEMORY_LIMIT (64u << 20)
#define ROWS_MOST    100
#define INTERVAL_NS  7777777

struct report {
    struct column_choice choice;
    const struct shown *shown;
    struct report_schema schema;
    struct writer *writer;
    struct expected expected;
    size_t rows; /* and intervals */
    enum by by;
};

/* Names that formats have to quote; domains without one, too. */
static const char *name_of(const void *names, int32_t domain, uint32_t life)
{
    static const char *const hostile[] = {"web",       "a,\"b\"",   "=1+1",        NULL,
                                          "tab\there", "line\nend", "back\\slash", "\xc3\xa4"};
    (void)names;
    (void)life;
    return hostile[(uint32_t)domain % (sizeof hostile / sizeof *hostile)];
}

/* ---- what was written ---- */

static int take_rows(void *context, const struct interval *interval, const struct row *rows, size_t n)
{
    struct report *r = context;
    struct row_view view = {.interval = interval, .by = r->by, .name_of = name_of};
    for (size_t i = 0; i < n; i++) {
        view.row = &rows[i];
        for (size_t c = 0; c < r->shown->n; c++)
            expected_add(&r->expected, r->shown->columns[c], column_value(r->shown->columns[c], &view));
    }
    MUST(writer_rows(r->writer, &(struct rows){&relation_rows, r->by, interval, rows, n, NULL, 0}) == 0,
         "writing failed");
    r->rows += n + 1;
    return r->rows > ROWS_MOST ? -1 : 0;
}

static void end_report(struct report *r, struct output *output, struct trace *trace,
                       struct pipeline *pipeline)
{
    static struct quality quality;
    struct report_summary summary = {.clock = *trace_clock(trace), .quality = &quality};
    struct judgement judgement;
    struct error err = {0};
    pipeline_quality(pipeline, trace, &quality);
    trace_summarise(trace, &summary.trace);
    summary.end_ns = meter_accounted(pipeline_meter(pipeline, 0));
    verdict_judge(&judgement, &quality, &summary.clock, summary.end_ns, summary.trace.pcpus,
                  summary.trace.has_runstates);
    summary.judgement = &judgement;
    MUST(writer_end(r->writer, &summary) == 0, "the report could not be ended");
    r->writer = NULL;
    MUST(output_commit(output, &err) == 0, "%s", err.message);
}

/* False: the trace ended with an error, or there was too much of it. */
static bool write_report(struct report *r, const uint8_t *bytes, size_t n, struct output *output)
{
    struct error err = {0};
    struct bytes_feed memory = {.at = bytes, .n = n};
    const struct feed feed = bytes_feed_of(&memory);
    const struct pipeline_control control = {0};
    const struct meter_options rows = {.bys = 1u << r->by,
                                       .granularities_ns = {INTERVAL_NS},
                                       .granularities = 1,
                                       .sink = {r, take_rows, NULL, NULL, NULL}};
    const struct consumer consumer = {.rows = &rows};
    struct trace_options options = {.cpu_hz = 2.4e9, .memory_limit = MEMORY_LIMIT, .feed = &feed};
    struct pipeline *pipeline = pipeline_new(MEMORY_LIMIT);
    MUST(pipeline && pipeline_add(pipeline, &consumer, &err) == 0, "no pipeline");
    pipeline_wants(pipeline, &options);
    struct trace *trace = trace_open("memory", &options, &err);
    bool done = trace && pipeline_run(pipeline, trace, &control, &err) == 0;
    if (done)
        end_report(r, output, trace, pipeline);
    else
        output_abort(output);
    pipeline_free(pipeline);
    trace_close(trace);
    return done;
}

/* ---- and read ---- */

static char *file_text(const char *path, size_t *n)
{
    FILE *f = fopen(path, "re");
    MUST(f, "%s is not there", path);
    char *text = NULL;
    size_t room = 0;
    ssize_t length = getdelim(&text, &room, '\0', f); /* there is no zero byte in any of these formats */
    MUST(feof(f), "a zero byte in %s", path);
    fclose(f);
    *n = length < 0 ? 0 : (size_t)length;
    MUST(text, "no memory");
    text[*n] = '\0';
    return text;
}

static void check_member(struct expected *e, const struct column *column, const json_t *object)
{
    const json_t *v = json_object_get(object, column->name);
    MUST(v, "%s is missing", column->name);
    if (json_is_null(v))
        expected_check_null(e, column);
    else if (json_is_string(v))
        expected_check_text(e, column, json_string_value(v));
    else if (json_is_integer(v))
        expected_check_integer(e, column, json_integer_value(v));
    else
        expected_check_number(e, column, json_number_value(v), column->digits);
}

static void read_jsonl(struct report *r, const char *text)
{
    for (const char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
        json_error_t why;
        json_t *row = json_loadb(line, (size_t)(end - line), 0, &why);
        MUST(row, "%s in \"%.*s\"", why.text, (int)(end - line), line);
        MUST(json_object_size(row) == r->shown->n, "%zu members of %zu", json_object_size(row), r->shown->n);
        for (size_t c = 0; c < r->shown->n; c++)
            check_member(&r->expected, r->shown->columns[c], row);
        json_decref(row);
    }
}

static const json_t *holder(const struct column *column, const json_t *report, const json_t *interval,
                            const json_t *row)
{
    if (json_object_get(row, column->name))
        return row;
    return json_object_get(interval, column->name) ? interval : report;
}

static void read_json(struct report *r, const char *text, size_t n)
{
    json_error_t why;
    json_t *document = json_loadb(text, n, JSON_REJECT_DUPLICATES, &why);
    MUST(document, "%s", why.text);
    const json_t *report = json_array_get(json_object_get(document, "reports"), 0);
    size_t i, k;
    json_t *interval, *row;
    json_array_foreach(json_object_get(report, "intervals"), i, interval)
    {
        json_array_foreach(json_object_get(interval, "rows"), k, row)
        {
            for (size_t c = 0; c < r->shown->n; c++)
                check_member(&r->expected, r->shown->columns[c],
                             holder(r->shown->columns[c], report, interval, row));
        }
    }
    json_decref(document);
}

#ifdef HAVE_sqlite3
static void check_cell(struct expected *e, const struct column *column, sqlite3_stmt *row, int at)
{
    switch (sqlite3_column_type(row, at)) {
    case SQLITE_NULL:
        expected_check_null(e, column);
        break;
    case SQLITE_TEXT:
        expected_check_text(e, column, (const char *)sqlite3_column_text(row, at));
        break;
    case SQLITE_INTEGER:
        expected_check_integer(e, column, sqlite3_column_int64(row, at));
        break;
    default:
        expected_check_number(e, column, sqlite3_column_double(row, at), column->digits);
        break;
    }
}

static void read_sqlite(struct report *r, const char *path)
{
    sqlite3 *db;
    sqlite3_stmt *row;
    MUST(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK, "%s", sqlite3_errmsg(db));
    MUST(sqlite3_prepare_v2(db, "SELECT * FROM rows ORDER BY rowid", -1, &row, NULL) == SQLITE_OK, "%s",
         sqlite3_errmsg(db));
    while (sqlite3_step(row) == SQLITE_ROW) {
        MUST((size_t)sqlite3_column_count(row) == r->shown->n, "%d columns", sqlite3_column_count(row));
        for (size_t c = 0; c < r->shown->n; c++)
            check_cell(&r->expected, r->shown->columns[c], row, (int)c);
    }
    sqlite3_finalize(row);
    sqlite3_close(db);
}
#endif

static void read_written(struct report *r, enum written format, const char *path)
{
#ifdef HAVE_sqlite3
    if (format == WRITTEN_SQLITE) {
        read_sqlite(r, path);
        return;
    }
#endif
    size_t n;
    char *text = file_text(path, &n);
    if (format == WRITTEN_JSONL)
        read_jsonl(r, text);
    else if (format == WRITTEN_JSON)
        read_json(r, text, n);
    else
        read_fields(&r->expected, r->shown, text, n, format == WRITTEN_TSV);
    free(text);
}

void read_back(const uint8_t *bytes, size_t n, enum written format, enum by by)
{
    static const char *const names[] = {"csv", "tsv", "jsonl", "json", "sqlite"};
    static const struct relation *const relations[] = {&relation_rows};
    static const uint64_t granularities_ns[] = {INTERVAL_NS};
    struct error err = {0};
    struct report r = {.by = by};
    char path[64];
#ifndef HAVE_sqlite3
    if (format == WRITTEN_SQLITE)
        return;
#endif
    snprintf(path, sizeof path, "/dev/shm/xenmeter-fuzz-%d.%s", (int)getpid(), names[format]);
    struct output *output = output_open(path, &err);
    MUST(output, "%s", err.message);
    MUST(choice_make(&r.choice, relations, 1, "all", NULL, 0, &err) == 0, "%s", err.message);
    r.shown = choice_find(&r.choice, &relation_rows);
    r.schema = (struct report_schema){.name = "report",
                                      .choice = &r.choice,
                                      .bys = 1u << by,
                                      .granularities_ns = granularities_ns,
                                      .granularities = 1,
                                      .name_of = name_of,
                                      .raw_names = true};
    r.writer = writer_new(names[format], output, &r.schema, &err);
    MUST(r.writer, "%s", err.message);
    if (write_report(&r, bytes, n, output)) {
        read_written(&r, format, path);
        expected_check_end(&r.expected);
        unlink(path);
    }
    writer_free(r.writer);
    choice_free(&r.choice);
    expected_free(&r.expected);
}
