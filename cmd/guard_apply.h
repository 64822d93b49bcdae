/* guard --hook: decisions of ShareGuard become calls of a hook. */
#ifndef XENMETER_CMD_GUARD_APPLY_H
#define XENMETER_CMD_GUARD_APPLY_H

#include "act/hooks.h"
#include "acting.h"
#include "metrics/control/guard.h"
#include "metrics/relation/guards.h"

/* Which of a guest's packets are to be stopped. */
enum guard_traffic { TRAFFIC_BOTH, TRAFFIC_FROM, TRAFFIC_TO };

/* "both" "from" "to", by enum guard_traffic; ended by NULL. */
extern const char *const guard_traffic_names[];

/* Which of the policy's actions each hook carries out, by kind of I/O; NULL: none. */
struct guard_actions {
    size_t hooks;
    const char *by[HOOKS_MAX][GUARD_IOS];
};

/* Who acts: guard. */
extern const struct acting_controller guard_controller;

/*
 * Asks the hooks what they reach, and begins to act; acting->options, .common and .names are set. *actions: what each is for, which
 * points into the policy. -1 with `err` filled: together they reach neither network nor disks, or not all of that traffic, or one has none
 * of the policy's actions; and as acting_begin.
 */
int guard_apply_begin(struct acting *acting, const struct guard_policy *policy, enum guard_traffic traffic,
                      struct guard_actions *actions, struct error *err);

/*
 * Decides what the rows of a window mean for the host; `all`: the same rows by acting_rows, which get what is done. -1: no memory.
 */
int guard_apply_rows(struct acting *acting, const struct guard_actions *actions,
                     const struct interval *interval, struct guard_action_row *all, size_t n);

#endif
