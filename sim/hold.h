/* hold.h - how a guest is held back at a driver domain that serves it: what somebody outside of the host can do about its I/O. */
#ifndef XENMETER_SIM_HOLD_H
#define XENMETER_SIM_HOLD_H

#include <stdbool.h>
#include <stdint.h>

#define SIM_FREE UINT64_MAX /* of each number below: no limit */

struct sim_hold {
    /*
     * A filter on the guest's devices drops what it sends, or gets, above so many bytes a second (0: all of it), each direction by
     * itself, with bursts as share/hooks/nft allows them.
     */
    uint64_t filter_bytes_per_s;
    /* Netback takes no more than so many bytes a second (> 0) from each device of the guest; the rest waits in the ring. */
    uint64_t receive_bytes_per_s;
    bool pauses_disk;  /* no requests are taken */
    bool low_priority; /* the kernel's threads that work for the guest run when no others want to */
    uint64_t cap_ppm;  /* the guest's vCPUs together run for no more than this part (> 0) of one pCPU */
};

/* Nothing is held. */
static inline struct sim_hold sim_hold_nothing(void)
{
    return (struct sim_hold){
        .filter_bytes_per_s = SIM_FREE, .receive_bytes_per_s = SIM_FREE, .cap_ppm = SIM_FREE};
}

struct sim_host;
struct sim_pair;

/*
 * From now_ns on this holds for the pair, in place of what held before. Not within a step. A cap wants a scheduler that takes
 * allowances; of several at the guest's driver domains the smallest holds, and never more than the scenario gives the guest.
 */
void hold_pair(struct sim_host *host, struct sim_pair *pair, const struct sim_hold *hold, uint64_t now_ns);

#endif
