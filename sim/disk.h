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
#include "sim/hold.h"

#define DISK_DEPTH_MAX 128

/* Who makes requests. */
struct sim_disk_user {
    struct sim_task *task; /* is woken when one is complete */
    uint32_t done;         /* requests that are complete, modulo 2^32 */
};

/* The guest's disk, made on first use, before the host starts. NULL: no memory. */
struct sim_vbd *disk_vbd(struct sim_host *host, struct sim_domain *guest, struct sim_driver *driver);
void disk_vbd_free(struct sim_vbd *vbd);

/* Within a step of the guest: a request to read or write so many bytes; there must be room. When it is complete, user->done goes up. */
void disk_request(struct sim_vbd *vbd, struct sim_disk_user *user, uint32_t bytes, bool writes);

/* What of `hold` is about disks holds from now_ns on. Not within a step. */
void disk_hold(struct sim_vbd *vbd, const struct sim_hold *hold, uint64_t now_ns);

/* How many more requests the disk can take. */
uint32_t disk_room(const struct sim_vbd *vbd);

#endif
