/* What the kernel of a driver domain is and does, as its files say. */
#ifndef XENMETER_HOST_IO_KERNEL_H
#define XENMETER_HOST_IO_KERNEL_H

#include <stdbool.h>

/* Whether DIR/proc is there; `root` "" is the machine's own. */
bool io_kernel_has_proc(const char *root);

/*
 * Whether the CPU times of threads leave out the time in which the vCPU had no pCPU: the kernel was built with
 * CONFIG_PARAVIRT_TIME_ACCOUNTING, as its configuration in /boot or /lib/modules says, and not started with
 * no-steal-acc. Without its configuration: no.
 */
bool io_kernel_leaves_out_steal(const char *root);

#endif
