/*
 * Who is in the trace: domains (and their incarnations, because ids are reused), vCPUs, pCPUs. Small dense numbers are
 * handed out on first sight; everything else is an array indexed by them.
 */
#ifndef XENMETER_METRICS_POPULATION_H
#define XENMETER_METRICS_POPULATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snapshot.h"

#define IDLE_DOMAIN 32767 /* Xen's DOMID_IDLE: its vCPU n is the idle loop of pCPU n */
#define NOBODY      UINT32_MAX
#define VCPUS_MAX   8192 /* Xen's MAX_VIRT_CPUS; larger vCPU ids are damage */

/* One life of a domain id: from its creation, or the trace's start, to its destruction. */
struct incarnation {
    uint16_t domain;
    uint32_t number;   /* 1, 2, ... of this domain id */
    uint64_t birth_ns; /* DOM_ADD, else the trace's start */
    uint64_t first_ns; /* when it was first heard of */
    bool added;        /* born by a DOM_ADD that was seen */
    bool ended;
    uint64_t ended_ns; /* DOM_REM */
    uint32_t *vcpus;   /* vCPU id -> vCPU number, NOBODY */
    uint32_t vcpus_n;
    uint32_t population; /* vCPUs seen */
};

struct vcpu_identity {
    uint32_t life; /* number of its struct incarnation in the array */
    uint16_t id;
};

#define LIVES 256

struct population {
    struct incarnation *incarnations;
    size_t incarnations_n, incarnations_capacity;
    struct vcpu_identity *vcpus;
    size_t vcpus_n, vcpus_capacity;
    /* Domain id -> current life, NOBODY: pages of LIVES ids each, NULL where none of them was seen. */
    uint32_t *lives[65536 / LIVES];
    size_t tables; /* bytes in the pages of `lives` and the incarnations' `vcpus` */
};

void population_init(struct population *p);
void population_free(struct population *p);

/* Saves who is in the trace, or restores it into an empty population. */
void population_snapshot(struct population *p, struct snapshot *s);

/* Bytes held. */
size_t population_memory(const struct population *p);

/* The current life of a domain id, or NOBODY. */
static inline uint32_t population_life(const struct population *p, uint16_t domain)
{
    const uint32_t *page = p->lives[domain / LIVES];
    return page ? page[domain % LIVES] : NOBODY;
}

/* Begins a new life of the id. NOBODY when there is no memory. */
uint32_t population_begin_life(struct population *p, uint16_t domain, uint64_t birth_ns, uint64_t now_ns);

/* Number of a vCPU of a life, made on first sight. NOBODY: no memory. id < VCPUS_MAX. */
uint32_t population_new_vcpu(struct population *p, uint32_t life, uint16_t id);

/* Number of the vCPU, or NOBODY if it was not seen in the domain's current life. */
static inline uint32_t population_vcpu(const struct population *p, uint16_t domain, uint16_t id)
{
    uint32_t life = population_life(p, domain);
    if (life == NOBODY || id >= p->incarnations[life].vcpus_n)
        return NOBODY;
    /* cppcheck-suppress nullPointerRedundantCheck ; without any vCPU vcpus_n is 0 */
    return p->incarnations[life].vcpus[id];
}

#endif
