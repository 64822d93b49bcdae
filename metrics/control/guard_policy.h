/* The policy of ShareGuard (guard.h): what guests may cost driver domains, and what is done about those that cost more. */
#ifndef XENMETER_METRICS_CONTROL_GUARD_POLICY_H
#define XENMETER_METRICS_CONTROL_GUARD_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "metrics/control/cpu_share.h"
#include "metrics/control/subject.h"

#define GUARD_LENGTH_MIN_NS 1000000u
#define GUARD_LENGTH_MAX_NS 3600000000000u
#define GUARD_ACTION_BYTES  32
#define GUARD_STEPS_MAX     20

/* By which a driver domain serves a guest; how each is stopped is the policy's. */
enum guard_io { GUARD_NETWORK, GUARD_DISK, GUARD_IOS };

/* "network" "disk": keys of the file, and words of a row's action; ended by NULL. */
extern const char *const guard_io_names[];

/* What a guest may cost a driver domain. */
struct guard_limit {
    bool every_guest;     /* but domain 0 and driver domains; else: */
    struct subject guest; /* */
    bool every_driver;    /* each driver domain; else: */
    struct subject driver;
    struct cpu_share limit; /* of one pCPU, in a window: above 0, at most 1 */
};

struct guard_policy {
    uint64_t window_ns;   /* a charge is compared with its limit over so long */
    uint64_t max_hold_ns; /* no guest is held for longer at a time */
    uint64_t
        settle_ns; /* so long, at most, the effect of an action is awaited before another guest is acted on */
    uint64_t probation_ns;        /* so long, at least, a guest that was let back is remembered */
    uint64_t stale_ns;            /* so long a guest is held on evidence with losses */
    struct cpu_share hysteresis;  /* of the limit: a charge must be over the limit by more */
    struct cpu_share min_certain; /* of a charge: below, nothing is done */
    struct cpu_share max_lost;    /* of a driver domain's time: above, a window is no evidence */
    char actions[GUARD_IOS][GUARD_ACTION_BYTES]; /* names of actions; "": that I/O is left alone */
    unsigned steps; /* so often an action's number is doubled before a guest is let back; 0: never */
    struct guard_limit *limits;
    size_t n, capacity;
    struct subject *exempt; /* guests that are never acted on */
    size_t exempt_n, exempt_capacity;
};

/* The defaults, without any limit. */
void guard_policy_init(struct guard_policy *p);
void guard_policy_free(struct guard_policy *p);

/* Adds a limit, a guest to exempt (copied, names too). -1 with `err` filled: no memory. */
int guard_policy_add(struct guard_policy *p, const struct guard_limit *limit, struct error *err);
int guard_policy_exempt(struct guard_policy *p, const struct subject *guest, struct error *err);

/*
 * Finds out about whom the limits are (subject_resolve). -1 with `err` filled, which names the place: a name that no domain has, two
 * limits for the same, or one for domain 0, which is never acted on.
 */
int guard_policy_resolve(struct guard_policy *p, domain_name_of name_of, const void *names,
                         struct error *err);

/* A domain by its id and its name (NULL: not known). */
struct guard_party {
    uint16_t domain;
    const char *name;
};

/*
 * The limit of a guest at a driver domain: for both by name or id, before that of the guest at every driver domain, before
 * that of every guest at this one. NULL: none. After guard_policy_resolve.
 */
const struct guard_limit *guard_policy_find(const struct guard_policy *p, struct guard_party guest,
                                            struct guard_party driver);

/* Whether any limit is about the guest, at whatever driver domain; `others`: those of every guest count, too. */
bool guard_policy_concerns(const struct guard_policy *p, struct guard_party guest, bool others);

bool guard_policy_exempts(const struct guard_policy *p, struct guard_party guest);

/* Whether the action has a number that can be doubled: "rate=800". */
bool guard_action_has_number(const char *action);

/*
 * The action with its number doubled so often (at most GUARD_STEPS_MAX times): "rate=800", 2: "rate=3200". The number is never
 * above 1000000000, or what it was. An action without a number stays as it is.
 */
void guard_action_at(char to[GUARD_ACTION_BYTES], const char *action, unsigned step);

#endif
