/*
 * SEDF-DC's ledger of debts (Gupta et al., Middleware 2006): what driver domains ran on behalf of a guest is taken from
 * the CPU time that the guest is allowed later.
 *
 * At the end of each feedback interval, for each domain that has a reservation:
 *
 *     debt     += charged                                     what driver domains ran on its behalf in the interval
 *     repaid    = min(parts due in the next interval + overdue, reservation - floor)            (repayment.h)
 *     debt     -= repaid
 *     allowance = reservation - repaid                        for the next interval
 *
 * It is driven by the rows and charges that a meter hands out, which are final: offline, live, from an archive's results
 * or in a simulated host alike. It hands out the rows of the ledger, by which whoever controls the host acts.
 *
 * - An interval that is shorter than the feedback interval (the last one of a trace, the first one of a part of it) is not
 *   settled: what is charged in it becomes debt, nothing is repaid, and no allowance follows.
 * - What is not known is not charged: unattributed time of driver domains is nobody's debt. Each row says how much of it
 *   there was, and how much of the domain's own time is unknown or doubtful, so its sums are lower bounds.
 * - Domains of one name, one after the other or at once, are one account: a guest that is made anew has the debt of
 *   the one before. Where no name is known an account is of one life of a domain id, and ends with it.
 * - A driver domain can have a reservation, too. What it ran on behalf of others is theirs: it is not part of its aggregate use.
 *   So aggregate uses of all domains add up to the time that all domains ran.
 */
#ifndef XENMETER_METRICS_CONTROL_DEBT_H
#define XENMETER_METRICS_CONTROL_DEBT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "metrics/control/debt_policy.h"
#include "metrics/measure/meter_options.h"

#define DEBT_ACTION_BYTES 32

/* A domain in one interval. Times are ns. */
struct debt_row {
    int32_t domain; /* of several in one account the youngest */
    uint32_t life;
    uint32_t vcpus;          /* of all domains in the account */
    bool driver_domain;      /* it works for others */
    uint64_t reservation_ns; /* of an interval of this length */
    uint64_t floor_ns;       /* part of it that no repayment touches */
    uint64_t opening_debt_ns;
    uint64_t charged_ns;                           /* what driver domains ran on its behalf */
    uint64_t measured_ns, certain_ns, inferred_ns; /* what that rests on: they add up to it */
    uint64_t repaid_ns;                            /* is taken from the next interval */
    uint64_t closing_debt_ns;                      /* opening + charged - repaid */
    uint64_t overdue_ns;                           /* of it: due already */
    bool settled;                                  /* else nothing is repaid, and there is no allowance */
    uint64_t allowance_ns;            /* in the next feedback interval; NS_UNKNOWN: not settled */
    uint64_t running_ns;              /* what it ran itself */
    uint64_t for_others_ns;           /* of it, as a driver domain: on behalf of others */
    uint64_t aggregate_ns;            /* running - for_others + charged */
    int64_t over_ns;                  /* aggregate - reservation; below 0: it used less */
    uint64_t unknown_ns, doubtful_ns; /* of its vCPUs' time, as struct measures has them */
    uint64_t unattributed_ns;         /* of all driver domains: on whose behalf is not known */
    char action
        [DEBT_ACTION_BYTES]; /* what would be set: "keep", "lower to 57.531%" of a pCPU, "raise to 60.000%"; */
                             /* "unsettled" */
};

struct debt_options {
    const struct debt_policy *policy; /* resolved with these names; the caller's, and so are the names */
    domain_name_of name_of;           /* NULL: no names are known */
    const void *names;
    void *context;
    /* One interval: the domains with a reservation that are in it, by id. Non-zero ends the work. */
    int (*rows)(void *context, const struct interval *interval, const struct debt_row *rows, size_t n);
};

struct debt;

/* NULL: no memory. Options are copied. */
struct debt *debt_new(const struct debt_options *options);
void debt_free(struct debt *d);

/*
 * What the meter that drives the ledger is asked for: rows by domain and charges of each feedback interval, to `d`. How it
 * charges is left to the caller. The sink ends the work when `rows` does, or when memory runs out.
 */
void debt_wants(struct debt *d, struct meter_options *meter);

/*
 * From now on this policy holds (resolved; the caller's), in the place of the one before, which the caller may free then. Its feedback
 * interval is the same. Debts stay; the spread of one that has begun, too; a domain without a reservation has no rows any more. False:
 * no memory, and nothing has changed.
 */
bool debt_take_policy(struct debt *d, const struct debt_policy *policy);

/* The first rule, by id or name, of which no domain has appeared yet; NULL: all have. */
const struct debt_reserve *debt_missing(const struct debt *d);

/*
 * The sums of all rows that were handed out, a row for each account: *n rows of the interval *whole, by id. Opening debt is
 * that of the account's first row, closing and overdue debt those of its last one; allowance and action are of no use.
 * Valid until the next interval; NULL: no memory.
 */
const struct debt_row *debt_totals(struct debt *d, struct interval *whole, size_t *n);

/*
 * What the policy's rules by id or name need of each feedback interval, and with them the rule for others of those in the
 * interval that was handed out last. *n: how many domains that are.
 */
uint64_t debt_reserved_ns(const struct debt *d, size_t *n);

/* Bytes held. */
size_t debt_memory(const struct debt *d);

#endif
