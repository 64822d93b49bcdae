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
#include "sim/packet_queue.h"

/* The guest's device, made on first use, before the host starts. NULL: no memory. */
struct sim_vif *network_vif(struct sim_host *host, struct sim_domain *guest, struct sim_driver *driver);
void network_vif_free(struct sim_vif *vif);
void network_nic_free(struct sim_nic *nic);

/* Room for packets that the guest sends. */
bool vif_has_room(const struct sim_vif *vif);

/* Within a step of the guest: sends a packet; there must be room. */
void vif_send(struct sim_host *host, struct sim_vif *vif, struct sim_vcpu *from,
              const struct sim_packet *packet);

/* The task is woken when there is room again; one task at a time can wait. */
void vif_wait_for_room(struct sim_vif *vif, struct sim_task *task);

#define NETWORK_FREE UINT64_MAX /* bytes a second: no limit */

/*
 * From now on the driver domain drops what a guest sends, or gets, above so many bytes a second (0: all of it), each direction by
 * itself, with bursts as share/hooks/nft allows them; NETWORK_FREE: it lets all through.
 */
void network_limit(struct sim_vif *vif, uint64_t bytes_per_s);

/* A packet arrives at now_ns from outside, for packet->to. */
void network_arrive(struct sim_host *host, const struct sim_packet *packet, uint64_t now_ns);

#endif
