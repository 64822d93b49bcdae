/*
 * One second of a host, as the screen keeps it. Its details (rows with histograms, charges, delays, executions) are large and are
 * dropped when the history is full; what graphs show of it stays.
 */
#ifndef XENMETER_SCREEN_SECOND_H
#define XENMETER_SCREEN_SECOND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "metrics/measure/delays.h"
#include "metrics/verdict.h"
#include "screen/charge_set.h"
#include "screen/row_set.h"

#define SECOND_NS         1000000000u
#define SECOND_EXECUTIONS 256 /* of the domain that is watched: the last ones */
#define SECOND_WAITS      64  /* executions of the host that had waited longest */

/* What a second consists of, or-ed. */
enum second_part {
    PART_DOMAINS = 1 << BY_DOMAIN,
    PART_VCPUS = 1 << BY_VCPU,
    PART_PCPUS = 1 << BY_PCPU,
    PART_CHARGES = 1 << BYS,
    PART_DELAYS = 1 << (BYS + 1),
    PART_EXECUTIONS = 1 << (BYS + 2)
};

/* A domain's second in a graph. */
struct graph_point {
    int32_t domain;
    uint32_t life;
    int64_t running_ns, runnable_ns, charged_ns, unknown_ns;
};

/* The host as a whole. */
struct host_point {
    int64_t running_ns, idle_ns, unknown_ns; /* of its pCPUs together */
    uint32_t domains, vcpus;
    uint32_t pcpus, full,
        idle; /* that wrote records; of them busy for 99 % of the second, and idle for as long */
};

/* Who is watched: only this domain's executions are kept; domain -1: nobody's. */
struct watched {
    int32_t domain, vcpu; /* vcpu -1: all */
    uint32_t life;
};

struct second {
    uint64_t start_ns, end_ns; /* from the trace's start; shorter than a second at the end of a trace */
    unsigned parts;            /* enum second_part, or-ed: that are there */
    /* the details */
    struct row_set rows[BYS];
    struct charge_set charges;
    struct delay *delays;
    size_t delays_n;
    struct execution *
        executions; /* that ended in it, of `watched`: the last SECOND_EXECUTIONS, in the order of their ends */
    size_t executions_n;
    uint64_t executions_left_out;
    struct watched watched;
    struct execution *waits; /* those with the longest waits, the longest first */
    size_t waits_n;
    /* what stays */
    struct graph_point *points; /* by domain and life */
    size_t points_n;
    struct host_point host;
    bool counted; /* what was lost is known: it was read from the trace, not from results */
    uint64_t lost_records;
    uint64_t records;           /* that were read since the second before: of a pipe about its own */
    uint64_t wait_max_ns;       /* the longest wait that ended in it; 0: none */
    bool vague;                 /* the state of a vCPU is unknown or doubtful */
    bool has_utc;               /* the time of day at its end is known: */
    int64_t utc_ns;             /* since 1970 */
    struct judgement judgement; /* of the trace up to here */
    uint64_t arrived_ns;        /* when it was complete (io_clock_ns) */
    size_t bytes;               /* held by the details, as second_settle counted */
};

/* NULL: no memory. */
struct second *second_new(uint64_t start_ns, uint64_t end_ns);
void second_free(struct second *s);

/* Copy a part of it. False: no memory. */
bool second_take_rows(struct second *s, enum by by, const struct row *rows, size_t n);
bool second_take_charges(struct second *s, const struct charge_idd *idds, size_t n);
bool second_take_delays(struct second *s, const struct delay *delays, size_t n);

/* An execution that ended in it: kept if it is watched, or has one of the longest waits. False: no memory. */
bool second_take_execution(struct second *s, const struct execution *e);

/* All parts are there: makes what stays, and counts the bytes. False: no memory. */
bool second_settle(struct second *s);

/* Frees the details. */
void second_drop_details(struct second *s);

/* Whether the details are there. */
bool second_has_details(const struct second *s);

/* A domain's point; NULL: it was not there, or what it did is not known. */
const struct graph_point *second_point(const struct second *s, int32_t domain, uint32_t life);

#endif
