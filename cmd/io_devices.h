/*
 * The devices of a driver domain's guests and their counters, as Linux shows them under /sys: network devices vifD.N
 * and disks vbd-D-ID of domain D.
 */
#ifndef XENMETER_CMD_IO_DEVICES_H
#define XENMETER_CMD_IO_DEVICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/buffer.h"
#include "parser/error.h"

struct io_devices_wanted {
    const char *root;       /* the directory that contains sys/; "" is the machine's own */
    const uint8_t *domains; /* only devices of these guests, a byte for each of 65536 domain ids; NULL: all */
    bool idd_given;         /* rows end with the driver domain's id */
    unsigned idd;
};

/*
 * Reads all devices and appends a row of xenmeter-io-counts(5) for each; *found: their number. 0, or -1 with `err`
 * filled: this is no driver domain of Xen, a directory cannot be read, or no memory.
 */
int io_devices_read(const struct io_devices_wanted *o, struct buffer *rows, size_t *found, struct error *err);

/* Whether rows have a tsc on this machine. */
bool io_devices_have_tsc(void);

#endif
