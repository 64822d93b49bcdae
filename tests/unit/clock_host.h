/* Hosts whose pCPUs do nothing but switch: what the measurement of the clock gets of them, and nothing else. */
#ifndef XENMETER_TESTS_UNIT_CLOCK_HOST_H
#define XENMETER_TESTS_UNIT_CLOCK_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "parser/order/clock_probe.h"

enum run_lengths {
    RUNS_ALIKE,    /* all of the longest length */
    RUNS_TWO,      /* the longest and the shortest in turn */
    RUNS_MULTIPLE, /* 1 to 4 times the shortest */
    RUNS_RANDOM,   /* between the shortest and the longest, evenly */
    RUNS_SPREAD,   /* the same, by their logarithm */
    RUN_LENGTHS
};

struct clock_host {
    double hz;
    enum run_lengths lengths;
    uint64_t shortest_ns, longest_ns;
    uint64_t delay_ns;     /* a stamp is up to so much later than Xen's clock, at least 100 ns */
    uint64_t wake_ns;      /* and so much more when the idle vCPU is switched out */
    unsigned pcpus, runs;  /* runs on each pCPU */
    unsigned lost_every;   /* each so many-th run on average some records are lost; 0: never */
    unsigned continues_ns; /* SWITCH_INFCONT after each so many ns of a run; 0: none */
    bool old;              /* records name no vCPU */
    bool silent;           /* no SWITCH_INFNEXT */
};

/* Hands a host's records to the probe. */
void clock_host_run(const struct clock_host *h, uint64_t seed, struct clock_probe *p);

/* Any host. */
struct clock_host clock_host_random(uint64_t seed);

#endif
