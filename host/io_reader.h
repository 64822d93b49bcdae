/* All counters and CPU times of a driver domain (io_devices.h, io_threads.h), read together, as rows of xenmeter-io-counts(5). */
#ifndef XENMETER_HOST_IO_READER_H
#define XENMETER_HOST_IO_READER_H

#include <stddef.h>
#include <stdint.h>

#include "host/io_devices.h"

struct io_reader;

/*
 * Looks for the devices, and for threads if wanted.form.cpu. `wanted` stays the caller's and outlives the reader. NULL with `err`
 * filled, as io_devices_new and io_threads_new.
 */
struct io_reader *io_reader_new(const struct io_wanted *wanted, struct error *err);
void io_reader_free(struct io_reader *r);

/* The form of the rows that this machine can give: its tsc, CPU times and stolen time. `root` as in struct io_wanted. */
struct io_rows_form io_reader_form(const char *root);

struct io_reading {
    uint64_t end_ns; /* when it ended (io_clock_ns) */
    size_t devices;  /* how many devices were read */
    size_t unread;   /* threads whose time cannot be read */
};

/* Reads everything, and adds the rows. -1 with `err` filled: a directory cannot be read, or no memory. */
int io_reader_read(struct io_reader *r, struct buffer *rows, struct io_reading *reading, struct error *err);

/* No reading follows: adds the rows of the last one that were left out. */
void io_reader_last_rows(struct io_reader *r, struct buffer *rows);

/* The guests of interfaces that were renamed. `r` stays the caller's. */
struct io_interfaces io_reader_interfaces(const struct io_reader *r);

#endif
