/* Which captures count in which periods. */
#ifndef XENMETER_ACCOUNT_PLAN_H
#define XENMETER_ACCOUNT_PLAN_H

#include "account/fleet.h"
#include "account/statement.h"

/* What a capture has of a period. */
struct plan_piece {
    struct account_period period;
    size_t capture; /* its number in the fleet */
    bool
        whole; /* all of the capture; else those of its intervals that count and whose middle is in the period */
};

struct plan {
    struct plan_piece *pieces; /* by beginning of the period, then in the fleet's order */
    size_t n, capacity;
    size_t wanted_n; /* of periods that are asked for; the others are of the period before */
};

/*
 * Makes the plan; what cannot be divided as it ought to be is reported (options.finding). -1 with `err` filled: nothing lies in the time
 * that is asked for, or memory ran out. plan_free in both cases.
 */
int plan_make(struct plan *p, const struct fleet *f, const struct account_options *o, struct error *err);
void plan_free(struct plan *p);

#endif
