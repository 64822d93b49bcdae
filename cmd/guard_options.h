/* The policy of ShareGuard as people give it: --limit, and the file that xenmeter-policy(5) describes. */
#ifndef XENMETER_CMD_GUARD_POLICY_H
#define XENMETER_CMD_GUARD_POLICY_H

#include "metrics/control/guard_policy.h"
#include "parser/error.h"

/* What single options give; 0 (of a share: .of): not given. */
struct guard_settings {
    uint64_t window_ns, max_hold_ns;
    struct cpu_share min_certain;
    const char *protect; /* LIST; NULL: not given */
};

/*
 * Reads --limit: "3=5%,web=2%,3@2=10%,*=20%", into a policy of defaults. -1 with `err` filled; guard_policy_free in both
 * cases.
 */
int guard_read_list(struct guard_policy *p, const char *list, const struct guard_settings *given,
                    struct error *err);

/* Reads a file; what is given by options takes the place of what it says. As guard_read_list. */
int guard_read_file(struct guard_policy *p, const char *path, const struct guard_settings *given,
                    struct error *err);

/* A length of time from 1ms to 1h. -1 with `err` filled, which begins with `where`. */
int guard_length(const char *where, const char *text, uint64_t *ns, struct error *err);

/* A part from 0% to 100%. -1 as above. */
int guard_part(const char *where, const char *text, struct cpu_share *part, struct error *err);

#endif
