/*
 * The JSON document: schema, trace, quality, reports; of charges also their method. What is known about the trace is complete only at its
 * end but comes first, and the intervals of all granularities arrive interleaved: the text of each report
 * waits in a spill.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "formats/charge_json.h"
#include "formats/json_text.h"
#include "formats/spill.h"
#include "formats/writer_ops.h"

struct json {
    struct writer base;
    struct spill *reports; /* one per granularity in the order asked, then one of executions */
    size_t n;
};

static int begin(struct writer *w)
{
    struct json *json = (struct json *)w;
    json->n = w->schema->granularities + 1;
    json->reports = malloc(json->n * sizeof *json->reports);
    if (!json->reports)
        return -1;
    for (size_t i = 0; i < json->n; i++)
        spill_init(&json->reports[i]);
    return 0;
}

static struct spill *executions_of(struct json *json)
{
    return &json->reports[json->n - 1];
}

static struct spill *report_of(struct json *json, uint64_t granularity_ns)
{
    const struct report_schema *schema = json->base.schema;
    size_t i = 0;
    while (i + 1 < schema->granularities && schema->granularities_ns[i] != granularity_ns)
        i++;
    return &json->reports[i];
}

static int settle(struct writer *w, struct spill *s)
{
    struct error why;
    if (spill_settle(s, &why) == 0)
        return 0;
    spill_buffer(s)->n = 0; /* the document is lost: do not let it grow */
    return output_fail(w->out, &why);
}

static void add_row(struct buffer *b, const struct report_schema *schema, const struct record_view *view)
{
    bool first = true;
    buffer_text(b, "{");
    for (size_t c = 0; c < schema->columns_n; c++)
        if (!schema->columns[c]->of_interval) {
            json_add_member(b, schema->columns[c], view, first);
            first = false;
        }
    buffer_text(b, "}");
}

/* Opens an interval in the report of its granularity, up to the list of what it has. */
static struct spill *open_interval(struct writer *w, const struct interval *of, const char *list)
{
    struct spill *report = report_of((struct json *)w, of->granularity_ns);
    struct buffer *b = spill_buffer(report);
    buffer_text(b, spill_is_empty(report) ? "\n" : ",\n");
    buffer_printf(b, "        { \"start_ns\": %" PRIu64 ", \"end_ns\": %" PRIu64 ", \"%s\": [",
                  of->start_ns, of->end_ns, list);
    return report;
}

static int interval(struct writer *w, const struct interval *of, const struct row *rows, size_t n)
{
    struct spill *report = open_interval(w, of, "rows");
    struct buffer *b = spill_buffer(report);
    for (size_t r = 0; r < n; r++) {
        struct record_view view = view_of_row(w, of, &rows[r]);
        buffer_text(b, r ? ",\n          " : "\n          ");
        add_row(b, w->schema, &view);
        if (settle(w, report) != 0)
            return -1;
    }
    buffer_text(b, " ] }");
    return settle(w, report);
}

static int charges(struct writer *w, const struct interval *of, const struct charge_idd *idds, size_t n)
{
    struct spill *report = open_interval(w, of, "idds");
    struct buffer *b = spill_buffer(report);
    for (size_t d = 0; d < n; d++) {
        buffer_text(b, d ? ",\n          " : "\n          ");
        charge_json_add_idd(b, w, of, &idds[d]);
        if (settle(w, report) != 0)
            return -1;
    }
    buffer_text(b, " ] }");
    return settle(w, report);
}

static int execution(struct writer *w, const struct execution *e)
{
    struct spill *report = executions_of((struct json *)w);
    struct buffer *b = spill_buffer(report);
    struct record_view view = view_of_execution(w, e);
    buffer_text(b, spill_is_empty(report) ? "\n        {" : ",\n        {");
    for (size_t c = 0; c < execution_columns_n; c++)
        json_add_member(b, &execution_columns[c], &view, c == 0);
    buffer_text(b, "}");
    return settle(w, report);
}

/* jansson's text comes in pieces; its lines are moved in by the depth at which the object hangs. */
static int add_indented(const char *text, size_t n, void *buffer)
{
    struct buffer *b = buffer;
    for (size_t i = 0; i < n; i++) {
        buffer_add(b, &text[i], 1);
        if (text[i] == '\n')
            buffer_text(b, "  ");
    }
    return b->failed ? -1 : 0;
}

static int put_object(struct writer *w, const char *key, json_t *object)
{
    buffer_printf(&w->text, "  \"%s\": ", key);
    int status = object ? json_dump_callback(object, add_indented, &w->text,
                                             JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(15))
                        : -1;
    json_decref(object);
    buffer_text(&w->text, ",\n");
    return status == 0 ? writer_put_text(w) : writer_no_memory(w);
}

static int put_report(struct writer *w, const struct spill *rows)
{
    buffer_text(&w->text, " [");
    if (writer_put_text(w) != 0 || spill_copy(rows, w->out) != 0)
        return -1;
    buffer_text(&w->text, " ] }");
    return writer_put_text(w);
}

static int put_reports(struct writer *w, const struct report_summary *summary)
{
    struct json *json = (struct json *)w;
    buffer_text(&w->text, "  \"reports\": [");
    for (size_t i = 0; i < w->schema->granularities; i++) {
        buffer_printf(&w->text, "%s\n    { \"granularity_ns\": %" PRIu64 ", ", i ? "," : "",
                      w->schema->granularities_ns[i]);
        if (!w->schema->charge)
            buffer_printf(&w->text, "\"by\": \"%s\", ", by_names[w->schema->by]);
        buffer_text(&w->text, "\"intervals\":");
        if (put_report(w, &json->reports[i]) != 0)
            return -1;
    }
    if (w->schema->executions) {
        buffer_printf(&w->text, "%s\n    { \"granularity_ns\": null, \"by\": \"execution\", \"intervals\": [",
                      w->schema->granularities ? "," : "");
        buffer_printf(&w->text,
                      " { \"start_ns\": %" PRIu64 ", \"end_ns\": %" PRIu64 ", \"rows\":", summary->start_ns,
                      summary->end_ns);
        if (put_report(w, executions_of(json)) != 0)
            return -1;
        buffer_text(&w->text, " ] }");
    }
    buffer_text(&w->text, " ]\n}\n");
    return writer_put_text(w);
}

static int end(struct writer *w, const struct report_summary *summary)
{
    const struct charge_schema *charge = w->schema->charge;
    buffer_printf(&w->text, "{\n  \"schema\": \"xenmeter.%s/1\",\n", charge ? "charge" : "report");
    if (put_object(w, "trace", json_of_trace(summary)) != 0 ||
        put_object(w, "quality", json_of_quality(summary)) != 0)
        return -1;
    if (charge && put_object(w, "method", charge_json_method(charge, summary->charges)) != 0)
        return -1;
    if (put_reports(w, summary) != 0)
        return -1;
    return output_flush(w->out);
}

static void release(struct writer *w)
{
    struct json *json = (struct json *)w;
    for (size_t i = 0; json->reports && i < json->n; i++)
        spill_free(&json->reports[i]);
    free(json->reports);
}

const struct writer_ops json_writer = {
    .name = "json",
    .size = sizeof(struct json),
    .begin = begin,
    .interval = interval,
    .execution = execution,
    .charges = charges,
    .end = end,
    .release = release,
};
