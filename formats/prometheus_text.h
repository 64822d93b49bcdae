/*
 * The words of what Prometheus reads, in two forms: its text format 0.0.4, and OpenMetrics 1.0. A metric is called by the name that
 * OpenMetrics gives it: a counter without its _total, which the other form has in every line.
 */
#ifndef XENMETER_FORMATS_PROMETHEUS_TEXT_H
#define XENMETER_FORMATS_PROMETHEUS_TEXT_H

#include <stdint.h>

#include "formats/buffer.h"

enum prometheus_form { PROMETHEUS_TEXT, PROMETHEUS_OPENMETRICS };

/* The Content-Type of a response. */
const char *prometheus_content_type(enum prometheus_form form);

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

#define METRIC_NAME 96 /* bytes of a name, with its NUL */

struct metric {
    enum metric_type type;
    char name[METRIC_NAME]; /* that ends with its unit (seconds, bytes, hertz), if it has one */
    const char *help;
};

/* Adds HELP and TYPE, and in OpenMetrics the UNIT. */
void prometheus_put_head(struct buffer *b, enum prometheus_form form, const struct metric *m);

/* Adds the lines' beginning: NAME, _total of a counter, and labels (a="x",b="y"; NULL or "": none). A value and a newline follow. */
void prometheus_put_name(struct buffer *b, const struct metric *m, const char *labels);

/* Adds a line: a whole number below 2^63, or a time in seconds, exact to the ns. */
void prometheus_put_count(struct buffer *b, const struct metric *m, const char *labels, uint64_t n);
void prometheus_put_ns(struct buffer *b, const struct metric *m, const char *labels, uint64_t ns);

/* Adds a time in seconds without superfluous zeros: "0.000001024". */
void prometheus_put_seconds(struct buffer *b, uint64_t ns);

#define LABEL_TEXT 256 /* bytes of a value's text, with its NUL */

/*
 * Adds NAME="VALUE" after a comma, if something is there already; nothing for NULL or "". A value is cut at LABEL_TEXT bytes, and
 * what would steer a terminal in it becomes '?' (safe_text.h).
 */
void prometheus_put_label(struct buffer *b, const char *name, const char *value);

#endif
