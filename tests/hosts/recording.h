/*
 * recording.h - all that happened on a generated host: every record that Xen would have written, whatever was traced, and
 * every change of every vCPU. Views (host_view.h) are made from it, and judged by it. Independent of the analyser.
 */
#ifndef XENMETER_TESTS_HOSTS_RECORDING_H
#define XENMETER_TESTS_HOSTS_RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host_plan.h"
#include "sim/trace_ring.h"

/* Xen's RUNSTATE_*. */
enum runstate { RUNSTATE_RUNNING, RUNSTATE_RUNNABLE, RUNSTATE_BLOCKED, RUNSTATE_OFFLINE, RUNSTATE_COUNT };

struct recorded {
    uint64_t tsc;
    uint32_t words[TRACE_EXTRA_MAX];
    uint16_t domain, vcpu; /* Xen's `current` on the pCPU */
    uint8_t event;         /* enum trace_event */
    uint8_t count;         /* of words */
};

/* One pCPU's records, in time order. */
struct recorded_pcpu {
    struct recorded *records;
    size_t n, capacity;
};

/* From tsc on the vCPU is in `state`; `pcpu` matters for running only. */
struct truth_change {
    uint64_t tsc;
    uint16_t pcpu;
    uint8_t state; /* enum runstate */
};

/* A vCPU in one life of its domain. changes[0] is at born_tsc. */
struct truth_vcpu {
    uint16_t domain, vcpu;
    uint32_t life; /* 1.. per domain id, in order of birth, within the recording */
    uint64_t born_tsc, died_tsc;
    struct truth_change *changes;
    size_t n, capacity;
};

struct recording {
    uint64_t cpu_hz;
    uint64_t begin_tsc, end_tsc;
    uint32_t pcpus_n;
    struct recorded_pcpu *pcpus;
    struct truth_vcpu *vcpus; /* the idle domain's are not there */
    size_t vcpus_n, vcpus_capacity;
    double late_ns; /* by so much a record of a change comes after it, at most */
    bool failed;
};

/* Simulates the plan's host to its end. Returns false when that fails, with a line on stderr. Free it in any case. */
bool recording_make(struct recording *r, const struct plan *plan);
void recording_free(struct recording *r);

/*
 * The same by hand: begin, what there is in time order, end. Memory that runs short shows in r->failed. _begin: false when
 * memory is short. _add_vcpu returns the vCPU's place; its first change is the caller's to add.
 */
bool recording_begin(struct recording *r, uint64_t cpu_hz, uint32_t pcpus);
void recording_add_record(struct recording *r, uint32_t pcpu, const struct recorded *record);
size_t recording_add_vcpu(struct recording *r, const struct truth_vcpu *v);
void recording_add_change(struct recording *r, size_t vcpu, enum runstate state, uint64_t tsc, uint16_t pcpu);
void recording_end(struct recording *r);

/* Cycles within [from, to) that the vCPU spent in the state; outside its life: none. */
uint64_t truth_cycles(const struct truth_vcpu *v, enum runstate state, uint64_t from, uint64_t to);
/* Cycles within [from, to) that it ran on the pCPU. */
uint64_t truth_running_on(const struct truth_vcpu *v, uint32_t pcpu, uint64_t from, uint64_t to);
/* The place in changes of the last change at or before tsc; 0 when there is none. */
size_t truth_at(const struct truth_vcpu *v, uint64_t tsc);

/* How many changes of state are in (from, to], and for how many cycles of [from, to) it existed. */
size_t truth_changes(const struct truth_vcpu *v, uint64_t from, uint64_t to);
uint64_t truth_alive(const struct truth_vcpu *v, uint64_t from, uint64_t to);

#endif
