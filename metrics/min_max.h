#ifndef XENMETER_METRICS_MIN_MAX_H
#define XENMETER_METRICS_MIN_MAX_H

#include <stdint.h>

static inline uint64_t min64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline uint64_t max64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

#endif
