/* What driver domains of a simulated host count, as xenmeter io-counts would write it there. */
#ifndef XENMETER_CMD_SIMULATE_COUNTS_H
#define XENMETER_CMD_SIMULATE_COUNTS_H

#include "formats/buffer.h"
#include "formats/output.h"
#include "sim/simulation.h"

struct simulated_counts {
    struct output *to; /* stays the caller's */
    struct buffer row;
};

/* Writes the counters to the output while the simulation runs; interval_ns 0: each 100 ms. `c` must not move. Before it runs. */
void simulated_counts_begin(struct simulated_counts *c, struct simulation *s, struct output *to,
                            uint64_t interval_ns);
void simulated_counts_free(struct simulated_counts *c);

#endif
