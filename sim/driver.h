/*
 * driver.h - driver domains: whose guests they serve, what that costs, and for whom each ns of it was.
 *
 * A pair is a guest and a driver domain that serves it; its cells take the CPU that the driver domain used on the guest's
 * behalf, by kind of work.
 */
#ifndef XENMETER_SIM_DRIVER_H
#define XENMETER_SIM_DRIVER_H

#include "sim/host.h"

/* In the order of sim_work_names[]. */
enum sim_work {
    WORK_INTERRUPT, /* handlers of the guest's event channels, and of devices' interrupts for it */
    WORK_RECEIVE,   /* netback: packets that the guest sent */
    WORK_DEALLOC,   /* netback: pages of such packets given back */
    WORK_TRANSMIT,  /* netback: packets to the guest */
    WORK_DEVICE,    /* the network device's driver: packets from outside for the guest */
    WORK_DISK,      /* blkback */
    WORK_PAGES,     /* programs that map the guest's pages */
    SIM_WORKS
};
extern const char *const sim_work_names[SIM_WORKS];

/* What a guest got done, in the order of sim_done_names[]. */
enum sim_done {
    DONE_REQUESTS,
    DONE_BYTES_IN,
    DONE_BYTES_OUT,
    DONE_PACKETS_IN,
    DONE_PACKETS_OUT,
    DONE_DISK_REQUESTS, /* reads and writes */
    DONE_DISK_READS,
    DONE_DISK_WRITES,
    DONE_DISK_BYTES_READ,
    DONE_DISK_BYTES_WRITTEN,
    DONE_DROPPED,
    SIM_DONES
};
extern const char *const sim_done_names[SIM_DONES];

/* What a driver domain's kernel counts of a guest's disk, as Linux counts it for vbd-D-*. */
enum pair_count {
    COUNT_READS,  /* the guest's requests to read, which it has taken */
    COUNT_WRITES, /* and to write */
    PAIR_COUNTS
};

struct sim_driver;

struct sim_pair {
    struct sim_pair *next;
    struct sim_domain *guest;
    struct sim_driver *driver;
    struct sim_vcpu *guest_vcpu, *driver_vcpu; /* where their handlers and threads for it run */
    uint32_t first_cell;                       /* of SIM_WORKS */
    struct sim_vif *vifs;                      /* a list, by number (network.h) */
    struct sim_vbd *vbd;                       /* NULL: none */
    uint64_t counted[PAIR_COUNTS];             /* since the trace began */
    uint64_t cap_ppm;                          /* by which the guest is held here (hold.h) */
};

struct sim_driver {
    struct sim_domain *domain;
    const struct scenario_driver *plan;
    struct sim_nic *nic; /* NULL: none yet */
    uint32_t pairs;
};

/* The driver domain of that id in the scenario. */
struct sim_driver *driver_of(struct sim_host *host, uint64_t id);

/* The pair, made on first use, before the host starts. NULL: no memory. */
struct sim_pair *driver_pair(struct sim_host *host, struct sim_domain *guest, struct sim_driver *driver);

static inline uint32_t pair_cell(const struct sim_pair *pair, enum sim_work work)
{
    return pair->first_cell + work;
}

/* The guest of the pair got something done at now_ns. */
static inline void domain_did(struct sim_host *host, const struct sim_domain *d, enum sim_done what,
                              uint64_t now_ns, uint64_t amount)
{
    true_account_add(&host->truth, d->first_done_cell + what, now_ns, amount);
}

/* The driver domain's device interrupts the pCPU where the vCPU is or was: the handler is pending. */
void device_interrupt(struct sim_host *host, uint32_t irq, struct sim_task *handler, uint64_t now_ns);

/* A thread of the same domain is to run: if it slept, on another vCPU, after an interrupt between vCPUs. `from` runs. */
void thread_wake(struct sim_vcpu *from, struct sim_task *thread);

#endif
