/*
 * The file of --own-baseline: what "xenmeter report -f json" wrote, perhaps compressed, of a capture without guests' I/O.
 * What a driver domain ran there is the load of its own work.
 */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/document.h"
#include "cli.h"
#include "formats/json_memory.h"
#include "parser/source/input.h"

#define BASELINE_BYTES_MAX (16u << 20)
#define WANTED             "wanted is the output of \"xenmeter report -f json\""

/* What the rows of one report have. */
struct baseline {
    double span_ns;
    double ran_ns[65536];
    bool seen[65536];
    double
        io; /* pages of guests that were mapped or copied; unlike notifications, timers make none that look so */
    bool any;
};

/* ---- the rows ---- */

static int add_row(struct baseline *b, const json_t *row, struct error *err)
{
    const json_t *domain = json_object_get(row, "domain"), *ran = json_object_get(row, "running_ns");
    if (!json_is_integer(domain) || !json_is_integer(ran))
        return error_set(err, ERROR_FORMAT,
                         "a row of it has no domain or no running_ns; " WANTED " without --columns");
    json_int_t id = json_integer_value(domain), ns = json_integer_value(ran);
    if (id < 0 || id > 65535 || ns < 0)
        return error_set(err, ERROR_FORMAT, "a row of it is of a domain or a time that cannot be");
    b->ran_ns[id] += (double)ns;
    b->seen[id] = b->any = true;
    b->io += json_number_value(json_object_get(row, "io_map")) +
             json_number_value(json_object_get(row, "io_copy"));
    return 0;
}

/*
 * Enters the row into those of its interval. False: it is there, or no memory. Without a column that tells rows apart it cannot
 * be said.
 */
static bool enter(json_t *rows, const json_t *row, const char *by)
{
    const json_t *life = json_object_get(row, "life");
    const json_t *part = strcmp(by, "domain") == 0 ? life : json_object_get(row, by);
    char key[80];
    if (!life || !part)
        return true;
    snprintf(key, sizeof key, "%lld %lld %lld", (long long)json_integer_value(json_object_get(row, "domain")),
             (long long)json_integer_value(life),
             json_is_integer(part) ? (long long)json_integer_value(part) : -1);
    return rows && !json_object_get(rows, key) && json_object_set_new(rows, key, json_true()) == 0;
}

static int add_rows(struct baseline *b, const json_t *rows, const char *by, struct error *err)
{
    json_memory_begin();
    json_t *entered = json_object();
    int status = 0;
    for (size_t i = 0; i < json_array_size(rows) && status == 0; i++) {
        const json_t *row = json_array_get(rows, i);
        status = add_row(b, row, err);
        bool fine = status != 0 || enter(entered, row, by);
        if (!fine && json_memory_failed())
            status = error_no_memory(err, "a report");
        else if (!fine)
            status = error_set(err, ERROR_FORMAT, "domain %d has the same row twice in an interval",
                               (int)json_integer_value(json_object_get(row, "domain")));
    }
    json_decref(entered);
    return status;
}

static int add_interval(struct baseline *b, const json_t *interval, const char *by, struct error *err)
{
    json_int_t from = json_integer_value(json_object_get(interval, "start_ns"));
    json_int_t to = json_integer_value(json_object_get(interval, "end_ns"));
    if (from < 0 || to < from)
        return error_set(err, ERROR_FORMAT, "an interval of it ends before it begins");
    b->span_ns += (double)(to - from);
    return add_rows(b, json_object_get(interval, "rows"), by, err);
}

/* Whether the rows of a report are those of domains, or of their parts. */
static bool is_by_domain(const json_t *report)
{
    const char *by = json_string_value(json_object_get(report, "by"));
    return by && (strcmp(by, "domain") == 0 || strcmp(by, "vcpu") == 0 || strcmp(by, "domain-pcpu") == 0);
}

/* The report of the document to take: of the whole trace if there is one. NULL: none has domains. */
static const json_t *choose(const json_t *reports)
{
    const json_t *chosen = NULL;
    for (size_t i = 0; i < json_array_size(reports); i++) {
        const json_t *report = json_array_get(reports, i),
                     *length = json_object_get(report, "granularity_ns");
        bool whole = json_is_integer(length) && json_integer_value(length) == 0;
        if (is_by_domain(report) && (whole || !chosen))
            chosen = report;
        if (chosen == report && whole)
            break;
    }
    return chosen;
}

static int add_report(struct baseline *b, const json_t *document, struct error *err)
{
    const json_t *report = choose(json_object_get(document, "reports"));
    const json_t *intervals = json_object_get(report, "intervals");
    const char *by = json_string_value(json_object_get(report, "by"));
    const char *dash = by ? strchr(by, '-') : NULL; /* "domain-pcpu": the column beside the domain */
    by = dash ? dash + 1 : by ? by : "domain";
    for (size_t i = 0; i < json_array_size(intervals); i++)
        if (add_interval(b, json_array_get(intervals, i), by, err) != 0)
            return -1;
    if (!b->any || !(b->span_ns > 0))
        return error_set(err, ERROR_FORMAT, "there is no row by domain in it; " WANTED);
    const json_t *quality = json_object_get(document, "quality");
    const char *verdict = json_string_value(json_object_get(quality, "verdict"));
    if (!verdict || strcmp(verdict, "poor") == 0)
        return error_set(err, ERROR_FORMAT,
                         "its verdict is %s: what ran is not known well enough; a load known otherwise "
                         "is given with --own",
                         verdict ? "poor" : "missing");
    return 0;
}

/* ---- the file ---- */

static bool is_object(const uint8_t *bytes, size_t n)
{
    size_t blank = 0;
    while (blank < n && bytes[blank] && strchr(" \t\r\n", bytes[blank]))
        blank++;
    return blank < n && bytes[blank] == '{';
}

static json_t *parse(const uint8_t *bytes, size_t n, struct error *err)
{
    static const struct document report = {"report", "xenmeter.report/1", BASELINE_BYTES_MAX, NULL};
    if (!is_object(bytes, n))
        error_set(err, ERROR_FORMAT, "this is no JSON document; " WANTED);
    else if (n > BASELINE_BYTES_MAX)
        error_set(err, ERROR_FORMAT, "larger than %u MiB; \"-g total\" is enough", BASELINE_BYTES_MAX >> 20);
    else
        return document_parse(&report, (const char *)bytes, n, err);
    return NULL;
}

static json_t *read_document(const char *path, struct error *err)
{
    struct input *in = input_open(path, err);
    struct view view;
    json_t *document = NULL;
    if (in && input_view(in, BASELINE_BYTES_MAX + 1, &view, err) == 0)
        document = parse(view.data, view.n, err);
    if (in)
        input_close(in);
    return document;
}

static int add_loads(struct options *o, const struct baseline *b, struct error *err)
{
    o->own_baseline_io = b->io / b->span_ns * 1e9;
    for (uint32_t domain = 0; domain < 65536; domain++) {
        double ppm = b->ran_ns[domain] / b->span_ns * 1e6;
        if (!b->seen[domain])
            continue;
        if (ppm > OWN_LOAD_PPM_MAX)
            return error_set(err, ERROR_FORMAT, "domain %u ran longer than all pCPUs can", domain);
        if (!own_load_add(&o->own, &o->own_n, (uint16_t)domain, (uint32_t)llround(ppm)))
            return error_no_memory(err, "its domains");
    }
    return 0;
}

int own_baseline_read(struct options *o, struct error *err)
{
    struct error why = {0};
    struct baseline *b = calloc(1, sizeof *b);
    json_t *document = b ? read_document(o->own_baseline, &why) : NULL;
    int status = document && add_report(b, document, &why) == 0 ? add_loads(o, b, &why) : -1;
    if (!b)
        error_no_memory(&why, "a report");
    json_decref(document);
    free(b);
    return status == 0 ? 0
                       : error_set(err, why.code, "--own-baseline %.100s: %s", o->own_baseline, why.message);
}
