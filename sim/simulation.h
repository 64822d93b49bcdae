/*
 * simulation.h - a whole simulated host: from a scenario to a trace and the truth.
 *
 *     struct simulation *s = simulation_new(scenario, &sink, &err);
 *     if (simulation_run(s, &err) == 0)
 *         simulation_truth(s, ...);
 *     simulation_free(s);
 */
#ifndef XENMETER_SIM_SIMULATION_H
#define XENMETER_SIM_SIMULATION_H

#include <jansson.h>

#include "sim/hold.h"
#include "sim/scenario.h"

/*
 * Takes the trace's bytes in order. Returns 0; else the simulation ends and simulation_run() returns -1 without `err` filled.
 * The simulation calls `reached` every so often with the time of the host, also while nothing is written; NULL: no such calls.
 */
struct simulation_sink {
    void *context;
    int (*write)(void *context, const void *bytes, size_t n);
    void (*reached)(void *context, uint64_t now_ns);
    uint64_t every_ns; /* `reached` at least so often, before what happens after it; 0: as it comes */
};

struct simulation;

/* Builds the host. The scenario must outlive it. NULL with `err` filled: no memory. */
struct simulation *simulation_new(const struct scenario *plan, const struct simulation_sink *sink,
                                  struct error *err);

/* The host: for what acts on it from outside while it runs. */
struct sim_host;
struct sim_host *simulation_host(struct simulation *s);

/* The tap follows the host, which then writes no trace; before it runs. The tap must outlive the simulation. */
struct sim_tap;
void simulation_follow(struct simulation *s, const struct sim_tap *tap);

/* What counts: a vif, a vbd, or a thread that works for the guest. */
enum simulated_device { DEVICE_NETWORK, DEVICE_DISK, DEVICE_THREAD };

/* A driver domain's counters of one device of a guest at one moment, since the trace began. */
struct simulated_counter {
    uint64_t time_ns, tsc;
    uint16_t domain, driver_domain;
    enum simulated_device device;
    uint32_t number;    /* of DEVICE_NETWORK: 0 of vifD.0 */
    const char *thread; /* its kind, as xenmeter-io-counts(5) names it; of DEVICE_THREAD */
    uint64_t counts[2]; /* packets to the guest and from it; requests to read and to write; CPU time in ns */
};

/* Takes the counters of all driver domains, read once in each interval (> 0). */
struct simulation_counters {
    uint64_t interval_ns;
    void *context;
    void (*take)(void *context, const struct simulated_counter *counter);
};

/* Counters are read from the beginning to the end of the trace, which stays the same (counter_reader.h). Before it runs. */
void simulation_count(struct simulation *s, const struct simulation_counters *to);

/* Runs it to its end. 0; -1 with `err` filled (no memory, a vCPU starved, or the host's time stood still), or when the sink failed (`err` is untouched then). Call once. */
int simulation_run(struct simulation *s, struct error *err);

/*
 * The same in steps: runs the host until something went to the sink (1: there may be more), or to its end, at which nothing
 * did (0). -1 as simulation_run.
 */
int simulation_step(struct simulation *s, struct error *err);

/* Nothing more happens: the host's time ends, and what is in the buffers is written. While it runs. */
void simulation_stop(struct simulation *s);

/*
 * The domain is allowed part_ns of every of_ns (> 0) of one pCPU's time, from delay_ns after the last step on. The scenario
 * has the domain, and simulation_takes_allowances. -1 with `err` filled: no memory.
 */
int simulation_allow(struct simulation *s, uint16_t domain, uint64_t part_ns, uint64_t of_ns,
                     uint64_t delay_ns, struct error *err);

/*
 * Holds a guest so at a driver domain, in place of how it was held there before, delay_ns after the last step; nothing, where the one does
 * not serve the other. A cap wants simulation_takes_allowances, and no simulation_allow for the guest. -1 with `err` filled: no memory.
 */
int simulation_hold(struct simulation *s, uint16_t domain, uint16_t driver_domain,
                    const struct sim_hold *hold, uint64_t delay_ns, struct error *err);

/* Whether the scheduler has a parameter for allowances. */
bool simulation_takes_allowances(const struct simulation *s);

/* What really happened, as CLI.md's truth document has it; NULL: no memory. The caller owns it. After simulation_run. */
json_t *simulation_truth(const struct simulation *s);

void simulation_free(struct simulation *s);

#endif
