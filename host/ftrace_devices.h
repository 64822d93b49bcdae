/*
 * Whose the devices of a driver domain are whose names do not tell.
 *
 * Interrupts of disks: a guest's, if all disks of the controller are whole disks that blkback gives to this guest; the
 * driver domain's own, if no guest uses any of them; else they are shared. Interfaces that were renamed: a guest's.
 *
 * Sources in /sys: bus/xen-backend/devices/vbd-D-N/physical_device, dev/block, block/DISK (slaves, loop/backing_file), and
 * msi_irqs or irq of the controller, which is a directory above the disk; class/net/NAME/device.
 */
#ifndef XENMETER_HOST_FTRACE_DEVICES_H
#define XENMETER_HOST_FTRACE_DEVICES_H

#include <stdint.h>

/* Changes when a device of a guest comes or goes; cheaper than a look at all. */
uint64_t ftrace_devices_names(const char *root);

struct ftrace_device_taker {
    void *context;
    /* An interrupt of a controller and its owner: a domain id, WORK_OWN, or WORK_UNKNOWN (shared). */
    void (*irq)(void *context, uint32_t irq, uint32_t owner);
    /* An interface of a guest that is not called vifD.N. */
    void (*interface)(void *context, const char *name, uint32_t domain);
};

/*
 * Looks at all devices below `root` and has them taken. Where processes serve guests' disks (qdisk, tapdisk), or where a
 * guest's disk lies is not known, disks that no guest seems to use are shared. What cannot be read is left out.
 */
void ftrace_devices_look(const char *root, const struct ftrace_device_taker *taker);

#endif
