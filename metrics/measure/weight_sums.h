/* The sums of equations to which weights are fitted; between weight_fit.c, which makes them, and weight_solve.c. */
#ifndef XENMETER_METRICS_WEIGHT_SUMS_H
#define XENMETER_METRICS_WEIGHT_SUMS_H

#include "least_squares.h"
#include "weight_fit.h"

#define FIT_BLOCKS 32 /* of intervals, left out one at a time */
#define FIT_GROUPS 16 /* of guests, by domain id */

_Static_assert(IO_KINDS <= UNKNOWNS_MAX, "the kinds of events are the unknowns");

/* For which kinds of events time counts. */
enum layer {
    LAYER_SENT,
    LAYER_RECEIVED,
    LAYER_DISK,
    LAYER_ANY,
    LAYER_ALL,
    LAYERS
}; /* ALL: the sum of the others */

#define KIND_BIT(KIND) (1u << (KIND))
extern const unsigned kinds_of_layer[LAYERS]; /* KIND_BIT, or-ed */

/* An equation for each guest in each interval. */
struct weight_sums {
    struct normal_equations layers[LAYERS];
    double events[IO_KINDS];
};

/* Adds the sums `times` times. */
void weight_sums_merge(struct weight_sums *into, const struct weight_sums *from, double times);

struct weight_fit {
    const struct charge_options *options;
    const uint8_t *guests;
    unsigned kinds; /* to be fitted: KIND_BIT, or-ed */
    struct weight_sums all, blocks[FIT_BLOCKS], groups[FIT_GROUPS];
    uint64_t intervals, block_length; /* used; so many of them in each block */
    uint64_t without_reading;         /* of the intervals: CPU times were not read in them */
    double driver_ns, guests_ns;
};

#endif
