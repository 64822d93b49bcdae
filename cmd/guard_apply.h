/* guard --hook: decisions of ShareGuard become calls of a hook. */
#ifndef XENMETER_CMD_GUARD_APPLY_H
#define XENMETER_CMD_GUARD_APPLY_H

#include "acting.h"
#include "metrics/control/guard.h"
#include "metrics/relation/guards.h"

/* Which of a guest's packets are to be stopped. */
enum guard_traffic { TRAFFIC_BOTH, TRAFFIC_FROM, TRAFFIC_TO };

/* "both" "from" "to", by enum guard_traffic; ended by NULL. */
extern const char *const guard_traffic_names[];

/* A run that carries decisions out; all zero: it does not. */
struct guard_apply {
    struct acting acting;
    const char *action; /* of the policy, for what the hook reaches */
    struct guard_action_row *rows;
    struct act_guest *guests;
    size_t rows_capacity, guests_capacity;
};

/* Who acts: guard. */
extern const struct acting_controller guard_controller;

/*
 * Asks the hook what it reaches, and begins to act. acting.options, .common and .names are set. -1 with `err` filled: the hook reaches
 * neither network nor disks, not all of that traffic, or does not have the policy's action; and as acting_begin.
 */
int guard_apply_begin(struct guard_apply *a, const struct guard_policy *policy, enum guard_traffic traffic,
                      struct error *err);

/* Decides what the rows of a window mean for the host: the rows with that, valid until the next call; NULL: no memory. */
const struct guard_action_row *guard_apply_rows(struct guard_apply *a, const struct interval *interval,
                                                const struct guard_row *rows, size_t n);

void guard_apply_free(struct guard_apply *a);

#endif
