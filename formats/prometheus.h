/* The sums of a book as text for Prometheus: report -f prometheus, and what xenmeter serve answers. */
#ifndef XENMETER_FORMATS_PROMETHEUS_H
#define XENMETER_FORMATS_PROMETHEUS_H

#include "formats/choice.h"
#include "formats/metric_book.h"
#include "formats/prometheus_text.h"

/* What is known of a program that follows a live trace. Times: ns since 1970; 0: none. */
struct prometheus_live {
    int64_t data_utc_ns;  /* when the last interval was complete */
    int64_t start_utc_ns; /* when the program began; 0: nothing of the program is written */
    uint64_t cpu_ns;      /* of the program */
    uint64_t traces;      /* that have ended */
};

/* Whether the column makes a metric: a time or a count that adds up. */
bool prometheus_takes(const struct column *column);

/*
 * Adds everything, in OpenMetrics with its end mark. The choice: which columns of relation_rows, and whether charges by driver
 * domain (relation_charges), are written. `live`: NULL: the trace is not live. b->failed: no memory.
 */
void prometheus_put(struct buffer *b, enum prometheus_form form, const struct metric_book *book,
                    const struct column_choice *choice, const struct prometheus_live *live);

#endif
