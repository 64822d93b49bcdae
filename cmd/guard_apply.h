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

/* Who acts: guard. */
extern const struct acting_controller guard_controller;

/*
 * Asks the hook what it reaches, and begins to act; acting->options, .common and .names are set. *action: the policy's, for what the
 * hook reaches. -1 with `err` filled: the hook reaches neither network nor disks, not all of that traffic, or does not have the
 * policy's action; and as acting_begin.
 */
int guard_apply_begin(struct acting *acting, const struct guard_policy *policy, enum guard_traffic traffic,
                      const char **action, struct error *err);

/*
 * Decides what the rows of a window mean for the host; `all`: the same rows by acting_rows, which get what is done. -1: no memory.
 */
int guard_apply_rows(struct acting *acting, const char *action, const struct interval *interval,
                     struct guard_action_row *all, size_t n);

#endif
