/* The keys of results, in the order in which they stand in a line. Where a column has the value, its name is the key. */
#ifndef XENMETER_ARCHIVE_RESULTS_FIELDS_H
#define XENMETER_ARCHIVE_RESULTS_FIELDS_H

#include "fields.h"

extern const struct stored_field interval_fields[], row_fields[], measures_fields[], histogram_fields[],
    execution_fields[], before_seen_fields[], charge_idd_fields[], charge_guest_fields[];
extern const size_t interval_fields_n, row_fields_n, measures_fields_n, histogram_fields_n,
    execution_fields_n, before_seen_fields_n, charge_idd_fields_n, charge_guest_fields_n;

/* The histograms of struct measures: key, as `,"key":`, and offset. */
struct histogram_member {
    const char *text;
    size_t text_n;
    size_t offset;
};
#define MEASURES_HISTOGRAMS 3
extern const struct histogram_member measures_histograms[MEASURES_HISTOGRAMS];

#endif
