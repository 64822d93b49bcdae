/* Whom ShareGuard knows: guests, driver domains, and how each guest stands at each driver domain. Of guard.c alone. */
#ifndef XENMETER_METRICS_CONTROL_GUARD_BOOK_H
#define XENMETER_METRICS_CONTROL_GUARD_BOOK_H

#include "metrics/control/guard.h"
#include "metrics/control/members.h"

#define NONE UINT32_MAX

/* A guest: a name, or one life of a domain id. */
struct guard_account {
    const char *name;    /* NULL: not known */
    int32_t domain;      /* the youngest that was seen, */
    uint32_t life;       /* */
    uint32_t number;     /* of that member */
    uint32_t first_pair; /* NONE: it was never charged */
    bool exempt;         /* by the policy */
};

/* A guest at a driver domain. */
struct guard_pair {
    uint32_t account;
    uint32_t next; /* of the account; NONE: the last one */
    int32_t driver;
    uint32_t driver_life;
    const struct guard_limit *limit; /* NULL: none */
    struct guard_state state;
    int32_t held_domain; /* who is held, */
    uint32_t held_life;
    bool io[GUARD_IOS]; /* and how */
    uint32_t row;       /* in the window at hand, from 1; 0: none */
    struct guard_row total;
};

/* A driver domain. */
struct guard_driver {
    int32_t domain;
    uint32_t life;
    uint32_t awaited; /* the pair whose hold is to show its effect; NONE */
    uint64_t awaited_ns;
    /* in the window at hand */
    bool there, lossy, busy; /* busy: an effect is awaited */
    uint64_t unattributed_ns, unknown_ns, all_ns;
    uint32_t worst; /* the pair that is furthest over its limit, of those that may be held; NONE */
    uint64_t worst_ns;
};

struct guard_book {
    const struct guard_options *options;
    struct controlled_lives members;
    struct guard_account *accounts;
    size_t accounts_n, accounts_capacity;
    struct guard_pair *pairs;
    size_t pairs_n, pairs_capacity;
    struct guard_driver *drivers;
    size_t drivers_n, drivers_capacity;
    bool *appeared; /* by limit: its guest, then its driver domain */
};

/* All empty. The options stay the caller's. False: no memory; guard_book_free is fine then, too. */
bool guard_book_init(struct guard_book *b, const struct guard_options *options);
void guard_book_free(struct guard_book *b);

/* Everybody's limit by another policy. False: no memory, and nothing has changed. */
bool guard_book_take_policy(struct guard_book *b, const struct guard_policy *policy);

/* The member for a life, which may have appeared just now. NULL: no memory. Valid until the next call. */
const struct controlled_life *guard_book_member(struct guard_book *b, int32_t domain, uint32_t life);

/* The account's pair at that driver domain, made on first use. NULL: no memory. Valid until the next call. */
struct guard_pair *guard_book_pair(struct guard_book *b, uint32_t account, const struct charge_idd *idd);

/* The driver domain, made on first use. NULL: no memory. Valid until the next call for one that is not there yet. */
struct guard_driver *guard_book_driver(struct guard_book *b, int32_t domain, uint32_t life);

/* As guard_missing. */
const struct subject *guard_book_missing(const struct guard_book *b);

/* Bytes held. */
size_t guard_book_memory(const struct guard_book *b);

#endif
