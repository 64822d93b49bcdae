/*
 * The time of day of the records of a live trace: pairs of a tsc and a time, as this machine reads them, and what follows from
 * them for other moments.
 *
 * The counter that this machine reads need not be the one that the trace has: that of an HVM or PVH domain 0 has an offset, an
 * emulated one another frequency. So each reading is checked against the newest record: that record must not be later than the
 * counter, nor earlier by much more than records need to arrive. Where the counter is not the trace's, pairs come from the stream: the
 * largest tsc of a sweep, and the time at which the sweep's bytes came. They are exact to a sweep's period.
 *
 *     wall_clock_new -> (wall_clock_read)* every few seconds -> wall_clock_free
 *
 * For one thread.
 */
#ifndef XENMETER_HOST_WALL_CLOCK_H
#define XENMETER_HOST_WALL_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "archive/host_facts.h"
#include "host/time_source.h"
#include "parser/error.h"

#define WALL_CLOCK_LATE_NS 2000000000u /* records arrive within this time, as a rule */

struct wall_clock;

/*
 * Records need at most late_ns to arrive. The source is copied; what its context is outlives the clock. NULL with `err` filled:
 * no memory.
 */
struct wall_clock *wall_clock_new(const struct time_source *source, uint64_t late_ns, struct error *err);
void wall_clock_free(struct wall_clock *c);

/* The newest record that has come. */
struct stream_moment {
    uint64_t tsc;      /* the largest one of its sweep */
    uint64_t age_ns;   /* how long ago its bytes came */
    uint64_t sweep_ns; /* from one sweep to the next */
};

/* What a reading has brought. */
struct clock_news {
    bool has_pair;          /* `pair` is new; */
    struct fact_clock pair; /* its tsc is never below that of the pair before it, unless `broken` */
    int64_t
        step_ns; /* the time of day was set forward by so much (< 0: back) since the last reading; 0: it was not */
    uint64_t suspended_ns; /* this machine was suspended for so long since the last reading */
    bool broken;           /* pairs from before do not go with those from here on, and are forgotten */
};

/*
 * Reads the time; `newest`: NULL as long as no record has come. There is no pair at the first reading, as nothing can be checked
 * yet, and none while the counter seems not to be the trace's until three readings in a row agree. Records that are late, up to
 * 30 times late_ns, do not count against a counter that has fitted before.
 * 0; -1 with `err` filled: the source failed.
 */
int wall_clock_read(struct wall_clock *c, const struct stream_moment *newest, struct clock_news *news,
                    struct error *err);

/* Pairs come from the stream, as this machine's counter is not the trace's. */
bool wall_clock_by_stream(const struct wall_clock *c);

/*
 * The frequency of the trace's tsc by the pairs so far, in Hz, against CLOCK_MONOTONIC; 0: not known yet. *error_ppm (may be
 * NULL): at most so far off, but for what that clock itself is off.
 */
double wall_clock_hz(const struct wall_clock *c, double *error_ppm);

/*
 * The tsc at a time of day, and the other way round: on the straight line between the pairs around it, beyond them by the
 * frequency. Where the time of day was set in between, each side counts for itself; a time that was there twice is the
 * later one. False: no pair yet, or the frequency is not known, or the moment is before tsc 0.
 */
bool wall_clock_tsc_of(const struct wall_clock *c, int64_t utc_ns, uint64_t *tsc);
bool wall_clock_utc_of(const struct wall_clock *c, uint64_t tsc, int64_t *utc_ns);

#endif
