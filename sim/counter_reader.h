/*
 * counter_reader.h - what a program in each driver domain reads of its kernel's counters while the host runs: packets and
 * requests of each guest's devices, and the CPU time of the threads that work for it, as Linux counts them.
 *
 * The program begins with the trace and reads all counters once in each interval, one device after the other. It cannot read
 * while none of the driver domain's vCPUs has a pCPU although one wants it: such a reading comes late. What the program itself
 * uses is not simulated, and reading changes nothing: the trace is the same with and without it.
 */
#ifndef XENMETER_SIM_COUNTER_READER_H
#define XENMETER_SIM_COUNTER_READER_H

#include "sim/driver.h"
#include "sim/simulation.h"

/* All driver domains' programs. */
struct counter_readers {
    struct sim_host *host;
    struct simulation_counters to; /* interval_ns 0: nobody reads */
    struct counter_reader *readers;
    size_t count;
    struct prng rng;
};

/* Adds the timers, before the host starts. False: no memory. counter_readers_free in both cases. */
bool counter_readers_init(struct counter_readers *all, struct sim_host *host);
void counter_readers_free(struct counter_readers *all);

/* The readings go there from the beginning on. Before the host runs. */
void counter_readers_begin(struct counter_readers *all, const struct simulation_counters *to);

/* The last readings, at the host's end. */
void counter_readers_end(struct counter_readers *all, uint64_t now_ns);

#endif
