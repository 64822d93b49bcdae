/*
 * breadth.h - where a reader of the file may say that it does not know: for each vCPU the stretches in which, by the
 * records that are left, its state cannot be told, or may have been another than it looks.
 *
 * Between two records of a vCPU these reach from the first to the last moment at which a pCPU was blind. A vCPU that runs
 * on a pCPU is certain as long as that pCPU's records are there. Before the first record and after the last one, where
 * a pCPU was blind, they reach to the end of the trace.
 */
#ifndef XENMETER_TESTS_HOSTS_BREADTH_H
#define XENMETER_TESTS_HOSTS_BREADTH_H

#include "host_view.h"

struct breadth {
    struct gaps *vcpus; /* of each of recording->vcpus, disjoint and in time order */
    /*
     * The part of them that no record bounds at one end, and at the other one only what it says of a pCPU that was blind: no
     * change names the vCPU before it ran there, or after that; or it may have run where nobody is named before the
     * loss. However short the loss, nobody can say what the vCPU did beyond. So it is between two
     * records of which one says that it was paused.
     */
    struct gaps *open;
    size_t vcpus_n;
};

/* Returns false when memory is short. Free it in any case. */
bool breadth_make(struct breadth *b, const struct recording *r, const struct view *v);
void breadth_free(struct breadth *b);

/* Cycles within [from, to) that one of the gaps covers; they are disjoint. */
uint64_t gaps_within(const struct gaps *g, uint64_t from, uint64_t to);
/* Cycles within [from, to) in which the pCPU's records are not there. */
uint64_t gaps_of_pcpu(const struct gaps *g, uint32_t pcpu, uint64_t from, uint64_t to);

#endif
