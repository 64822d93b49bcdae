/* What a simulated host can do about guests' I/O, by the names of a policy's actions. */
#ifndef XENMETER_CMD_SIMULATE_ACTION_H
#define XENMETER_CMD_SIMULATE_ACTION_H

#include <stdbool.h>

#include "metrics/control/guard_policy.h"
#include "sim/hold.h"

/*
 * "drop", "rate=KBIT", "netback-rate=KBIT" (of the network), "pause" (of disks), "low", "cap=PERCENT" (of both): adds
 * the action to `hold`. False,
 * `hold` unchanged: another text, or the action does nothing about that kind of I/O.
 */
bool simulated_action_add(struct sim_hold *hold, const char *text, enum guard_io io);

/* The same for whichever kinds of I/O the action is about. */
bool simulated_action_read(struct sim_hold *hold, const char *text);

/* The actions for a kind of I/O, as people read them. */
extern const char *const simulated_actions[GUARD_IOS];

#endif
