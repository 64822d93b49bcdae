/* What a meter is asked for, and where its rows go. */
#ifndef XENMETER_METRICS_METER_OPTIONS_H
#define XENMETER_METRICS_METER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "before_seen.h"
#include "charge.h"
#include "row.h"

#define METER_GRANULARITIES 16

/* Where results go. A function that returns non-zero ends the work: the meter then returns -1 with err untouched. */
struct meter_sink {
    void *context;
    /* One interval with its rows, ordered by domain, life, vCPU, pCPU; in the order of enum by. Valid during the call. */
    int (*interval)(void *context, const struct interval *interval, const struct row *rows, size_t n);
    /* One execution; may be NULL when none are asked for. */
    int (*execution)(void *context, const struct execution *execution);
    /*
     * The driver domains in one interval, ordered by domain and life; right after all its rows. May be NULL. With
     * options.charge.wanted only.
     */
    int (*charges)(void *context, const struct interval *interval, const struct charge_idd *idds, size_t n);
    /*
     * Somebody was seen first, after intervals were handed out without him: what his rows have in the intervals that are
     * open. For who adds up intervals to longer ones; may be NULL.
     */
    int (*before_seen)(void *context, const struct before_seen *s);
};

struct meter_options {
    unsigned bys; /* 1u << enum by, or-ed; more than one cost little more than one */
    uint64_t granularities_ns[METER_GRANULARITIES]; /* 0: the whole trace */
    size_t granularities;
    bool executions;
    unsigned
        no_percentiles; /* enum histogram_of, or-ed: of these only count, sum, least and largest are needed */
    bool no_slices;     /* what allocated_* members say is not needed: the slices granted are not decoded */
    uint64_t from_ns, to_ns; /* report on [from, to) only; to 0: to the end */
    /*
     * What is reported is one part of a recording: its intervals are counted from from_ns, not from the trace's start, and
     * where it ends may be said while it goes on (meter_end_at). from_tsc: it begins there, whatever from_ns is; 0: at from_ns.
     */
    bool part;
    uint64_t from_tsc;
    const uint8_t
        *pcpus_wanted; /* a byte for each of PCPUS_MAX pCPUs: count only time spent there; NULL: all */
    bool
        idle_rows; /* BY_DOMAIN_PCPU: also rows of IDLE_DOMAIN, with idle_ns and executions, without other times */
    struct charge_options charge;
    struct meter_sink sink;
};

#endif
