/*
 * Time shared out in proportion to weights, in whole ns: Webster's method (Sainte-Lague). Each ns goes to the party
 * with the largest weight / (2 * given + 1), the first of equals. So every ns is given to a party, no party loses any
 * as the total grows, and each share is as near to its exact value as whole numbers can be.
 */
#ifndef XENMETER_METRICS_APPORTION_H
#define XENMETER_METRICS_APPORTION_H

#include <stddef.h>
#include <stdint.h>

#define APPORTION_WEIGHT_MAX (1ull << 40)

/*
 * Shares out `total` (below 2^62) to `n` > 0 parties: given[i] for weights[i] (at most APPORTION_WEIGHT_MAX, not all
 * zero). given[] adds up to `total`.
 */
void apportion(uint64_t total, const uint64_t *weights, uint64_t *given, size_t n);

/* Turns real weights (>= 0, finite, not all zero) into whole ones, the largest APPORTION_WEIGHT_MAX. */
void apportion_scale(const double *real, uint64_t *weights, size_t n);

#endif
