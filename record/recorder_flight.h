/* The flight recorder of a recorder: what makes dumps, and the one that is being made. */
#ifndef XENMETER_RECORD_RECORDER_FLIGHT_H
#define XENMETER_RECORD_RECORDER_FLIGHT_H

#include <jansson.h>

#include "record/flight_dump.h"
#include "record/flight_ring.h"
#include "record/flight_rule.h"
#include "record/recorder_state.h"

/* Why there is a dump. */
struct flight_trigger {
    struct flight_finding finding; /* rule NULL: a signal */
    uint64_t start_tsc;            /* of the interval in which the rule held; 0: there is none */
    uint64_t tsc;                  /* the moment: the end of that interval, or of the signal */
};

/* What ended a dump. */
enum flight_end { FLIGHT_AFTER, FLIGHT_AT_SIZE, FLIGHT_AT_TRACE_END };

struct recorder_flight {
    struct flight_ring ring;
    uint64_t granularity_ns; /* of the intervals that rules are about: the shortest that the archives have */
    uint64_t lost_seen;      /* records that the open part had lost at the last interval */
    char name[FACT_NAME];    /* the result of a look-up */
    bool *absent;            /* by rule: the last look at the domains has none that it is about */
    uint64_t looks;          /* at the domains, by which `absent` is */
    /* the dump that is being made; NULL: none is */
    struct flight_dump *dump;
    char path[PATH_MAX];
    struct flight_trigger trigger;
    int64_t utc_ns; /* of its moment */
    enum flight_bound bound;
    struct flight_place from; /* where it begins */
    struct flight_place to;   /* where it can end by now; tsc: up to there all pCPUs have data before */
    uint64_t target_tsc;      /* it goes on to there, */
    uint64_t bytes_max;       /* or to so many bytes */
    bool has_end, ended;      /* `to` is the end; all bytes before were given to the disk */
    enum flight_end end;
    /* since the recorder began */
    uint64_t dumps, failed;
    uint64_t held;                 /* intervals in which a rule held */
    uint64_t passed_over;          /* of them, and of signals, since the last dump: those that made none */
    uint64_t quiet_from, quiet_to; /* tsc: no rule makes a dump */
    char last[PATH_MAX];           /* the last complete dump; "": none */
};

/* How much time all pCPUs have in the dump. */
uint64_t recorder_flight_ns(const struct recorder *r);

/* What a dump is of, as its note has it (xenmeter-record(1)). NULL: no memory. */
json_t *recorder_flight_note(const struct recorder *r);

#endif
