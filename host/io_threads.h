/*
 * CPU time of a driver domain's threads and processes that work for one guest: netback, blkback, device models, tapdisk;
 * and what its vCPUs spent in interrupts and softirqs. As Linux counts them in /proc/ID/schedstat and /proc/stat.
 *
 * The times count from the first reading. What a thread ran that came later counts from its beginning; what it ran after
 * the last reading before its end is not known. Reading them takes no more than about a third of a percent of a CPU: where it
 * would take more, it is done at every second, third, ... reading.
 */
#ifndef XENMETER_HOST_IO_THREADS_H
#define XENMETER_HOST_IO_THREADS_H

#include "io_devices.h"
#include "io_names.h"
#include "formats/io_rows.h"
#include "io_clock.h"

struct io_threads;

/* `wanted` and the interfaces' context stay the caller's and outlive it. NULL with `err` filled: no memory. */
struct io_threads *io_threads_new(const struct io_wanted *wanted, const struct io_interfaces *interfaces,
                                  struct error *err);
void io_threads_free(struct io_threads *t);

/* Reads all times, or none if it is too early; `now`: when this reading begins. -1 with `err` filled: no memory, or /proc cannot be listed. */
int io_threads_read(struct io_threads *t, const struct io_moment *now, struct error *err);

/*
 * Adds the rows of the last reading, one for each guest and kind of work whose time has grown; `now` and `end`: when the
 * reading began and ended. Where it has not, a row follows when it has, or at the end.
 */
void io_threads_rows(struct io_threads *t, const struct io_moment *now, const struct io_moment *end,
                     struct buffer *rows);

/* The log ends: adds the rows of the last reading that were left out. */
void io_threads_last_rows(struct io_threads *t, struct buffer *rows);

/* How many threads there are whose time cannot be read. */
size_t io_threads_unread(const struct io_threads *t);

#endif
