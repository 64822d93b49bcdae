/*
 * network.h - a PV network device: netfront in a guest, netback in its driver domain, and the driver domain's own network
 * device, by which packets come from and go to the outside.
 *
 * As Linux has it: both ends of a ring tell each other only when the other one sleeps. A packet that a guest sends is mapped
 * and unmapped by netback, up to 64 at a time; one for a guest is copied. Netback's polling runs as a softirq in whatever the
 * vCPU runs, or as a thread; a thread for each direction serves each guest.
 */
#ifndef XENMETER_SIM_NETWORK_H
#define XENMETER_SIM_NETWORK_H

#include "sim/driver.h"
#include "sim/hold.h"
#include "sim/packet_queue.h"

/* The guest's device, made on first use, before the host starts: vifD.number. NULL: no memory. */
struct sim_vif *network_vif(struct sim_host *host, struct sim_domain *guest, struct sim_driver *driver,
                            uint64_t number);
void network_vifs_free(struct sim_vif *first);
void network_nic_free(struct sim_nic *nic);

/* The next one of the pair; NULL: none. */
struct sim_vif *vif_next(const struct sim_vif *vif);

/* What the driver domain's kernel counts of a device, as Linux counts it for vifD.N, since the trace began. */
struct vif_counts {
    uint32_t number;
    uint64_t to_guest, from_guest; /* packets */
};
struct vif_counts vif_counts(const struct sim_vif *vif);

/* Room for packets that the guest sends. */
bool vif_has_room(const struct sim_vif *vif);

/* Within a step of the guest: sends a packet; there must be room. */
void vif_send(struct sim_host *host, struct sim_vif *vif, struct sim_vcpu *from,
              const struct sim_packet *packet);

/* The task, of a load of the guest, is woken when there is room again. */
void vif_wait_for_room(struct sim_vif *vif, struct sim_task *task);

/* What of `hold` is about the network holds for the device from now_ns on. Not within a step. */
void vif_hold(struct sim_vif *vif, const struct sim_hold *hold, uint64_t now_ns);

/* A packet arrives at now_ns from outside, for packet->to. */
void network_arrive(struct sim_host *host, const struct sim_packet *packet, uint64_t now_ns);

#endif
