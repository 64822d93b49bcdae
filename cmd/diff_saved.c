/*
 * Saved reports for xenmeter diff: what "xenmeter report -f json" or "-f jsonl" wrote, perhaps compressed. They may be
 * hostile.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "archive/document.h"
#include "diff.h"
#include "formats/json_memory.h"
#include "parser/source/input.h"

#define SAVED_BYTES_MAX (64u << 20)
#define LINE_BYTES_MAX  (64u << 10)
#define WANTED          "wanted is what \"xenmeter report -f json -g total,1s\" writes"

/* ---- rows ---- */

/* What rows of one interval share. */
struct saved_interval {
    uint64_t granularity_ns, start_ns, end_ns;
};

static int missing(const char *key, struct error *err)
{
    return error_set(err, ERROR_FORMAT, "its rows have no column %s; " WANTED " without --columns", key);
}

/* A whole number in [0, most], or null: -1. Returns -1 with `err` filled if it is neither. */
static int get_id(const json_t *row, const char *key, json_int_t most, json_int_t *id, struct error *err)
{
    const json_t *value = json_object_get(row, key);
    *id = -1;
    if (!value)
        return missing(key, err);
    if (json_is_null(value))
        return 0;
    *id = json_integer_value(value);
    return json_is_integer(value) && *id >= 0 && *id <= most
               ? 0
               : error_set(err, ERROR_FORMAT, "a row has a %s that cannot be", key);
}

static int get_number(const json_t *row, const char *key, double *x, struct error *err)
{
    const json_t *value = json_object_get(row, key);
    *x = NAN;
    if (!value)
        return missing(key, err);
    if (json_is_null(value))
        return 0;
    *x = json_number_value(value);
    return json_is_number(value) && *x >= 0 && *x <= 1e19
               ? 0
               : error_set(err, ERROR_FORMAT, "a row has a %s that cannot be", key);
}

/* What a row is about, by the ids that it has. */
static enum by by_of(const struct side_row *row)
{
    if (row->domain < 0)
        return BY_PCPU;
    return row->vcpu >= 0 ? BY_VCPU : row->pcpu >= 0 ? BY_DOMAIN_PCPU : BY_DOMAIN;
}

static int get_ids(const json_t *row, struct side_row *to, struct error *err)
{
    json_int_t domain, life, vcpu, pcpu;
    if (get_id(row, "domain", 65535, &domain, err) != 0 || get_id(row, "life", INT32_MAX, &life, err) != 0 ||
        get_id(row, "vcpu", 65535, &vcpu, err) != 0 || get_id(row, "pcpu", PCPUS_MAX - 1, &pcpu, err) != 0)
        return -1;
    to->domain = (int32_t)domain;
    to->life = domain >= 0 ? (uint32_t)(life > 0 ? life : 1) : 0;
    to->vcpu = (int32_t)vcpu;
    to->pcpu = (int32_t)pcpu;
    to->name = json_string_value(json_object_get(row, "name"));
    return 0;
}

static int take_row(struct diff_side *s, const json_t *row, const struct saved_interval *interval,
                    struct error *err)
{
    const struct comparison_plan *plan = s->rows.plan;
    struct side_row to = {.granularity_ns = interval->granularity_ns,
                          .start_ns = interval->start_ns,
                          .end_ns = interval->end_ns};
    if (!json_is_object(row))
        return error_set(err, ERROR_FORMAT, "a row is no object; " WANTED);
    if (get_ids(row, &to, err) != 0)
        return -1;
    if (by_of(&to) != plan->by)
        return 0;
    for (size_t i = 0; i < SIDE_CONTEXTS && to.granularity_ns == 0; i++)
        if (get_number(row, side_context_names[i], &to.context[i], err) != 0)
            return -1;
    for (size_t i = 0; i < plan->n; i++)
        if (get_number(row, plan->of[i]->name, &to.values[i], err) != 0)
            return -1;
    switch (side_take(&s->rows, &to)) {
    case SIDE_TAKEN:
        return 0;
    case SIDE_NO_MEMORY:
        return error_no_memory(err, "its rows");
    case SIDE_TWICE:
        break;
    }
    return error_set(err, ERROR_FORMAT, "it has a row twice, or intervals out of order");
}

static int get_time(const json_t *of, const char *key, uint64_t *ns, struct error *err)
{
    const json_t *value = json_object_get(of, key);
    *ns = (uint64_t)json_integer_value(value);
    return json_is_integer(value) && json_integer_value(value) >= 0
               ? 0
               : error_set(err, ERROR_FORMAT, "an interval has no %s; " WANTED, key);
}

static int get_span(const json_t *of, struct saved_interval *interval, struct error *err)
{
    if (get_time(of, "start_ns", &interval->start_ns, err) != 0 ||
        get_time(of, "end_ns", &interval->end_ns, err) != 0)
        return -1;
    return interval->end_ns >= interval->start_ns
               ? 0
               : error_set(err, ERROR_FORMAT, "an interval ends before it begins");
}

/* ---- a document ---- */

/* Where several timelines are added up, each has rows over all of its time, too. */
static bool is_part(const json_t *of, const struct saved_interval *interval)
{
    return interval->granularity_ns == 0 && json_is_integer(json_object_get(of, "timeline"));
}

static int take_report(struct diff_side *s, const json_t *report, struct error *err)
{
    struct saved_interval interval;
    const json_t *intervals = json_object_get(report, "intervals"),
                 *length = json_object_get(report, "granularity_ns");
    const char *by = json_string_value(json_object_get(report, "by"));
    int status = 0;
    if (!by || strcmp(by, by_names[s->rows.plan->by]) != 0 || !json_is_integer(length))
        return 0;
    status = get_time(report, "granularity_ns", &interval.granularity_ns, err);
    for (size_t i = 0; i < json_array_size(intervals) && status == 0; i++) {
        const json_t *of = json_array_get(intervals, i), *rows = json_object_get(of, "rows");
        status = get_span(of, &interval, err);
        for (size_t r = 0; r < json_array_size(rows) && status == 0 && !is_part(of, &interval); r++)
            status = take_row(s, json_array_get(rows, r), &interval, err);
    }
    return status;
}

/* A verdict and its reasons; false: it is none. */
static bool get_judgement(const json_t *quality, const char *verdict_key, const char *why_key,
                          struct judgement *j)
{
    const char *verdict = json_string_value(json_object_get(quality, verdict_key));
    const json_t *why = json_object_get(quality, why_key);
    *j = (struct judgement){.verdict = VERDICT_GOOD};
    while (verdict && j->verdict <= VERDICT_POOR && strcmp(verdict_name(j->verdict), verdict) != 0)
        j->verdict++;
    for (size_t i = 0; i < json_array_size(why) && j->reasons < VERDICT_REASONS; i++) {
        const char *reason = json_string_value(json_array_get(why, i));
        if (reason)
            snprintf(j->why[j->reasons++], sizeof j->why[0], "%s", reason);
    }
    return verdict && j->verdict <= VERDICT_POOR;
}

static int take_document(struct diff_side *s, const char *text, size_t n, struct error *err)
{
    static const struct document report = {"report", "xenmeter.report/1", SAVED_BYTES_MAX, NULL};
    json_t *document = document_parse(&report, text, n, err);
    if (!document)
        return -1;
    const json_t *reports = json_object_get(document, "reports");
    const json_t *quality = json_object_get(document, "quality");
    int status = 0;
    for (size_t i = 0; i < json_array_size(reports) && status == 0; i++)
        status = take_report(s, json_array_get(reports, i), err);
    s->judged = true;
    if (status == 0 && !get_judgement(quality, "verdict", "why", &s->judgement))
        status = error_set(err, ERROR_FORMAT, "it has no verdict; " WANTED);
    if (status == 0 && json_object_get(quality, "charges_verdict") &&
        !get_judgement(quality, "charges_verdict", "charges_why", &s->charges))
        status = error_set(err, ERROR_FORMAT, "it has no verdict of its charges; " WANTED);
    s->trace = json_incref(json_object_get(document, "trace"));
    s->quality = json_incref(json_object_get(document, "quality"));
    json_decref(document);
    return status;
}

/* ---- lines ---- */

static int take_line(struct diff_side *s, const char *line, size_t n, uint64_t number, struct error *err)
{
    struct saved_interval interval;
    json_error_t why;
    if (n > LINE_BYTES_MAX)
        return error_on_line(err, number, "longer than %u KiB; " WANTED, LINE_BYTES_MAX >> 10);
    json_t *row = json_parse(line, n, &why);
    if (!row && json_memory_failed())
        return error_no_memory(err, "a row of the report");
    if (!row)
        return error_on_line(err, number, "%s", why.text);
    struct error reason = {0};
    int status = 0;
    if (!json_is_null(json_object_get(row, "granularity_ns"))) { /* else it is an execution */
        status = get_time(row, "granularity_ns", &interval.granularity_ns, &reason);
        if (status == 0)
            status = get_span(row, &interval, &reason);
        if (status == 0 && !is_part(row, &interval))
            status = take_row(s, row, &interval, &reason);
    }
    json_decref(row);
    return status == 0 ? 0 : error_on_line(err, number, "%s", reason.message);
}

static int take_lines(struct diff_side *s, const char *text, size_t n, struct error *err)
{
    uint64_t number = 1;
    int status = 0;
    for (const char *end = text + n; text < end && status == 0; number++) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *stop = newline ? newline : end;
        if (stop > text)
            status = take_line(s, text, (size_t)(stop - text), number, err);
        text = stop + 1;
    }
    return status;
}

/* ---- the file ---- */

static size_t skip_blanks(const char *text, size_t n, size_t from)
{
    while (from < n && text[from] && strchr(" \t\r\n", text[from]))
        from++;
    return from;
}

bool diff_is_saved(const char *path)
{
    enum { LOOK = 64 };
    struct stat st;
    struct error ignored;
    struct view view = {0};
    if (strcmp(path, "-") == 0 || stat(path, &st) != 0 || !S_ISREG(st.st_mode))
        return false;
    struct input *in = input_open(path, &ignored);
    bool is = in && input_view(in, LOOK, &view, &ignored) == 0;
    size_t blank = is ? skip_blanks((const char *)view.data, view.n, 0) : 0;
    is = is && blank < view.n && view.data[blank] == '{';
    if (in)
        input_close(in);
    return is;
}

static int take_text(struct diff_side *s, const char *text, size_t n, struct error *err)
{
    static const char first[] = "\"schema\"";
    size_t at = skip_blanks(text, n, skip_blanks(text, n, 0) + 1);
    if (n > SAVED_BYTES_MAX)
        return error_set(err, ERROR_FORMAT, "larger than %u MiB; intervals of -g total,1s are enough",
                         SAVED_BYTES_MAX >> 20);
    bool is_document = n > at && n - at > sizeof first && memcmp(text + at, first, sizeof first - 1) == 0;
    if ((is_document ? take_document(s, text, n, err) : take_lines(s, text, n, err)) != 0)
        return -1;
    for (size_t i = 0; i < s->rows.n; i++)
        if (s->rows.subjects[i]->seen)
            return 0;
    return error_set(err, ERROR_FORMAT, "there is no row by %s over the whole trace in it; " WANTED "%s%s",
                     by_names[s->rows.plan->by], s->rows.plan->by == BY_DOMAIN ? "" : " with --by ",
                     s->rows.plan->by == BY_DOMAIN ? "" : by_names[s->rows.plan->by]);
}

int diff_saved_read(struct diff_side *s, const char *path, struct error *err)
{
    struct input *in = input_open(path, err);
    struct view view;
    int status = -1;
    if (in && input_view(in, SAVED_BYTES_MAX + 1, &view, err) == 0)
        status = take_text(s, (const char *)view.data, view.n, err);
    if (in)
        input_close(in);
    return status;
}
