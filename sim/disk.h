/*
 * disk.h - a PV disk: blkfront in a guest, blkback in its driver domain, and the disk behind it.
 *
 * A thread of the driver domain takes the guest's requests; each goes to the disk, which serves them in order: so long for each
 * byte, one after the other, and a latency for each, during which others are served. Its interrupt completes them. With persistent
 * grants a request's pages are mapped once and copied from then on; else they are mapped and unmapped for each request.
 */
#ifndef XENMETER_SIM_DISK_H
#define XENMETER_SIM_DISK_H

#include "sim/driver.h"

#define DISK_DEPTH_MAX 128

/* The guest's disk, made on first use, before the host starts. NULL: no memory. */
struct sim_vbd *disk_vbd(struct sim_host *host, struct sim_domain *guest, struct sim_driver *driver);
void disk_vbd_free(struct sim_vbd *vbd);

/*
 * Within a step of the guest: a request of so many bytes, at most DISK_DEPTH_MAX at a time on one disk. When it is complete, *done
 * goes up and the task is woken.
 */
void disk_request(struct sim_host *host, struct sim_vbd *vbd, struct sim_task *task, uint32_t bytes,
                  uint32_t *done);

/* How many more requests the disk can take. */
uint32_t disk_room(const struct sim_vbd *vbd);

#endif
