/* A ledger of debts over whatever a capture holds: what must hold of every row is checked, and a violation aborts. */
#ifndef XENMETER_TESTS_FUZZ_DEBTS_H
#define XENMETER_TESTS_FUZZ_DEBTS_H

#include "metrics/consumer.h"
#include "metrics/control/debt.h"

#define DEBTS_WATCHED 64 /* domains whose rows are compared with their last ones */

struct debts {
    struct debt_policy policy;
    struct debt *debt;
    struct meter_options meter; /* the caller completes it */
    struct debt_row last[DEBTS_WATCHED];
    size_t last_n;
};

/* `seed` draws the rules. */
void debts_open(struct debts *d, uint64_t seed);
void debts_close(struct debts *d);

/* The consumer; `d` is to outlive it. */
struct consumer debts_consumer(struct debts *d);

#endif
