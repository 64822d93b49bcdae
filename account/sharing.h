/*
 * The whole host is paid for. In each period the capacity of a host is, exactly,
 *
 *     used by guests + charged to guests + driver domains' own + unattributed + idle + unknown
 *
 * and each nanosecond of it ends up in one row: a guest's, or one of those that name what nobody took. Guests take what they
 * used or reserved (the basis), and then their shares of overhead (own + unattributed) and of idle time, if these are shared out.
 * Unknown time is never shared out, and never idle. Everything is per host and period, among all guests of the host: whoever
 * chooses rows chooses them afterwards.
 */
#ifndef XENMETER_ACCOUNT_SHARING_H
#define XENMETER_ACCOUNT_SHARING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In proportion to what a part of the capacity is divided among guests. */
enum share_by {
    SHARE_NONE,    /* it is not: a row of its own */
    SHARE_EVEN,    /* the time for which each guest existed */
    SHARE_USED,    /* used + charged */
    SHARE_RESERVED /* its vCPUs x the time for which it existed */
};
extern const char *const share_by_names[]; /* ended by NULL */

/* What a guest takes of the capacity before overhead and idle time are shared out. */
enum share_basis {
    BASIS_USED,     /* used + charged */
    BASIS_RESERVED, /* what it reserved, whatever it used; */
    BASIS_MAX /* the larger of both; of these two all guests together at most used + charged + idle: each its
                       proportion */
};
extern const char *const share_basis_names[]; /* ended by NULL */

struct sharing {
    enum share_by idle, overhead;
    enum share_basis basis;
};

/* One guest on one host in one period: ns. */
struct guest_share {
    /* given */
    uint64_t used_ns, charged_ns; /* ran; driver domains ran on its behalf */
    uint64_t reserved_ns;         /* its vCPUs x the time for which it existed */
    uint64_t existed_ns;
    /* what share_host fills */
    uint64_t base_ns;     /* by the basis, */
    uint64_t overhead_ns; /* its share of overhead, */
    uint64_t idle_ns;     /* and of idle time; together they are what it pays for */
};

/* A host in a period: ns. */
struct host_share {
    /* given: the rest of the capacity */
    uint64_t own_ns, unattributed_ns, idle_ns, unknown_ns;
    /* what share_host fills: what is nobody's, rows of their own */
    uint64_t left_own_ns, left_unattributed_ns, left_idle_ns;
};

/* used + charged of all guests, and the rest. False: above 2^63. */
bool share_capacity(const struct host_share *h, const struct guest_share *guests, size_t n,
                    uint64_t *capacity_ns);

/*
 * Divides the capacity, which share_capacity has found possible, and the sum of reserved_ns is below 2^63 as well. Where no guest
 * has a weight, nothing is shared out. The parts of all guests, and what is left, add up to the capacity. -1: no memory.
 */
int share_host(const struct sharing *how, struct host_share *h, struct guest_share *guests, size_t n);

#endif
