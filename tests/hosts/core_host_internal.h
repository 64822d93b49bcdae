/* core_host_internal.h - the host with core scheduling inside: core_host.c has what happens, core_switch.c how cores switch. */
#ifndef XENMETER_TESTS_HOSTS_CORE_HOST_INTERNAL_H
#define XENMETER_TESTS_HOSTS_CORE_HOST_INTERNAL_H

#include "core_host.h"
#include "sim/prng.h"

enum { IDLE = 32767, NONE = -1 };
#define NEVER UINT64_MAX

struct core_vcpu {
    uint16_t domain, id;
    uint8_t state; /* enum runstate */
    bool blocked;  /* it waits for an event; its state may not be so yet */
    bool paused;
    int unit;
    uint32_t sibling;
    uint64_t due;        /* when it wakes, or has run enough; NEVER: neither */
    uint64_t taken_up;   /* when its sibling will take it up, while its unit runs; NEVER */
    uint64_t burst_left; /* while it does not run */
    size_t truth;        /* its place in recording->vcpus */
};

struct unit {
    int core; /* where it runs, NONE */
    int first_vcpu, vcpus;
    uint32_t id;
    uint16_t domain;
    uint64_t since; /* it runs, or does not */
};

struct core {
    int unit; /* that runs, NONE: idle */
    uint64_t since;
    uint64_t slice_end;
    uint64_t tickled; /* when it will look who waits; NEVER */
    bool used;        /* somebody ran there */
};

struct core_host {
    struct recording *r;
    const struct plan *plan;
    struct prng rng;
    uint64_t now;
    bool tracing;
    uint32_t siblings, cores_n, units_n, vcpus_n;
    struct core_vcpu *vcpus;
    struct unit *units;
    struct core *cores;
    int *current; /* by pCPU: vCPU, NONE: idle */
    uint64_t pause_due;
    int paused_domain; /* NONE */
};

/* Cycles of a time, 2 more; a time drawn about a mean; a number below n. */
static inline uint64_t cycles(const struct core_host *h, double ns)
{
    return (uint64_t)(ns * (double)h->r->cpu_hz / 1e9) + 2;
}

static inline uint64_t some(struct core_host *h, double mean_ns)
{
    return prng_skewed(&h->rng, cycles(h, mean_ns));
}

static inline uint32_t below(struct core_host *h, uint32_t n)
{
    return prng_below(&h->rng, n);
}

/* How long the vCPU runs and sleeps, on the mean. */
double core_burst_ns(const struct core_host *h, const struct core_vcpu *v);
double core_sleep_ns(const struct core_host *h, const struct core_vcpu *v);

uint32_t core_pcpu(const struct core_host *h, uint32_t core, uint32_t sibling);
bool core_vcpu_wants_to_run(const struct core_vcpu *v);

/* A record that names the vCPU; a runstate change, written by `ring`; running: on `pcpu`. */
void core_record_vcpu(struct core_host *h, uint32_t pcpu, enum trace_event event, const struct core_vcpu *v);
void core_change(struct core_host *h, struct core_vcpu *v, enum runstate state, uint32_t ring, uint32_t pcpu);

/* One sibling goes from one vCPU to another, NONE: its idle one; `ring` writes. */
void core_switch_sibling(struct core_host *h, uint32_t pcpu, int prev, int next, uint32_t ring);

/* The core switches to a unit that waits, or goes on; it gives way: to one that waits, if there is one. */
void core_reschedule(struct core_host *h, uint32_t core, bool gives_way);

/* The core will look who waits, as the pCPU `on` asks it to. */
void core_tickle(struct core_host *h, uint32_t core, uint32_t on);

#endif
