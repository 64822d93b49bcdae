/* The packets of all network interfaces at once, as /proc/net/dev has them. */
#ifndef XENMETER_HOST_IO_NET_DEV_H
#define XENMETER_HOST_IO_NET_DEV_H

#include <stddef.h>
#include <stdint.h>

#define IO_NET_DEV_MOST 64 /* interfaces: of more, one read does not have all */

/* Takes an interface: the n characters of its name, the packets it sent and received. */
struct io_net_dev_taker {
    void *context;
    void (*take)(void *context, const char *name, size_t n, const uint64_t counts[2]);
};

/* Opens the file below the root; -1: there is none. */
int io_net_dev_open(const char *root);

/* Reads it once. Lines that are no interface's are skipped; without the file nothing is taken. */
void io_net_dev_read(int fd, const struct io_net_dev_taker *taker);

#endif
