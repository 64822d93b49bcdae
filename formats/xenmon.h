/*
 * XenMon's own logs, so that what reads them goes on working: for each domain PREFIX-domN.log, for the idle loops
 * PREFIX-idle.log. A line for each pCPU and interval, in XenMon's columns and units; xenmeter-xenmon(5) has both, and
 * where the numbers differ from XenMon's.
 *
 * The logs appear whole at the end, all or none: with an error, no log appears that was not there before. (Of more
 * than XENMON_BATCH logs, those that were there before may already be replaced.) They wait in a temporary file
 * (formats/spill.h), and never are more than XENMON_BATCH files open. Live logs instead grow with every interval, as
 * XenMon's do, and stay as they are when the run fails.
 */
#ifndef XENMETER_FORMATS_XENMON_H
#define XENMETER_FORMATS_XENMON_H

#include <stdbool.h>
#include <stddef.h>

#include "formats/output.h"
#include "metrics/measure/row.h"
#include "parser/error.h"

#define XENMON_BATCH (OUTPUTS_MAX - 4) /* files open at one time: some are left to others */

struct xenmon_log;

struct xenmon_options {
    const char *prefix;  /* of the logs' names */
    const char *capture; /* the file being read, which no log may replace; NULL: none */
    bool live;           /* append each interval to the logs at once; the first time they begin anew */
};

/* The strings of `options` stay the caller's, and outlive the logs. NULL with `err` filled: no logs can be made there, or memory ran out. */
struct xenmon_log *xenmon_new(const struct xenmon_options *options, struct error *err);

/*
 * Rows BY_DOMAIN_PCPU of one interval, those of IDLE_DOMAIN included (meter_options.idle_rows), with I/O accounted.
 * -1 with `err` filled, which names the log.
 */
int xenmon_interval(struct xenmon_log *log, const struct interval *interval, const struct row *rows, size_t n,
                    struct error *err);

/* Makes the logs appear. -1 with `err` filled, which names the log. */
int xenmon_end(struct xenmon_log *log, struct error *err);

/* NULL is fine. Before xenmon_end: nothing appears. */
void xenmon_free(struct xenmon_log *log);

#endif
