/* The ledger of debts as a relation of struct debt_row (metrics/control/debt.h); and with what is set by it. */
#ifndef XENMETER_METRICS_RELATION_DEBTS_H
#define XENMETER_METRICS_RELATION_DEBTS_H

#include "metrics/control/debt.h"
#include "metrics/relation/relation.h"

#define DEBT_DECISION_BYTES 48
#define DEBT_COMMAND_BYTES  384

/* A row of the ledger, and what becomes of it on a host. */
struct debt_action_row {
    struct debt_row ledger;
    char decision[DEBT_DECISION_BYTES]; /* "": none */
    char command[DEBT_COMMAND_BYTES];   /* "": nothing is to be done */
};

extern const struct relation relation_debts;
extern const struct relation
    relation_debt_actions; /* of struct debt_action_row: the same columns, and these */

#endif
