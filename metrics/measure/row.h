/*
 * The results: rows about one subject in one interval, and executions. What the meter hands out and every writer
 * walks.
 */
#ifndef XENMETER_METRICS_ROW_H
#define XENMETER_METRICS_ROW_H

#include <stdint.h>

#include "measures.h"
#include "metrics/model/population.h"

enum by { BY_DOMAIN, BY_VCPU, BY_PCPU, BY_DOMAIN_PCPU };
#define BYS 4

struct interval {
    uint64_t granularity_ns; /* 0: the whole trace */
    uint64_t start_ns;       /* from the trace's start */
    uint64_t end_ns;
    enum by by;        /* what its rows are about */
    unsigned timeline; /* of several in one report: the number of its own, from 1; 0: of them all */
    uint64_t gap_ns;   /* of that time nothing was recorded, as it lies between timelines */
};

struct row {
    int32_t domain; /* -1: does not apply (BY_PCPU) */
    uint32_t life;  /* 1, 2, ... : domain ids are reused; 0 where domain does not apply */
    int32_t vcpu;   /* -1: does not apply */
    int32_t pcpu;   /* -1: does not apply */
    uint32_t vcpus; /* vCPUs behind this row (BY_PCPU: 1, the pCPU itself) */
    const struct measures *measures;
};

/* <0, 0, >0: the order of domains, one life after the other. */
static inline int life_compare(int32_t domain, uint32_t life, int32_t other_domain, uint32_t other_life)
{
    if (domain != other_domain)
        return domain < other_domain ? -1 : 1;
    return (life > other_life) - (life < other_life);
}

/* <0, 0, >0: the order in which rows are handed out. */
static inline int row_compare(const struct row *a, const struct row *b)
{
    int order = life_compare(a->domain, a->life, b->domain, b->life);
    if (order)
        return order;
    if (a->vcpu != b->vcpu)
        return a->vcpu < b->vcpu ? -1 : 1;
    return (a->pcpu > b->pcpu) - (a->pcpu < b->pcpu);
}

enum execution_end {
    EXECUTION_BLOCKED,
    EXECUTION_PREEMPTED,
    EXECUTION_YIELDED,
    EXECUTION_SLEPT,
    EXECUTION_OFFLINE,
    EXECUTION_LOST,
    EXECUTION_TRACE_END
};

enum wait_kind { WAIT_UNKNOWN, WAIT_WAKE, WAIT_PREEMPT };

/* What a whole trace shows of a domain, and of a pCPU. */
struct summary_domain {
    int32_t domain;
    uint32_t life;
    uint32_t vcpus; /* seen */
    uint64_t running_ns;
};

struct summary_pcpu {
    uint16_t pcpu;
    uint64_t blind_ns; /* time in which records were lost */
};

#define NS_UNKNOWN UINT64_MAX

/* One execution: from a dispatch to the end of running. */
struct execution {
    int32_t domain;
    uint32_t life;
    int32_t vcpu;
    int32_t pcpu;
    uint64_t start_ns;
    uint64_t end_ns;
    uint64_t blocked_before_ns; /* the blocking it followed; 0: none; NS_UNKNOWN */
    uint64_t waited_ns;         /* NS_UNKNOWN: not known */
    enum wait_kind wait_kind;
    enum execution_end end; /* here, so that there is no padding: executions compare as bytes */
    uint64_t ran_ns;
    uint64_t allocated_ns; /* slice granted; NS_UNKNOWN: not recorded or unlimited */
    uint64_t io_total;     /* I/O events in it; NS_UNKNOWN while I/O is not accounted */
};

#endif
