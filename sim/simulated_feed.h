/*
 * simulated_feed.h - a simulated host as a source of trace bytes: it runs on when whoever reads its trace wants more, and
 * stands still while what has been written by then is read. So whoever reads can act on the host, and every run is the same.
 */
#ifndef XENMETER_SIM_SIMULATED_FEED_H
#define XENMETER_SIM_SIMULATED_FEED_H

#include "parser/source/feed.h"
#include "sim/simulation.h"

struct simulated_feed {
    struct simulation *simulation;
    struct simulation_sink trace; /* gets the same bytes */
    uint8_t *bytes;               /* of the last sweep */
    size_t n, capacity;
    bool no_memory;
    uint64_t done; /* bytes delivered */
};

/*
 * Builds the host (simulation_new), whose bytes go to `trace` (copied) as they are made, and then to who reads. -1 with `err`
 * filled. simulated_feed_free in both cases; all zero is freed, too.
 */
int simulated_feed_open(struct simulated_feed *f, const struct scenario *plan,
                        const struct simulation_sink *trace, struct error *err);
void simulated_feed_free(struct simulated_feed *f);

/* For trace_options.feed: one sweep after another. It fails as simulation_step does. */
struct feed simulated_feed_of(struct simulated_feed *f);

#endif
