/* orders.h - what somebody outside of the host has decided, until it is done there. */
#ifndef XENMETER_SIM_ORDERS_H
#define XENMETER_SIM_ORDERS_H

#include "sim/driver.h"
#include "sim/hold.h"
#include "sim/host.h"

enum order_kind {
    ORDER_ALLOW, /* the scheduler is given an allowance of the domain */
    ORDER_HOLD   /* the pair is held, or let back */
};

struct sim_order {
    uint64_t due_ns;
    enum order_kind kind;
    const struct sim_domain *domain; /* ORDER_ALLOW */
    uint64_t part_ns, of_ns;         /* as set_allowance() of scheduler_ops.h takes it */
    struct sim_pair *pair;           /* ORDER_HOLD */
    struct sim_hold hold;            /* as hold_pair() takes it */
};

struct orders {
    struct sim_timer timer;
    struct sim_order *waiting; /* by due_ns; of one moment in the order in which they were decided */
    size_t n, capacity;
};

/* None is waiting. Before the host starts; `o` must not move then. False: no memory. Free in both cases. */
bool orders_init(struct orders *o, struct sim_host *host);
void orders_free(struct orders *o);

/* Has one carried out at its due_ns, which is not before the host's time. False: no memory. */
bool orders_add(struct orders *o, struct sim_host *host, const struct sim_order *order);

#endif
