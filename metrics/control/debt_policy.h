/* The policy of a ledger of debts (debt.h): the reservation of each domain, and how debts are repaid. */
#ifndef XENMETER_METRICS_CONTROL_DEBT_POLICY_H
#define XENMETER_METRICS_CONTROL_DEBT_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "metrics/control/cpu_share.h"
#include "metrics/control/subject.h"
#include "parser/error.h"

#define FEEDBACK_DEFAULT_NS 500000000u
#define FEEDBACK_MIN_NS     1000000u
#define FEEDBACK_MAX_NS     3600000000000u

/* What one domain is given. */
struct debt_rule {
    struct cpu_share reservation; /* of one pCPU; more than 1 for a domain with several vCPUs */
    struct cpu_share floor;       /* of the reservation: no repayment leaves less. Below 1 */
    uint32_t spread;              /* K: over so many periods a charge is repaid; see repayment.h */
};

/* The rule of one domain: by its id, or by its name. */
struct debt_reserve {
    struct subject who;
    struct debt_rule rule;
};

/* All zero, but for feedback_ns: without any rule. */
struct debt_policy {
    uint64_t feedback_ns; /* the feedback interval: FEEDBACK_MIN_NS to FEEDBACK_MAX_NS */
    unsigned host_pcpus;  /* of the host; 0: those that the trace shows */
    struct debt_reserve *reserves;
    size_t n, capacity;
    bool for_others; /* every other guest has this rule: not domain 0, and no driver domain */
    struct debt_rule others;
};

void debt_policy_free(struct debt_policy *p);

/* Adds a rule (copied, the name too). -1 with `err` filled: no memory. */
int debt_policy_add(struct debt_policy *p, const struct debt_reserve *reserve, struct error *err);

/*
 * Finds out about whom the rules are: one by the id of a domain with a known name becomes one by that name. name_of may
 * be NULL: no names are known. -1 with `err` filled, which names the place: a name that no domain has, or two rules for one
 * domain.
 */
int debt_policy_resolve(struct debt_policy *p, domain_name_of name_of, const void *names, struct error *err);

/* The rule for a domain of that id and name (NULL: not known) among `reserves`; NULL: none. After debt_policy_resolve. */
const struct debt_reserve *debt_policy_find(const struct debt_policy *p, uint16_t domain, const char *name);

/* -1 with `err` filled: n reservations, which need reserved_ns of each feedback interval, are more than so many pCPUs have. */
int debt_policy_check_sum(const struct debt_policy *p, uint64_t reserved_ns, size_t n, unsigned pcpus,
                          struct error *err);

/* What all rules but the one for others need of each feedback interval. */
uint64_t debt_policy_reserved_ns(const struct debt_policy *p);

#endif
