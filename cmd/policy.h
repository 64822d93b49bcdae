/* Reservations as people give them: --reserve, and the file that xenmeter-policy(5) describes. */
#ifndef XENMETER_CMD_POLICY_H
#define XENMETER_CMD_POLICY_H

#include <stdbool.h>

#include "metrics/control/debt_policy.h"
#include "parser/error.h"

#define FLOOR_DEFAULT_PERCENT 10

/* What holds for all domains, unless their own rule says something else; 0 (of floor: .of): not given. */
struct policy_settings {
    uint64_t feedback_ns;
    struct cpu_share floor;
    uint32_t spread;
    unsigned host_pcpus;
};

/*
 * Reads --reserve: "1=60%,web=10ms/100ms,*=5%". `given`: by other options. -1 with `err` filled; debt_policy_free in both
 * cases.
 */
int policy_read_list(struct debt_policy *p, const char *list, const struct policy_settings *given,
                     struct error *err);

/* Reads a file ("-": standard input); what is given by options takes the place of what it says for all domains. As policy_read_list. */
int policy_read_file(struct debt_policy *p, const char *path, const struct policy_settings *given,
                     struct error *err);

/* The file in messages. */
const char *policy_name(const char *path);

/* ---- values, in n characters ---- */

/* "60%" "12.5%": above 0, or from 0 on if `or_zero`; at most 6 digits after the point. */
bool policy_percent(const char *text, size_t n, bool or_zero, struct cpu_share *share);

/* "500ms" "10us" "1.5s": with its unit. */
bool policy_length(const char *text, size_t n, uint64_t *ns);

/* The same as a floor (below 100 %), and as a feedback interval. -1 with `err` filled, which begins with `where`. */
int policy_floor(const char *where, const char *text, struct cpu_share *floor, struct error *err);
int policy_feedback(const char *where, const char *text, uint64_t *ns, struct error *err);

/* A slice of each period, which is not shorter. -1 as above. */
int policy_slice(const char *where, uint64_t slice_ns, uint64_t period_ns, struct cpu_share *share,
                 struct error *err);

/*
 * The domain that a key names: an id, or else a name. `name` points to `key` then. -1 as above: an id that no domain has.
 */
int policy_domain(const char *where, char *key, struct subject *s, struct error *err);

/* What was given where something was, else what there is by default, for all domains. */
void policy_settle(struct policy_settings *s, const struct policy_settings *given);

/* The rest of a policy whose rules were added. -1 as above: more is reserved than the host has. */
int policy_complete(struct debt_policy *p, const struct policy_settings *s, struct error *err);

#endif
