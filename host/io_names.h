/*
 * What the names of a driver domain's devices, threads and processes say: for which guest they work, and what they do.
 *
 * Sources: Linux drivers/net/xen-netback (vifD.I, queues vifD.I-qN with the threads -guest-rx and -dealloc),
 * net/core/dev.c (napi/INTERFACE-ID), drivers/block/xen-blkback (D.xvda-RING; blkback.D.xvda before Linux 4.10);
 * QEMU's options (-xen-domid D; -d D of qemu-dm); blktap (/dev/shm/vbd3-D-N).
 */
#ifndef XENMETER_HOST_IO_NAMES_H
#define XENMETER_HOST_IO_NAMES_H

#include <stdbool.h>
#include <stddef.h>

/* What threads and processes do for a guest. */
enum io_work {
    IO_WORK_GUEST_RX,     /* netback: packets to the guest */
    IO_WORK_DEALLOC,      /* netback: pages of sent packets given back */
    IO_WORK_NETBACK,      /* one of these two: the name of the thread is cut short */
    IO_WORK_NAPI,         /* netback: packets from the guest, where NAPI is threaded */
    IO_WORK_BLKBACK,      /* blkback: its disks */
    IO_WORK_DEVICE_MODEL, /* QEMU */
    IO_WORK_TAPDISK,      /* blktap: its disks */
    IO_WORKS
};

/* The names in the log. */
extern const char *const io_work_names[IO_WORKS];

#define IO_NO_DOMAIN 65536u

/*
 * Whether `text` begins with PREFIX, a domain id, `between` and a number; gives both. Returns what follows; NULL: it
 * does not.
 */
const char *io_name_pair(const char *text, const char *prefix, char between, unsigned long pair[2]);

/* Which guest an interface belongs to that is not called vifD.I: n characters; IO_NO_DOMAIN: it is no guest's. */
struct io_interfaces {
    const void *context;
    unsigned long (*owner)(const void *context, const char *interface, size_t n);
};

/* The guest for which a kernel thread of this name works; IO_NO_DOMAIN: for none. */
unsigned long io_name_thread(const char *name, const struct io_interfaces *interfaces, enum io_work *work);

/*
 * Whether a command line, its arguments ended by newlines, is a device model's or tapdisk's; *domain: IO_NO_DOMAIN where
 * it does not name the guest.
 */
bool io_name_process(const char *arguments, enum io_work *work, unsigned long *domain);

#endif
