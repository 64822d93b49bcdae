/* The end of a table that compares two captures. */
#ifndef XENMETER_FORMATS_COMPARED_TABLE_H
#define XENMETER_FORMATS_COMPARED_TABLE_H

#include "formats/table.h"

/* Adds a line for each capture, its verdict and file, and one with the verdict of both. */
void compared_table_end(struct table *t, const struct report_summary *summary);

#endif
