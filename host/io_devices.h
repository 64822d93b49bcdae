/*
 * The devices of a driver domain's guests and their counters, as Linux and blktap show them: network devices vifD.N and
 * disks vbd-D-ID under /sys, tapdisk's disks vbd3-D-ID under /dev/shm.
 *
 * The files of counters stay open. Devices that come are looked for once a second, and at once where the time of a
 * directory says that something changed (sysfs does not say so); a device that has gone says so when it is read.
 */
#ifndef XENMETER_HOST_IO_DEVICES_H
#define XENMETER_HOST_IO_DEVICES_H

#include <stddef.h>
#include <stdint.h>

#include "io_names.h"
#include "formats/io_rows.h"
#include "io_clock.h"
#include "parser/error.h"

struct io_wanted {
    const char *root;       /* the directory that contains sys/, proc/ and dev/; "" is the machine's own */
    const uint8_t *domains; /* only these guests, a byte for each of 65536 domain ids; NULL: all */
    struct io_rows_form form;
};

struct io_devices;

/*
 * Looks for the devices; `wanted` stays the caller's and outlives them. NULL with `err` filled: this is no driver domain
 * of Xen, a directory cannot be read, or no memory.
 */
struct io_devices *io_devices_new(const struct io_wanted *wanted, struct error *err);
void io_devices_free(struct io_devices *d);

/*
 * Reads all devices; `now`: the moment at which this reading begins. 0, or -1 with `err` filled: a directory cannot be
 * read, or no memory.
 */
int io_devices_read(struct io_devices *d, const struct io_moment *now, struct error *err);

/*
 * Adds a row for each device that was read; `now` and `end`: when the reading began and ended. A device that was not
 * there at the first look has a row with counts of 0 for the last look without it. Returns how many devices were read.
 */
size_t io_devices_rows(const struct io_devices *d, const struct io_moment *now, const struct io_moment *end,
                       struct buffer *rows);

/* The guests of interfaces that were renamed. `d` stays the caller's. */
struct io_interfaces io_devices_interfaces(const struct io_devices *d);

#endif
