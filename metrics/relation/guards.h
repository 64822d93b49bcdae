/* The relation of ShareGuard's decisions (struct guard_row). */
#ifndef XENMETER_METRICS_RELATION_GUARDS_H
#define XENMETER_METRICS_RELATION_GUARDS_H

#include "metrics/control/guard.h"
#include "metrics/relation/relation.h"

#define GUARD_CARRIED_OUT_BYTES 48
#define GUARD_COMMAND_BYTES     384

/* A decision, and what becomes of it on a host. */
struct guard_action_row {
    struct guard_row decided;
    char carried_out[GUARD_CARRIED_OUT_BYTES]; /* "set", or why not; "": there is nothing to be done */
    char command[GUARD_COMMAND_BYTES];         /* "": none */
};

extern const struct relation relation_guards;
extern const struct relation
    relation_guard_actions; /* of struct guard_action_row: the same columns, and these */

#endif
