/* A small random host with core scheduling that writes a capture and knows the truth about it. */
#ifndef XENMETER_TESTS_UNIT_CORE_HOST_H
#define XENMETER_TESTS_UNIT_CORE_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "bytes.h"

#define CORE_PCPUS 12
#define CORE_VCPUS 24

struct core_vcpu {
    uint32_t dom, vcpu;
    unsigned unit;
    int state;
    uint64_t since;
    uint64_t ns[4]; /* the truth: in each runstate */
    bool recorded;
};

struct core_host_plan {
    uint64_t seed;
    unsigned siblings, cores, units;
    unsigned steps;
    bool strided; /* siblings are not neighbours: p, p + cores, ... */
    bool busy;    /* every core has a unit when the trace begins */
    bool never_idle;
    bool loses;
    bool switches; /* SWITCH_INFPREV, SWITCH_INFNEXT and SWITCH are recorded, too */
};

struct core_host {
    struct core_host_plan plan;
    struct trace_bytes capture;
    uint64_t random, now;
    struct core_vcpu vcpu[CORE_VCPUS]; /* of unit u: u * siblings and the next ones */
    int unit_of[CORE_PCPUS];           /* by core: the unit that runs there, -1: none */
    int core_of[CORE_VCPUS];           /* by unit: where it runs, -1 */
    uint64_t ran_ns[CORE_PCPUS];       /* the truth, by pCPU */
    uint32_t lost[CORE_PCPUS];         /* records, in the blind time that goes on; 0: none */
    uint64_t blind_since[CORE_PCPUS];
    bool full[CORE_PCPUS]; /* its ring: nothing can be written before it is read */
};

/* The same plan gives the same bytes. */
void core_host_run(struct core_host *h, const struct core_host_plan *plan);
void core_host_free(struct core_host *h);

#endif
