/* The ledger of debts as a relation of struct debt_row (metrics/control/debt.h). */
#ifndef XENMETER_METRICS_RELATION_DEBTS_H
#define XENMETER_METRICS_RELATION_DEBTS_H

#include "metrics/relation/relation.h"

extern const struct relation relation_debts;

#endif
