/*
 * Whose work a driver domain did, moment by moment, as its own kernel recorded it: task switches, interrupts and softirqs
 * with the stamps of the host's tsc (Linux' ftrace). CPU n of that kernel is vCPU n of the driver domain.
 */
#ifndef XENMETER_METRICS_DOM0_TRACE_H
#define XENMETER_METRICS_DOM0_TRACE_H

#include <stddef.h>
#include <stdint.h>

#include "parser/order/clock.h"

/*
 * Whose work it is: the domain id of a guest, or WORK_OWN: the driver domain's own; WORK_SCHED: its own, too, its idle loop
 * and its scheduler, with ticks and messages between CPUs; WORK_UNKNOWN: events were lost, nothing was recorded, or it is
 * not known for which guest it was.
 */
#define WORK_OWN     0x10000u
#define WORK_UNKNOWN 0x10001u
#define WORK_SCHED   0x10002u

#define DOM0_TRACE_CPUS 1024

/* From `tsc` on, to the next one's. */
struct work {
    uint64_t tsc;
    uint32_t owner;
};

/* What was recorded on one CPU. */
struct work_cpu {
    struct work *works; /* in ascending order of tsc; before the first one: WORK_UNKNOWN */
    size_t n, capacity;
    uint64_t lost; /* events */
};

struct dom0_trace {
    uint16_t domain;       /* which driver domain it is */
    struct work_cpu *cpus; /* by number */
    size_t cpus_n;
    uint64_t first_tsc, last_tsc; /* of what was recorded; it ends with WORK_UNKNOWN on all CPUs */
};

/* Frees the arrays, all from malloc, and t itself; NULL is fine. */
void dom0_trace_free(struct dom0_trace *t);

/*
 * Whose work CPU `cpu` does at from_ns of the trace, and in *until_ns to when at least (above from_ns; UINT64_MAX: ever
 * after). `*at` is where the search goes on: the caller keeps it for each CPU, 0 at first, and asks in ascending order.
 */
uint32_t dom0_trace_owner(const struct dom0_trace *t, const struct clock *clock, uint32_t cpu, size_t *at,
                          uint64_t from_ns, uint64_t *until_ns);

/* The first and the last moment recorded, ns from the trace's start (negative: before it). */
void dom0_trace_span(const struct dom0_trace *t, const struct clock *clock, int64_t *from_ns, int64_t *to_ns);

#endif
