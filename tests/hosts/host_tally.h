/* host_tally.h - how often things happened to vCPUs, and how long the longest of them took. */
#ifndef XENMETER_TESTS_HOSTS_TALLY_H
#define XENMETER_TESTS_HOSTS_TALLY_H

#include "recording.h"

struct tally {
    double executions, wakes, blocks, preempted, migrations;
    double run_max, wait_max, block_max, pause_max; /* ns */
};

/* Adds what happened to the vCPU from `from` to `to`, both included; of the lengths, those that ended there. */
void tally_add(struct tally *t, const struct truth_vcpu *v, uint64_t from, uint64_t to, double ns_per_cycle);

/* The longest time that any vCPU waited for a pCPU, or was paused, ns. */
double tally_longest_wait(const struct recording *r, double ns_per_cycle);
double tally_longest_pause(const struct recording *r, double ns_per_cycle);

#endif
