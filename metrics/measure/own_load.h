/* A known load of a driver domain's own work, given as a share of one pCPU: charge_own.h takes it out. */
#ifndef XENMETER_METRICS_OWN_LOAD_H
#define XENMETER_METRICS_OWN_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OWN_LOAD_PPM_MAX 4096000000u /* of 4096 pCPUs */

struct own_load {
    uint16_t domain; /* of the driver domain */
    uint32_t ppm;    /* millionths of the time of one pCPU, up to OWN_LOAD_PPM_MAX */
};

/* The load of the domain among `n`, which are ordered by domain; 0: none is given. */
uint32_t own_load_of(const struct own_load *loads, size_t n, int32_t domain);

/*
 * Enters a load, in millionths of a pCPU, into *loads, an array of *n that is ordered by domain and the caller's to free.
 * False: no memory, or the domain has one.
 */
bool own_load_add(struct own_load **loads, size_t *n, uint16_t domain, uint32_t ppm);

#endif
