/* Sums of ns that stay within what columns show. */
#ifndef XENMETER_ACCOUNT_ADDING_H
#define XENMETER_ACCOUNT_ADDING_H

#include <stdbool.h>
#include <stdint.h>

/* False: the sum is beyond INT64_MAX, and is not to be used. */
static inline bool add_to(uint64_t *sum, uint64_t n)
{
    return !__builtin_add_overflow(*sum, n, sum) && *sum <= INT64_MAX;
}

#endif
