/* guard_replay.h - a guard decides anew on the evidence that another one had. */
#ifndef XENMETER_METRICS_CONTROL_GUARD_REPLAY_H
#define XENMETER_METRICS_CONTROL_GUARD_REPLAY_H

#include "metrics/control/guard.h"

struct guard_replay;

/* NULL: no memory. The guard is the caller's and must outlive it. */
struct guard_replay *guard_replay_new(struct guard *g);
void guard_replay_free(struct guard_replay *r);

/*
 * The rows of a window, as another guard handed them out: of each only the guest, the driver domain and the evidence
 * (charged_ns to driver_ns,
 * and io) are used. Calls the guard's own `rows` with what it decides. -1: that said so, or no memory.
 */
int guard_replay_window(struct guard_replay *r, const struct interval *interval, const struct guard_row *rows,
                        size_t n);

#endif
