/* debt --apply: allowances of the ledger become parameters of a scheduler. */
#ifndef XENMETER_CMD_DEBT_APPLY_H
#define XENMETER_CMD_DEBT_APPLY_H

#include "acting.h"
#include "metrics/control/debt.h"
#include "metrics/relation/debts.h"
#include "parser/quality.h"

/* A run that applies allowances. */
struct debt_apply {
    uint64_t feedback_ns;
    uint64_t blind_ns; /* of all pCPUs, up to the interval before */
};

/* Who acts: debt. */
extern const struct acting_controller debt_controller;

/*
 * Decides what the rows of an interval, which are final, mean for the host; `all`: the same rows by acting_rows, which get
 * decisions and commands. `quality`, `pcpus`: of the trace by now. -1: no memory.
 */
int debt_apply_rows(struct debt_apply *a, struct acting *acting, const struct interval *interval,
                    struct debt_action_row *all, size_t n, const struct quality *quality, unsigned pcpus);

#endif
