/*
 * A host whose every step is decided by bytes, and the capture that it writes: any bytes make a well-formed one. What it
 * knows of itself is the truth that no trace can contradict.
 */
#ifndef XENMETER_TESTS_REFERENCE_MADE_HOST_H
#define XENMETER_TESTS_REFERENCE_MADE_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/unit/bytes.h"

#define MADE_PCPUS      4
#define MADE_VCPUS      6
#define MADE_HEAD_BYTES 3 /* the first bytes of an input; two for each step follow */

struct made_vcpu {
    uint32_t dom, vcpu;
    int state;      /* RUNNING ... */
    int pcpu;       /* where it runs or ran last, -1: nowhere yet */
    uint64_t since; /* ns from the start */
    uint64_t ns[4]; /* in each runstate */
    uint64_t executions, wakes, blocks, preemptions, yields, migrations;
};

struct made_host {
    struct trace_bytes capture;
    const uint8_t *at, *end; /* of the bytes that decide */
    unsigned pcpus, vcpus;
    uint64_t now, unit; /* ns from the start; of the time between steps */
    struct made_vcpu vcpu[MADE_VCPUS];
    int current[MADE_PCPUS]; /* number of the vCPU, -1: idle */
    uint64_t run_since[MADE_PCPUS];
    bool started[MADE_PCPUS]; /* a switch was seen since the trace began */
    uint32_t lost[MADE_PCPUS];
    uint64_t lost_since[MADE_PCPUS];
    bool full[MADE_PCPUS]; /* the ring was not read since records were lost */
    uint64_t sweep_since, written;
    unsigned next_read; /* rings are read in ascending order, again and again */
    /* What is recorded. */
    bool runstates; /* else states have to follow from the records of switches */
    bool switches;  /* SWITCH_INFPREV, SWITCH_INFNEXT, SWITCH */
    bool verbose;   /* WAKE, BLOCK, YIELD, SLEEP */
    bool loses;
};

/* Runs a host on the bytes until they are used up. Free with made_host_free. */
void made_host_run(struct made_host *h, const uint8_t *bytes, size_t n);
void made_host_free(struct made_host *h);

#endif
