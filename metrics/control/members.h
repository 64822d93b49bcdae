/* Lives of domain ids, and to which account of a controller each belongs. */
#ifndef XENMETER_METRICS_CONTROL_MEMBERS_H
#define XENMETER_METRICS_CONTROL_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "metrics/measure/charge.h"

#define NO_ACCOUNT UINT32_MAX

/* A life of a domain id. */
struct controlled_life {
    int32_t domain;
    uint32_t life;
    uint32_t account; /* NO_ACCOUNT: no rule is about it */
    uint32_t number;  /* in the order in which they appeared */
};

/* All zero: none. */
struct controlled_lives {
    struct controlled_life *at; /* by domain and life */
    size_t n, capacity;
};

/* NULL: this life has not appeared yet. Valid until the next one is added. */
const struct controlled_life *members_find(const struct controlled_lives *m, int32_t domain, uint32_t life);

/* Adds a life that is not there yet. NULL: no memory. */
const struct controlled_life *members_add(struct controlled_lives *m, int32_t domain, uint32_t life,
                                          uint32_t account);

/* Forgets those without an account: they appear anew. */
void members_forget_others(struct controlled_lives *m);

void members_free(struct controlled_lives *m);

/* Whether it is domain 0 or one of the driver domains of an interval: rules for all others are not about it. */
bool is_driver_domain(int32_t domain, const struct charge_idd *idds, size_t n);

#endif
