/*
 * Sums of delays by victim and culprit, over one interval. Memory and time follow the pairs that occur, not the pairs
 * that are possible: with thousands of vCPUs most pairs never meet.
 */
#ifndef XENMETER_METRICS_MEASURE_DELAY_SUMS_H
#define XENMETER_METRICS_MEASURE_DELAY_SUMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whose running delayed a victim, as a number: these, or CULPRIT_LIFE + the number of an incarnation. */
enum { NO_CULPRIT, CULPRIT_NOT_KNOWN, CULPRIT_IDLES, CULPRIT_LIFE };

/* What one culprit cost one victim. */
struct delay_sum {
    uint32_t culprit;
    uint64_t delayed_ns;
    uint64_t count;     /* delays that ended */
    uint64_t max_ns;    /* the longest of them */
    uint64_t max_at_ns; /* where the longest ended; of equally long ones the first */
};

/* The culprits of one victim: a hash table of the sums themselves. */
struct victim_sums {
    struct delay_sum *slots; /* NO_CULPRIT: free */
    uint32_t n, capacity;    /* capacity: a power of two, or 0 */
};

struct delay_sums {
    struct victim_sums *victims; /* by vCPU number */
    size_t victims_n;
    size_t pairs;  /* of all victims */
    size_t memory; /* bytes held */
};

/* Adds a delay, or a part of one, of this victim. False: no memory. */
bool delay_sums_add(struct delay_sums *s, uint32_t victim, const struct delay_sum *part);

/* Forgets one victim's sums. */
void delay_sums_forget(struct delay_sums *s, uint32_t victim);

void delay_sums_free(struct delay_sums *s);

#endif
