/*
 * What is measured about one subject (a domain, vCPU, pCPU or domain on a pCPU) in one interval. Every field adds:
 * the measures of two adjoining intervals, or of two hosts, merge into those of both (measures_merge).
 * Times are ns. The definitions are in xenmeter-metrics(7).
 */
#ifndef XENMETER_METRICS_MEASURES_H
#define XENMETER_METRICS_MEASURES_H

#include <stdbool.h>
#include <stdint.h>

#include "histogram.h"
#include "io.h"
#include "metrics/model/states.h"

enum domain_runstate {                            /* Xen's own names */
                       DOMAIN_FULL_RUN,           /* every vCPU runs */
                       DOMAIN_FULL_CONTENTION,    /* every vCPU is runnable */
                       DOMAIN_CONCURRENCY_HAZARD, /* some run while others are runnable */
                       DOMAIN_BLOCKED,            /* every vCPU is blocked or offline */
                       DOMAIN_PARTIAL_RUN,        /* some run, the others are blocked */
                       DOMAIN_PARTIAL_CONTENTION, /* some are runnable, the others blocked */
                       DOMAIN_UNKNOWN,            /* the state of a vCPU is not known */
                       DOMAIN_RUNSTATES
};

/* Or-ed: the histograms of struct measures. */
enum histogram_of { HISTOGRAM_RUN = 1, HISTOGRAM_WAIT = 2, HISTOGRAM_BLOCK = 4 };

/* How each member adds is said in measures.def. */
struct measures {
    int64_t state_ns[RUNSTATES];         /* of guest vCPUs */
    int64_t idle_ns;                     /* per pCPU only: the idle vCPU ran */
    int64_t doubtful_ns;                 /* part of these: records that would say otherwise may be lost */
    int64_t before_seen_ns;              /* part of these: before it was seen (before_seen.h) */
    int64_t pcpu_unknown_ns;             /* per pCPU only: nobody is known to have run */
    int64_t domain_ns[DOMAIN_RUNSTATES]; /* per domain only */
    uint64_t wake_wait_ns;               /* part of runnable: after blocked or offline */
    uint64_t preempt_wait_ns;            /* part of runnable: after running */
    uint64_t executions;                 /* dispatches: runnable -> running */
    uint64_t wakes;                      /* blocked -> runnable */
    uint64_t blocks;                     /* running -> blocked */
    uint64_t yields;                     /* YIELD records */
    uint64_t preemptions;                /* running -> runnable without a yield */
    uint64_t migrations;                 /* dispatches on another pCPU than the last */
    uint64_t allocated_ns;               /* sum of the slices granted */
    uint64_t allocated_slices;           /* how many slices; unlimited ones (-1) are no sample */
    uint32_t allocated_min_ns;           /* UINT32_MAX when there was none */
    uint32_t allocated_max_ns;
    uint64_t io[IO_TRACE_KINDS]; /* I/O events with driver domains, as their guest */
    int64_t
        charged_ns; /* driver domains' running time charged to it; per pCPU: charged while running there */
    struct histogram run;   /* executions that ended here, seen from their dispatch */
    struct histogram wait;  /* runnable -> running */
    struct histogram block; /* blocked -> runnable */
};

void measures_init(struct measures *m);
void measures_free(struct measures *m);
void measures_clear(struct measures *m);

/* Adds `from` to `into`; false only when memory ran out. */
bool measures_merge(struct measures *into, const struct measures *from);

#endif
