/* Sums that stop at the ends of their range instead of wrapping: only hostile time stamps reach them. */
#ifndef XENMETER_METRICS_MEASURE_ADDING_H
#define XENMETER_METRICS_MEASURE_ADDING_H

#include <stdint.h>

static inline int64_t add_ns(int64_t a, int64_t b)
{
    int64_t sum;
    if (__builtin_add_overflow(a, b, &sum))
        return b < 0 ? INT64_MIN : INT64_MAX;
    return sum;
}

static inline uint64_t add_count(uint64_t a, uint64_t b)
{
    uint64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

#endif
