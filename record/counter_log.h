/*
 * The counters of a driver domain's devices and the CPU times of its threads (xenmeter-io-counts(5)) beside a recording: read on a
 * thread of its own, so that a kernel that is slow to answer delays nothing else; or taken from a file that another program writes.
 *
 *     counter_log_new -> (counter_log_take)* -> counter_log_free
 *
 * An archive gets the readings from its beginning on, and of each device the last one before, as counts are cumulative.
 */
#ifndef XENMETER_RECORD_COUNTER_LOG_H
#define XENMETER_RECORD_COUNTER_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/buffer.h"
#include "parser/error.h"

struct counter_log;

#define COUNTER_LOG_INTERVAL_NS      1000000000u /* from one reading to the next, or more: */
#define COUNTER_LOG_BYTES_PER_SECOND 8192u       /* of rows, on the mean */

struct counter_log_options {
    const char *file; /* a regular file, which may grow; NULL: this domain's own devices and threads */
    const char
        *root; /* the directory that has sys/, proc/ and dev/; "": the machine's own. Outlives the log. */
};

/*
 * Begins to read. NULL with `err` filled: this is no driver domain, the file cannot be opened or has no header line with tsc, domain
 * and device, no memory, no thread. Options are copied, but for the root.
 */
struct counter_log *counter_log_new(const struct counter_log_options *o, struct error *err);
void counter_log_free(struct counter_log *l); /* NULL is fine */

/*
 * Adds what was read since the last call to `lines`: nothing, or a header line and rows. Of a file: the rows up to until_tsc. Called by one thread, at
 * least once a minute; waits for nothing but the disk that has the file.
 */
void counter_log_take(struct counter_log *l, uint64_t until_tsc, struct buffer *lines);

/*
 * An archive begins at from_tsc: the next call of counter_log_take gives all rows from there on, and before them the last one of each device.
 * from_tsc 0: it is not known yet, and nothing is given until it is.
 */
void counter_log_begin(struct counter_log *l, uint64_t from_tsc);

struct counter_log_state {
    uint64_t rows;     /* given so far; a row that two archives have counts twice */
    uint64_t left_out; /* rows that could not be understood, or for which there was no room */
    struct error
        error; /* why the last reading failed, or what was wrong with the last row; ERROR_NONE: nothing */
};
struct counter_log_state counter_log_state(struct counter_log *l);

#endif
