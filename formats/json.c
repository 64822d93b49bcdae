/*
 * The JSON document: schema, trace, quality, reports; of charges also their method. What is known about the trace is complete only at its
 * end but comes first, and the intervals of all granularities arrive interleaved: the text of each report
 * waits in a spill.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "formats/json_memory.h"
#include "formats/json_text.h"
#include "formats/spill.h"
#include "formats/time_text.h"
#include "formats/writer_ops.h"

struct json_report {
    const struct relation *relation;
    enum by by;
    uint64_t granularity_ns;
    struct spill text;
};

struct json {
    struct writer base;
    struct json_report *reports;
    size_t n;
};

static void add_report(struct json *json, const struct relation *relation, enum by by,
                       uint64_t granularity_ns)
{
    struct json_report *report = &json->reports[json->n++];
    *report = (struct json_report){.relation = relation, .by = by, .granularity_ns = granularity_ns};
    spill_init(&report->text);
}

/* One for each subject and granularity, in the order asked; rows that are in no interval have one. */
static void add_reports(struct json *json, const struct relation *relation)
{
    const struct report_schema *schema = json->base.schema;
    unsigned bys = relation->by_subject ? schema->bys : 1;
    if (relation->own_times)
        add_report(json, relation, 0, 0);
    for (unsigned by = 0; bys >> by && !relation->own_times; by++)
        for (size_t g = 0; bys >> by & 1 && g < schema->granularities; g++)
            add_report(json, relation, by, schema->granularities_ns[g]);
}

static int begin(struct writer *w)
{
    struct json *json = (struct json *)w;
    const struct column_choice *choice = w->schema->choice;
    size_t most = choice->n * (1 + (size_t)__builtin_popcount(w->schema->bys | 1) * w->schema->granularities);
    json->reports = malloc((most + 1) * sizeof *json->reports);
    if (!json->reports)
        return -1;
    for (size_t i = 0; i < choice->n; i++)
        if (choice->shown[i].n)
            add_reports(json, choice->shown[i].relation);
    return 0;
}

static struct spill *report_of(struct json *json, const struct rows *rows)
{
    size_t i = 0;
    while (json->reports[i].relation != rows->relation ||
           (rows->interval && (json->reports[i].granularity_ns != rows->interval->granularity_ns ||
                               json->reports[i].by != rows->by)))
        i++;
    return &json->reports[i].text;
}

static int settle(struct writer *w, struct spill *s)
{
    struct error why;
    if (spill_settle(s, &why) == 0)
        return 0;
    s->text.n = 0; /* the document is lost: do not let it grow */
    return output_fail(w->out, &why);
}

/* Rows that come in groups: {the group's members, its rows}. */
static int put_groups(struct writer *w, struct spill *report, const struct rows *rows)
{
    struct buffer *b = &report->text;
    for (size_t g = 0, from = 0, to; g < rows->groups_n; g++, from = to) {
        to = rows_end_of_group(rows, g, from);
        buffer_text(b, g ? ",\n          " : "\n          ");
        charge_json_add_idd(b, w, rows, g, from, to);
        if (settle(w, report) != 0)
            return -1;
    }
    return 0;
}

static int put_rows(struct writer *w, struct spill *report, const struct rows *rows)
{
    struct buffer *b = &report->text;
    const struct shown *shown = choice_find(w->schema->choice, rows->relation);
    struct row_view view = writer_view(w, rows);
    for (size_t r = 0; r < rows->n; r++) {
        bool first = rows->interval ? r == 0 : spill_is_empty(report);
        view.row = row_at(rows, r);
        buffer_text(b, first ? "\n        " : ",\n        ");
        buffer_text(b, rows->interval ? "  {" : "{");
        json_add_row(b, shown, &view, true);
        buffer_add(b, "}", 1);
        if (settle(w, report) != 0)
            return -1;
    }
    return 0;
}

/* Which timeline the interval is of, and how much of it nothing was recorded of. */
static void put_timeline(struct buffer *b, const struct interval *of)
{
    if (of->timeline)
        buffer_printf(b, "\"timeline\": %u, ", of->timeline);
    else
        buffer_printf(b, "\"timeline\": null, \"not_recorded_ns\": %" PRIu64 ", ", of->gap_ns);
}

static int rows(struct writer *w, const struct rows *rows)
{
    struct spill *report = report_of((struct json *)w, rows);
    struct buffer *b = &report->text;
    const struct interval *of = rows->interval;
    bool groups = rows->relation->group_size != 0;
    if (of) {
        buffer_printf(b, "%s        { \"start_ns\": %" PRIu64 ", \"end_ns\": %" PRIu64 ", ",
                      spill_is_empty(report) ? "\n" : ",\n", of->start_ns, of->end_ns);
        json_add_times(b, w->schema->moments, of->start_ns, of->end_ns);
    }
    if (of && w->schema->host)
        put_timeline(b, of);
    if (of)
        buffer_printf(b, "\"%s\": [", groups ? "idds" : "rows");
    if ((groups ? put_groups(w, report, rows) : put_rows(w, report, rows)) != 0)
        return -1;
    buffer_text(b, of ? " ] }" : "");
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
    int status = object && !json_memory_failed()
                     ? json_dump_callback(object, add_indented, &w->text,
                                          JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(15))
                     : -1;
    json_decref(object);
    buffer_text(&w->text, ",\n");
    return status == 0 ? writer_put_text(w) : writer_no_memory(w);
}

static int put_report(struct writer *w, const struct json_report *report,
                      const struct report_summary *summary)
{
    struct buffer *b = &w->text;
    if (report->relation->own_times) {
        buffer_printf(
            b,
            "\n    { \"granularity_ns\": null, \"by\": \"%s\", \"intervals\": [ { \"start_ns\": %" PRIu64
            ", \"end_ns\": %" PRIu64 ", ",
            report->relation->name, summary->start_ns, summary->end_ns);
        json_add_times(b, w->schema->moments, summary->start_ns, summary->end_ns);
        buffer_text(b, "\"rows\": [");
    } else {
        buffer_printf(b, "\n    { \"granularity_ns\": %" PRIu64 ", ", report->granularity_ns);
    }
    if (!report->relation->own_times && !report->relation->group_size)
        buffer_printf(b, "\"by\": \"%s\", ",
                      report->relation->by_subject ? by_names[report->by] : report->relation->name);
    buffer_text(b, report->relation->own_times ? "" : "\"intervals\": [");
    if (writer_put_text(w) != 0 || spill_copy(&report->text, w->out) != 0)
        return -1;
    buffer_text(b, report->relation->own_times ? " ] } ] }" : " ] }");
    return 0;
}

/* Rows that are of no interval and carry no times. */
static int put_differences(struct writer *w, const struct report_summary *summary)
{
    const struct json_report *report = ((struct json *)w)->reports;
    if (put_object(w, "before", json_of_compared(&summary->compared[0])) != 0 ||
        put_object(w, "after", json_of_compared(&summary->compared[1])) != 0)
        return -1;
    buffer_printf(&w->text, "  \"by\": \"%s\",\n  \"differences\": [",
                  by_names[__builtin_ctz(w->schema->bys)]);
    if (writer_put_text(w) != 0 || spill_copy(&report->text, w->out) != 0)
        return -1;
    buffer_text(&w->text, " ]\n}\n");
    return writer_put_text(w) == 0 ? output_flush(w->out) : -1;
}

/* Rows that say themselves of which time they are: a list of each kind. */
static int put_lists(struct writer *w)
{
    const struct json *json = (struct json *)w;
    for (size_t i = 0; i < json->n; i++) {
        buffer_printf(&w->text, "%s  \"%s\": [", i ? ",\n" : "", json->reports[i].relation->table);
        if (writer_put_text(w) != 0 || spill_copy(&json->reports[i].text, w->out) != 0)
            return -1;
        buffer_text(&w->text, " ]");
    }
    buffer_text(&w->text, "\n}\n");
    return writer_put_text(w) == 0 ? output_flush(w->out) : -1;
}

static int put_reports(struct writer *w, const struct report_summary *summary)
{
    struct json *json = (struct json *)w;
    buffer_text(&w->text, "  \"reports\": [");
    for (size_t i = 0; i < json->n; i++) {
        buffer_text(&w->text, i ? "," : "");
        if (put_report(w, &json->reports[i], summary) != 0)
            return -1;
    }
    buffer_text(&w->text, " ]\n}\n");
    return writer_put_text(w);
}

static int end(struct writer *w, const struct report_summary *summary)
{
    const struct charge_schema *charge = w->schema->charge;
    json_memory_begin();
    buffer_printf(&w->text, "{\n  \"schema\": \"xenmeter.%s/1\",\n", w->schema->name);
    if (summary->compared)
        return put_differences(w, summary);
    if (!summary->quality)
        return put_lists(w);
    if (put_object(w, "trace", json_of_trace(summary)) != 0 ||
        put_object(w, "quality", json_of_quality(summary)) != 0)
        return -1;
    if (charge && put_object(w, "method", charge_json_method(charge, summary->charges)) != 0)
        return -1;
    if (charge && charge->fit && put_object(w, "fit", charge_json_fit(charge->fit)) != 0)
        return -1;
    if (put_reports(w, summary) != 0)
        return -1;
    return output_flush(w->out);
}

static void release(struct writer *w)
{
    struct json *json = (struct json *)w;
    for (size_t i = 0; json->reports && i < json->n; i++)
        spill_free(&json->reports[i].text);
    free(json->reports);
}

const struct writer_ops json_writer = {
    .name = "json",
    .size = sizeof(struct json),
    .begin = begin,
    .rows = rows,
    .end = end,
    .release = release,
};
