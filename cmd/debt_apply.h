/* debt --apply: allowances of the ledger become parameters of a scheduler. */
#ifndef XENMETER_CMD_DEBT_APPLY_H
#define XENMETER_CMD_DEBT_APPLY_H

#include "acting.h"
#include "metrics/control/debt.h"
#include "metrics/relation/debts.h"
#include "parser/quality.h"

/* A run that applies allowances; all zero: it does not. */
struct debt_apply {
    struct acting acting;
    uint64_t feedback_ns;
    uint64_t blind_ns; /* of all pCPUs, up to the interval before */
    struct debt_action_row *rows;
    struct act_guest *guests;
    size_t rows_capacity, guests_capacity;
};

/* Who acts: debt. */
extern const struct acting_controller debt_controller;

/*
 * Decides what the rows of an interval, which are final, mean for the host. `quality`, `pcpus`: of the trace by now. The rows with
 * decisions and commands, valid until the next call; NULL: no memory.
 */
const struct debt_action_row *debt_apply_rows(struct debt_apply *a, const struct interval *interval,
                                              const struct debt_row *rows, size_t n,
                                              const struct quality *quality, unsigned pcpus);

/* The same rows without a decision: totals. NULL: no memory. */
const struct debt_action_row *debt_apply_totals(struct debt_apply *a, const struct debt_row *rows, size_t n);

void debt_apply_free(struct debt_apply *a);

#endif
