/* Tests of random inputs that are others each time: SEED=N repeats a run that failed, which prints its seed. */
#ifndef XENMETER_TESTS_UNIT_NEW_SEED_H
#define XENMETER_TESTS_UNIT_NEW_SEED_H

#include <stdint.h>
#include <stdlib.h>
#include <time.h>

static inline uint64_t new_seed(void)
{
    const char *given = getenv("SEED");
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return given ? strtoull(given, NULL, 10) : (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

#endif
