/* Where readings of the time come from: this machine, or what stands in for it in tests. */
#ifndef XENMETER_HOST_TIME_SOURCE_H
#define XENMETER_HOST_TIME_SOURCE_H

#include <stdint.h>

#include "parser/error.h"

/* One moment, by every clock: all of them were read no more than error_ns from it. */
struct time_reading {
    int64_t utc_ns;        /* CLOCK_REALTIME, since 1970 */
    uint64_t monotonic_ns; /* CLOCK_MONOTONIC */
    uint64_t boot_ns;      /* CLOCK_BOOTTIME, which goes on while the machine is suspended */
    uint64_t tsc;          /* see io_clock_ticks */
    uint64_t error_ns;
};

struct time_source {
    void *context;
    /* Reads the time now. 0; -1 with `err` filled. */
    int (*read)(void *context, struct time_reading *r, struct error *err);
};

/*
 * This machine. The clocks are read several times, and the shortest of these readings counts: an interrupt in the middle of
 * one makes its error large, not wrong. Never fails.
 */
struct time_source time_source_host(void);

#endif
