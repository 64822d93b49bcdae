#include "apportion.h"

#include <math.h>
#include <stdbool.h>

#include "parser/order/clock.h"

/* Whether party i, with gi ns so far, gets the next ns before party j with gj. */
static bool served_before(const uint64_t *weights, size_t i, uint64_t gi, size_t j, uint64_t gj)
{
    uint128 a = (uint128)weights[i] * (2 * gj + 1), b = (uint128)weights[j] * (2 * gi + 1);
    return a != b ? a > b : i < j;
}

static size_t next_served(const uint64_t *weights, const uint64_t *given, size_t n)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (served_before(weights, i, given[i], best, given[best]))
            best = i;
    return best;
}

/* The party that got the last ns. */
static size_t last_served(const uint64_t *weights, const uint64_t *given, size_t n)
{
    size_t last = n;
    for (size_t i = 0; i < n; i++)
        if (given[i] > 0 && (last == n || served_before(weights, last, given[last] - 1, i, given[i] - 1)))
            last = i;
    return last;
}

void apportion(uint64_t total, const uint64_t *weights, uint64_t *given, size_t n)
{
    uint128 sum = 0;
    uint64_t out = 0;
    for (size_t i = 0; i < n; i++)
        sum += weights[i];
    /* The nearest whole number is Webster's share of some total near this one: at most n steps away. */
    for (size_t i = 0; i < n; i++) {
        given[i] = (uint64_t)(((uint128)weights[i] * total * 2 + sum) / (sum * 2));
        out += given[i];
    }
    for (; out < total; out++)
        given[next_served(weights, given, n)]++;
    for (; out > total; out--)
        given[last_served(weights, given, n)]--;
}

void apportion_scale(const double *real, uint64_t *weights, size_t n)
{
    double largest = 0;
    for (size_t i = 0; i < n; i++)
        largest = fmax(largest, real[i]);
    for (size_t i = 0; i < n; i++)
        weights[i] = (uint64_t)llround(real[i] / largest * (double)APPORTION_WEIGHT_MAX);
}
