/* The keys of a summary's objects, in order. */
#ifndef XENMETER_ARCHIVE_SUMMARY_FIELDS_H
#define XENMETER_ARCHIVE_SUMMARY_FIELDS_H

#include "fields.h"

#define SUMMARY_SCHEMA      "xenmeter.summary/1"
#define SUMMARY_BYTES_MAX   (16u << 20)
#define SUMMARY_EVENT_BYTES 11 /* "0x0001f003" and the NUL */

extern const struct stored_field trace_fields[], clock_fields[], quality_fields[], place_fields[],
    unrecognised_fields[], charges_fields[], domain_fields[];

#endif
