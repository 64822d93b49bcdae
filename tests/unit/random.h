/* Random numbers that are the same everywhere (splitmix64). */
#ifndef XENMETER_TESTS_UNIT_RANDOM_H
#define XENMETER_TESTS_UNIT_RANDOM_H

#include <stdint.h>

static inline uint64_t random64(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* 0 .. n - 1 */
static inline uint64_t random_below(uint64_t *state, uint64_t n)
{
    return random64(state) % n;
}

#endif
