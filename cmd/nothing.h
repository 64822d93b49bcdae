/* A command that has nothing to show says why, and ends with an error: an empty result looks like a quiet host. */
#ifndef XENMETER_CMD_NOTHING_H
#define XENMETER_CMD_NOTHING_H

#include "trace_run.h"

/* Whether the trace has scheduler records from which states can be known. */
bool records_show_states(const struct quality *q);

/* Fills `err` with why there are no rows: the mask of the trace, or options that leave all out. Returns -1. */
int nothing_to_report(const struct trace_run *run, const struct quality *q, struct error *err);

/* The same for single records. */
int nothing_to_dump(const struct options *o, struct error *err);

#endif
