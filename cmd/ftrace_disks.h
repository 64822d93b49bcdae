/*
 * Whose the interrupts of a driver domain's disks are: a guest's, if all disks of the controller are whole disks that
 * blkback gives to this guest; the driver domain's own, if no guest uses any of them; else they are shared.
 *
 * Sources in /sys: bus/xen-backend/devices/vbd-D-N/physical_device, dev/block, block/DISK (slaves, loop/backing_file), and
 * msi_irqs or irq of the controller, which is a directory above the disk.
 */
#ifndef XENMETER_CMD_FTRACE_DISKS_H
#define XENMETER_CMD_FTRACE_DISKS_H

#include <stdbool.h>
#include <stdint.h>

/* Takes an interrupt and its owner: a domain id, WORK_OWN or WORK_UNKNOWN (shared). */
struct ftrace_irq_taker {
    void *context;
    void (*irq)(void *context, uint32_t irq, uint32_t owner);
};

/*
 * Looks at all disks below `root` and has each interrupt of a controller taken. `hidden_users`: processes serve disks of
 * guests (tapdisk, QEMU), and where they keep them is not known: what no guest seems to use is shared then. What cannot be
 * read is left out.
 */
void ftrace_disks_look(const char *root, bool hidden_users, const struct ftrace_irq_taker *taker);

#endif
