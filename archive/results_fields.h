/* The keys of results, in the order in which they stand in a line. Where a column has the value, its name is the key. */
#ifndef XENMETER_ARCHIVE_RESULTS_FIELDS_H
#define XENMETER_ARCHIVE_RESULTS_FIELDS_H

#include "fields.h"

extern const struct stored_field interval_fields[], row_fields[], measures_fields[], measures_histograms[],
    histogram_fields[], execution_fields[], before_seen_fields[] /* after those of its row */,
    charge_idd_fields[], charge_guest_fields[];

#endif
