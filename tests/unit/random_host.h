/* A small random host that writes a capture and knows the truth about it. */
#ifndef XENMETER_TESTS_UNIT_RANDOM_HOST_H
#define XENMETER_TESTS_UNIT_RANDOM_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "bytes.h"

#define HOST_PCPUS 5
#define HOST_VCPUS 6

struct host_vcpu {
    uint32_t dom, vcpu;
    int state;
    int pcpu; /* where it runs or ran last, -1 */
    uint64_t since;
    uint64_t ns[4]; /* the truth: in each runstate */
    uint64_t executions, wakes, blocks, yields, migrations;
    bool hypercalls_seen; /* it has a record */
};

struct host {
    struct trace_bytes capture;
    uint64_t random;
    unsigned pcpus, vcpus;
    uint64_t now, scale; /* scale: of the time between events */
    struct host_vcpu vcpu[HOST_VCPUS];
    int current[HOST_PCPUS];     /* number of the vCPU, -1: idle */
    bool scheduled[HOST_PCPUS];  /* it has a scheduler record */
    uint64_t ran_ns[HOST_PCPUS]; /* the truth */
    bool loses, skewed;
    uint64_t blind_since[HOST_PCPUS];
    uint32_t lost[HOST_PCPUS]; /* records, in the blind time that goes on; 0: none */
    bool full[HOST_PCPUS];     /* its ring: nothing can be written before it is read */
    unsigned next_flush;
};

/* Runs `steps` scheduling decisions. The same seed gives the same bytes. */
void host_run(struct host *h, uint64_t seed, unsigned steps, bool loses, bool skewed);
void host_free(struct host *h);

#endif
