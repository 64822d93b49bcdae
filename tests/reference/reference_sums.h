/* What a vCPU's timeline adds up to in a part of the trace. */
#ifndef XENMETER_TESTS_REFERENCE_SUMS_H
#define XENMETER_TESTS_REFERENCE_SUMS_H

#include "tests/reference/timelines.h"

/* Durations that ended in that part, each seen from its beginning. */
struct ref_samples {
    uint64_t count, sum, min, max;
};

struct ref_sums {
    uint64_t least[REF_STATES], most[REF_STATES]; /* cycles; equal where the records decide */
    uint64_t executions, wakes, blocks, preemptions, migrations;
    struct ref_samples run, wait, block;
};

/* Adds what the vCPU did in [from, to) to *s, all 0 at first; least and most on one pCPU only, if that is not -1. */
void ref_sums_add(struct ref_sums *s, const struct ref_vcpu *v, uint64_t from, uint64_t to, int pcpu);

#endif
