/*
 * Where a flight recorder's bytes begin: of a live trace, the places where sweeps begin in the last so many bytes and so much time. The
 * bytes themselves are the spool's (spool.h).
 */
#ifndef XENMETER_RECORD_FLIGHT_RING_H
#define XENMETER_RECORD_FLIGHT_RING_H

#include <stddef.h>
#include <stdint.h>

#define FLIGHT_PARTS  1024 /* a place is remembered after each such part of the bytes, or of the time */
#define FLIGHT_PLACES (2 * FLIGHT_PARTS + 16)

/* A sweep begins at byte `at` of the trace. No record before is later than tsc: all pCPUs have data from there on. */
struct flight_place {
    uint64_t at, tsc;
};

/* What limits the bytes that there are. */
enum flight_bound { FLIGHT_BY_BEGIN, FLIGHT_BY_SIZE, FLIGHT_BY_AGE };

struct flight_ring {
    uint64_t bytes_max;
    struct flight_place newest, before; /* the last sweep, and the one before */
    enum flight_bound bound;            /* FLIGHT_BY_BEGIN: the trace began after that */
    size_t first, n;                    /* of places, a ring */
    struct flight_place places[FLIGHT_PLACES];
};

/* Begins anew, with a trace whose first record is of `tsc`. */
void flight_ring_begin(struct flight_ring *r, uint64_t bytes_max, uint64_t tsc);

/* The tsc of the first record is known now. */
void flight_ring_began(struct flight_ring *r, uint64_t tsc);

/*
 * A sweep begins. `at` rises; a place that the ring already has is skipped. age_max: cycles that the ring is to cover with the records of all pCPUs; 0: not
 * known yet.
 */
void flight_ring_sweep(struct flight_ring *r, struct flight_place place, uint64_t age_max);

/* The first place that is wanted. */
struct flight_place flight_ring_oldest(const struct flight_ring *r);

/* "begin" "size" "age" */
extern const char *const flight_bound_names[];

#endif
