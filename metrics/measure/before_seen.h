/*
 * Time before somebody was seen. A vCPU's first record tells its state back to its beginning, and a pCPU that writes its
 * first record was there before, silent. Such time counts in every row that is open then, and in none that was handed
 * out; before_seen_ns of a row (struct measures) says how much of the row it is.
 */
#ifndef XENMETER_METRICS_BEFORE_SEEN_H
#define XENMETER_METRICS_BEFORE_SEEN_H

#include <stdbool.h>
#include <stdint.h>

#include "metrics/model/blind.h"
#include "row.h"

struct before_seen {
    struct row row;      /* whose time it is; its measures are not used */
    enum by by;          /* what the row is about */
    enum runstate state; /* what it was in; of a pCPU: RUNSTATE_UNKNOWN */
    uint64_t from_ns;    /* since when */
    uint64_t seen_ns;    /* rows that end by then were handed out without it */
    uint64_t light_ns;   /* no record is lost since then */
    uint64_t
        doubtful_ns; /* most of the time before that which is dark (metrics/model/blind.h): its state is doubtful */
    bool idle;       /* a vCPU of the idle domain */
    bool first;         /* BY_DOMAIN: the first vCPU of its domain */
    bool driver_domain; /* BY_DOMAIN: it ran, and its domain's running time is charged */
};

/* Says how much of it is doubtful at most: what was dark so far, if it was off a pCPU. */
void before_seen_doubt(struct before_seen *s, const struct dark_clock *dark);

/* Adds such time, from from_ns to to_ns, to the row's measures, but for the domain's runstates. */
void before_seen_add(const struct before_seen *s, struct measures *m, uint64_t from_ns, uint64_t to_ns);

/*
 * The same for the domain's runstates: they become those of a domain that had this vCPU for all the time that they cover,
 * which is the time before it was seen; or ns of its state if it is the first.
 */
void before_seen_add_to_domain(const struct before_seen *s, int64_t domain_ns[DOMAIN_RUNSTATES], uint64_t ns);

/* The runstate of a domain, by the states of its vCPUs. */
enum domain_runstate domain_runstate_of(const uint32_t in_state[RUNSTATES]);

#endif
