/* Moments of readings: CLOCK_MONOTONIC and, beside it, the time stamp counter, which trace records carry. */
#ifndef XENMETER_HOST_IO_CLOCK_H
#define XENMETER_HOST_IO_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* CLOCK_MONOTONIC, in ns. */
uint64_t io_clock_ns(void);

struct io_moment {
    uint64_t time_ns; /* see io_clock_ns */
    uint64_t ticks;   /* see io_clock_ticks */
};

/* Whether this machine has a time stamp counter that programs can read. */
bool io_clock_has_tsc(void);

/* The time stamp counter, without a system call; io_clock_ns where there is none. */
uint64_t io_clock_ticks(void);

/* This moment. The ticks are those in the middle of reading the time. */
struct io_moment io_clock_now(void);

/* The moment of `ticks`, on the straight line through `first` and `last`. */
struct io_moment io_clock_at(const struct io_moment *first, const struct io_moment *last, uint64_t ticks);

#endif
