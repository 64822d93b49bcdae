/* Driver domains and their guests: who deals with whom, who is awake, and what they did lately. */
#ifndef XENMETER_METRICS_CHARGE_PAIRS_H
#define XENMETER_METRICS_CHARGE_PAIRS_H

#include <stdbool.h>
#include <stdint.h>

struct charging;

/* The driver domain of a life: index in `idds`, NOBODY. */
uint32_t charging_idd_of(const struct charging *c, uint32_t life);

/* The guest of a domain id, its life; NOBODY: the trace does not show it, or it is the idle domain, which is no guest. */
uint32_t charging_guest(const struct charging *c, uint16_t domain);

/* The pair of a driver domain and a guest's life, NOBODY: they had nothing to do with each other so far. */
uint32_t charging_find_pair(const struct charging *c, uint32_t idd, uint32_t guest_life);
/* The same, made on first sight. NOBODY: no memory. */
uint32_t charging_pair(struct charging *c, uint32_t idd, uint32_t guest_life);

/* One vCPU more (+1) or less (-1) of the life is awake. */
void charging_count_awake(struct charging *c, uint32_t life, int change);

/* The guest's notifications await that the driver domain deals with them, or no longer. */
void charging_set_awaits(struct charging *c, uint32_t pair, bool awaits);

/* Weight of now among sums that forget: what happened a second earlier counts half. */
double charging_scale(struct charging *c);

/* Whether driver domain `a` is the one that serves `b`, of two driver domains. */
bool charging_serves(const struct charging *c, uint32_t a, uint32_t b);

/*
 * Whether a notification may have been for somebody else, and the driver domain that woke just then was woken by its timer or
 * device. Driver domains without I/O with each other so far are believed to have some when that happens in quick succession.
 */
bool charging_wakes_by_chance(struct charging *c, uint32_t a, uint32_t b);

#endif
