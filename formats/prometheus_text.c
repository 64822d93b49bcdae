#include "formats/prometheus_text.h"

#include <inttypes.h>
#include <string.h>

#include "formats/safe_text.h"

#define NS_PER_S 1000000000u

const char *prometheus_content_type(enum prometheus_form form)
{
    return form == PROMETHEUS_OPENMETRICS ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                          : "text/plain; version=0.0.4; charset=utf-8";
}

/* The unit in which a name ends; NULL: it has none. */
static const char *unit_of(const char *name)
{
    static const char *const units[] = {"seconds", "bytes", "hertz"};
    const char *last = strrchr(name, '_');
    for (size_t i = 0; last && i < sizeof units / sizeof *units; i++)
        if (strcmp(last + 1, units[i]) == 0)
            return units[i];
    return NULL;
}

/* The text format shows quotes in HELP as they are; OpenMetrics has a backslash before them. */
static void put_help(struct buffer *b, enum prometheus_form form, const char *help)
{
    for (const char *c = help; *c; c++) {
        if (*c == '\\' || (*c == '"' && form == PROMETHEUS_OPENMETRICS))
            buffer_add(b, "\\", 1);
        buffer_add(b, c, 1);
    }
}

void prometheus_put_head(struct buffer *b, enum prometheus_form form, const struct metric *m)
{
    static const char *const types[] = {"counter", "gauge", "histogram"};
    const char *end = form == PROMETHEUS_TEXT && m->type == METRIC_COUNTER ? "_total" : "";
    buffer_printf(b, "# HELP %s%s ", m->name, end);
    put_help(b, form, m->help);
    buffer_printf(b, "\n# TYPE %s%s %s\n", m->name, end, types[m->type]);
    if (form == PROMETHEUS_OPENMETRICS && unit_of(m->name))
        buffer_printf(b, "# UNIT %s %s\n", m->name, unit_of(m->name));
}

void prometheus_put_name(struct buffer *b, const struct metric *m, const char *labels)
{
    buffer_text(b, m->name);
    if (m->type == METRIC_COUNTER)
        buffer_text(b, "_total");
    if (labels && *labels) {
        buffer_text(b, "{");
        buffer_text(b, labels);
        buffer_text(b, "}");
    }
    buffer_text(b, " ");
}

void prometheus_put_count(struct buffer *b, const struct metric *m, const char *labels, uint64_t n)
{
    prometheus_put_name(b, m, labels);
    buffer_integer(b, (int64_t)n);
    buffer_text(b, "\n");
}

void prometheus_put_ns(struct buffer *b, const struct metric *m, const char *labels, uint64_t ns)
{
    prometheus_put_name(b, m, labels);
    prometheus_put_seconds(b, ns);
    buffer_text(b, "\n");
}

void prometheus_put_seconds(struct buffer *b, uint64_t ns)
{
    buffer_integer(b, (int64_t)(ns / NS_PER_S));
    if (ns % NS_PER_S == 0)
        return;
    buffer_printf(b, ".%09" PRIu64, ns % NS_PER_S);
    while (!b->failed && b->at[b->n - 1] == '0')
        b->n--;
}

void prometheus_put_label(struct buffer *b, const char *name, const char *value)
{
    char text[LABEL_TEXT];
    if (!value || !*value)
        return;
    buffer_printf(b, "%s%s=\"", b->n ? "," : "", name);
    for (const char *c = safe_text(text, sizeof text, value); *c; c++) {
        if (*c == '\\' || *c == '"')
            buffer_add(b, "\\", 1);
        buffer_add(b, c, 1);
    }
    buffer_text(b, "\"");
}
