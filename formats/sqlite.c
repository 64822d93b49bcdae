/*
 * A database of SQLite: a table for each relation, with the chosen columns as they are typed; the tables `trace` and `quality`
 * (of charges also `method`, of weights `fit`) have one row each, with the members of these objects of the JSON document, what is nested
 * as JSON text; `columns` has a row for each column, with its unit and meaning.
 *
 * SQLite writes to the temporary file of the output itself, without a journal: the file appears whole or not at all.
 */
#include "formats/writer_ops.h"

extern const struct writer_ops sqlite_writer;

static int refuse(struct writer *w, const char *what)
{
    struct error why;
    error_set(&why, ERROR_USAGE, "%s", what);
    return output_fail(w->out, &why);
}

#ifdef HAVE_sqlite3

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "formats/json_memory.h"
#include "formats/json_text.h"
#include "formats/time_text.h"

struct sqlite {
    struct writer base;
    sqlite3 *db;
    sqlite3_stmt **inserts; /* by number of the relation in the choice; NULL: not shown */
};

/* SQLite's own error is why the output fails. */
static int failed(struct writer *w)
{
    struct error why;
    sqlite3 *db = ((struct sqlite *)w)->db;
    if (sqlite3_errcode(db) == SQLITE_NOMEM)
        return writer_no_memory(w);
    error_set(&why, ERROR_IO, "cannot write the database: %s", sqlite3_errmsg(db));
    return output_fail(w->out, &why);
}

/* Runs the statement in w->text, which it empties. */
static int run(struct writer *w)
{
    struct sqlite *s = (struct sqlite *)w;
    buffer_add(&w->text, "", 1);
    if (w->text.failed)
        return writer_no_memory(w);
    int status = sqlite3_exec(s->db, w->text.at, NULL, NULL, NULL);
    w->text.n = 0;
    return status == SQLITE_OK ? 0 : failed(w);
}

/* Compiles the statement in w->text, which it empties. */
static int prepare(struct writer *w, sqlite3_stmt **statement)
{
    struct sqlite *s = (struct sqlite *)w;
    buffer_add(&w->text, "", 1);
    if (w->text.failed)
        return writer_no_memory(w);
    int status = sqlite3_prepare_v2(s->db, w->text.at, -1, statement, NULL);
    w->text.n = 0;
    return status == SQLITE_OK ? 0 : failed(w);
}

/* Adds the row whose values are bound. */
static int insert(struct writer *w, sqlite3_stmt *statement)
{
    int status = sqlite3_step(statement);
    sqlite3_reset(statement);
    return status == SQLITE_DONE ? 0 : failed(w);
}

/* Text may be any bytes; in a database it is UTF-8. */
static int bind_text(sqlite3_stmt *statement, int at, const char *text)
{
    json_t *clean = json_of_text(text);
    int status = clean ? sqlite3_bind_text(statement, at, json_string_value(clean), -1, SQLITE_TRANSIENT)
                       : SQLITE_NOMEM;
    json_decref(clean);
    return status;
}

/* ---- tables of relations ---- */

static const char *type_name(const struct writer *w, const struct column *column)
{
    bool tsc = column->flags & COLUMN_TIMES && w->schema->moments && w->schema->moments->format == TIMES_TSC;
    enum value_type type = tsc ? VALUE_INTEGER : column_type(column);
    return type == VALUE_TEXT ? "TEXT" : type == VALUE_DECIMAL ? "REAL" : "INTEGER";
}

static const char *unit_name(enum unit unit)
{
    switch (unit) {
    case UNIT_NS:
    case UNIT_NS_EACH:
    case UNIT_NS_COST:
        return "ns";
    case UNIT_INSTANT:
        return "ns from the trace's start";
    case UNIT_PERCENT:
        return "%";
    case UNIT_PER_SECOND:
        return "per second";
    case UNIT_OWN:
        return "by column unit";
    case UNIT_POINTS:
    case UNIT_COUNT:
    case UNIT_NONE:
        break;
    }
    return NULL;
}

static int describe_columns(struct writer *w, const struct shown *shown)
{
    sqlite3_stmt *statement = NULL;
    int status = 0;
    buffer_text(&w->text, "INSERT INTO columns VALUES (?, ?, ?, ?)");
    if (prepare(w, &statement) != 0)
        return -1;
    for (size_t c = 0; c < shown->n && status == 0; c++) {
        const struct column *column = shown->columns[c];
        sqlite3_bind_text(statement, 1, shown->relation->table, -1, SQLITE_STATIC);
        sqlite3_bind_text(statement, 2, column->name, -1, SQLITE_STATIC);
        sqlite3_bind_text(statement, 3, unit_name(column->unit), -1, SQLITE_STATIC);
        sqlite3_bind_text(statement, 4, column->help, -1, SQLITE_STATIC);
        status = insert(w, statement);
    }
    sqlite3_finalize(statement);
    return status;
}

static int make_table(struct writer *w, const struct shown *shown, sqlite3_stmt **statement)
{
    const char *table = shown->relation->table;
    buffer_printf(&w->text, "CREATE TABLE %s (", table);
    for (size_t c = 0; c < shown->n; c++)
        buffer_printf(&w->text, "%s\"%s\" %s", c ? ", " : "", shown->columns[c]->name,
                      type_name(w, shown->columns[c]));
    buffer_text(&w->text, ")");
    if (run(w) != 0)
        return -1;
    buffer_printf(&w->text, "INSERT INTO %s VALUES (?", table);
    for (size_t c = 1; c < shown->n; c++)
        buffer_text(&w->text, ", ?");
    buffer_text(&w->text, ")");
    return prepare(w, statement) == 0 ? describe_columns(w, shown) : -1;
}

static int begin(struct writer *w)
{
    struct sqlite *s = (struct sqlite *)w;
    const struct column_choice *choice = w->schema->choice;
    const char *path = output_file(w->out);
    if (!path)
        return refuse(
            w, "--format sqlite makes a file, which is not compressed: give its name, --output FILE.sqlite");
    s->inserts = calloc(choice->n + 1, sizeof(sqlite3_stmt *));
    if (!s->inserts)
        return writer_no_memory(w);
    if (sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        return s->db ? failed(w) : writer_no_memory(w);
    buffer_text(
        &w->text,
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE; BEGIN; "
        "CREATE TABLE columns (table_name TEXT, name TEXT, unit TEXT, meaning TEXT)");
    if (run(w) != 0)
        return -1;
    for (size_t i = 0; i < choice->n; i++)
        if (choice->shown[i].n && make_table(w, &choice->shown[i], &s->inserts[i]) != 0)
            return -1;
    return 0;
}

static int bind(sqlite3_stmt *statement, int at, struct value v)
{
    char time[TIME_TEXT];
    switch (v.type) {
    case VALUE_INTEGER:
        return sqlite3_bind_int64(statement, at, v.integer);
    case VALUE_DECIMAL:
        return sqlite3_bind_double(statement, at, v.decimal);
    case VALUE_TEXT:
        return bind_text(statement, at, v.text);
    case VALUE_TIME:
        time_text(time, v.integer, v.local);
        return bind_text(statement, at, time);
    case VALUE_NONE:
        break;
    }
    return sqlite3_bind_null(statement, at);
}

static int rows(struct writer *w, const struct rows *rows)
{
    const struct sqlite *s = (struct sqlite *)w;
    const struct column_choice *choice = w->schema->choice;
    const struct shown *shown = choice_find(choice, rows->relation);
    sqlite3_stmt *statement = s->inserts[shown - choice->shown];
    struct row_view view = writer_view(w, rows);
    for (size_t r = 0; r < rows->n; r++) {
        view.row = row_at(rows, r);
        for (size_t c = 0; c < shown->n; c++)
            if (bind(statement, (int)c + 1, column_value(shown->columns[c], &view)) != SQLITE_OK)
                return failed(w);
        if (insert(w, statement) != 0)
            return -1;
    }
    return 0;
}

/* ---- tables of one row ---- */

/* The same whether a value is known or null: times and counts are integers, parts per million are not, the rest is text. */
static const char *type_of_json(const char *key, const json_t *value)
{
    static const char *const texts[] = {"file",      "compression", "read_from",    "host",          "source",
                                        "io_counts", "dom0_trace",  "own_baseline", "cpu_hz_source", "idds"};
    size_t n = strlen(key);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (strcmp(key, texts[i]) == 0)
            return "TEXT";
    if (json_is_real(value) || (n > 4 && strcmp(key + n - 4, "_ppm") == 0))
        return "REAL";
    return json_is_integer(value) || json_is_boolean(value) || json_is_null(value) ? "INTEGER" : "TEXT";
}

static int bind_json(sqlite3_stmt *statement, int at, const json_t *value)
{
    if (json_is_null(value))
        return sqlite3_bind_null(statement, at);
    if (json_is_boolean(value))
        return sqlite3_bind_int64(statement, at, json_is_true(value));
    if (json_is_integer(value))
        return sqlite3_bind_int64(statement, at, json_integer_value(value));
    if (json_is_real(value))
        return sqlite3_bind_double(statement, at, json_real_value(value));
    if (json_is_string(value))
        return sqlite3_bind_text(statement, at, json_string_value(value), -1, SQLITE_TRANSIENT);
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_PRESERVE_ORDER);
    int status = text ? sqlite3_bind_text(statement, at, text, -1, SQLITE_TRANSIENT) : SQLITE_NOMEM;
    free(text);
    return status;
}

static int fill_object(struct writer *w, json_t *object, sqlite3_stmt *statement)
{
    const char *key;
    json_t *value;
    int at = 0;
    json_object_foreach(object, key, value)
    {
        if (bind_json(statement, ++at, value) != SQLITE_OK)
            return json_memory_failed() ? writer_no_memory(w) : failed(w);
    }
    return insert(w, statement);
}

/* A table with the object's members as columns, and one row; takes the object over. NULL: no memory. */
static int put_object(struct writer *w, const char *table, json_t *object)
{
    const char *key, *before = "";
    json_t *value;
    sqlite3_stmt *statement = NULL;
    if (!object || json_memory_failed()) {
        json_decref(object);
        return writer_no_memory(w);
    }
    buffer_printf(&w->text, "CREATE TABLE %s (", table);
    json_object_foreach(object, key, value)
    {
        buffer_printf(&w->text, "%s\"%s\" %s", before, key, type_of_json(key, value));
        before = ", ";
    }
    buffer_text(&w->text, ")");
    int status = run(w);
    if (status == 0) {
        buffer_printf(&w->text, "INSERT INTO %s VALUES (?", table);
        for (size_t i = 1; i < json_object_size(object); i++)
            buffer_text(&w->text, ", ?");
        buffer_text(&w->text, ")");
        status = prepare(w, &statement) == 0 ? fill_object(w, object, statement) : -1;
        sqlite3_finalize(statement);
    }
    json_decref(object);
    return status;
}

/* ---- the end ---- */

static void finalize_all(struct sqlite *s)
{
    for (size_t i = 0; s->inserts && i < s->base.schema->choice->n; i++)
        sqlite3_finalize(s->inserts[i]);
    free(s->inserts);
    s->inserts = NULL;
}

/* What is known of the trace, or of two that are compared. */
static int put_summary(struct writer *w, const struct report_summary *summary)
{
    const char *const names[] = {"trace", "quality"};
    json_t *objects[2];
    if (summary->compared) {
        objects[0] = json_of_compared(&summary->compared[0]);
        objects[1] = json_of_compared(&summary->compared[1]);
    } else {
        objects[0] = json_of_trace(summary);
        objects[1] = json_of_quality(summary);
    }
    if (put_object(w, summary->compared ? "capture_before" : names[0], objects[0]) == 0)
        return put_object(w, summary->compared ? "capture_after" : names[1], objects[1]);
    json_decref(objects[1]);
    return -1;
}

static int end(struct writer *w, const struct report_summary *summary)
{
    struct sqlite *s = (struct sqlite *)w;
    const struct charge_schema *charge = w->schema->charge;
    json_memory_begin();
    if ((summary->compared || summary->quality) && put_summary(w, summary) != 0)
        return -1;
    if (charge && put_object(w, "method", charge_json_method(charge, summary->charges)) != 0)
        return -1;
    if (charge && charge->fit && put_object(w, "fit", charge_json_fit(charge->fit)) != 0)
        return -1;
    buffer_text(&w->text, "COMMIT");
    if (run(w) != 0)
        return -1;
    finalize_all(s);
    if (sqlite3_close(s->db) != SQLITE_OK)
        return failed(w);
    s->db = NULL;
    return output_flush(w->out);
}

static void release(struct writer *w)
{
    finalize_all((struct sqlite *)w);
    sqlite3_close(((struct sqlite *)w)->db);
}

const struct writer_ops sqlite_writer = {
    .name = "sqlite",
    .size = sizeof(struct sqlite),
    .begin = begin,
    .rows = rows,
    .end = end,
    .release = release,
};

#else

static int begin(struct writer *w)
{
    return refuse(w, "this xenmeter was built without SQLite: install libsqlite3-dev, and build it again");
}

const struct writer_ops sqlite_writer = {.name = "sqlite", .size = sizeof(struct writer), .begin = begin};

#endif
