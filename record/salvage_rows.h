/* The rows that a capture gets at its end, of one that had none: from the intervals that it has. */
#ifndef XENMETER_RECORD_SALVAGE_ROWS_H
#define XENMETER_RECORD_SALVAGE_ROWS_H

#include "archive/member_writer.h"
#include "archive/walk.h"

/*
 * Adds to the capture, which lies in the file of the walk from its first frame on, results of the whole of it and of longer intervals
 * that were open; completes the summary: where it ends, domains and times. 0; -1 with `err` filled; 1 with `err` filled: there is no whole interval.
 */
int salvage_rows(struct walk *walk, struct member_writer *w, struct summary *s, struct error *err);

#endif
