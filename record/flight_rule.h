/* Rules of the flight recorder: conditions on rows by domain of one interval, and on the records that Xen lost meanwhile. */
#ifndef XENMETER_RECORD_FLIGHT_RULE_H
#define XENMETER_RECORD_FLIGHT_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "archive/host_facts.h"
#include "metrics/relation/condition.h"

/* "lost": a column that rules have beside those of rows; of all pCPUs, not of domains. */
extern const struct comparable flight_lost;

/* What fired. */
struct flight_finding {
    const struct condition *rule;
    double value;   /* in the unit of its column */
    int32_t domain; /* -1: the rule is of no domain */
    uint32_t life;
    char name[FACT_NAME];             /* of the domain; "": not known */
    uint64_t unknown_ns, doubtful_ns; /* of the domain's time in the interval */
};

/* One interval, with its rows by domain. */
struct flight_interval {
    const struct interval *interval;
    const struct row *rows;
    size_t n;
    uint64_t lost; /* records that were lost, as far as the trace was read when the interval was complete */
    name_lookup name_of; /* of domains */
    const void *names;
};

/* Whether the rule (of CONDITION_ABOVE or CONDITION_BELOW) holds of any row; of several, the finding is of the one that exceeds the limit most. */
bool flight_rule_fires(const struct condition *rule, const struct flight_interval *i,
                       struct flight_finding *finding);

#endif
