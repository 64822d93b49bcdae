/*
 * The bill of a period: statements with the whole host paid for (sharing.h) and priced (rates.h).
 *
 * Each host has a row for each of its VMs, and, where there is such time, one for its idle and one for its unknown time. A driver domain
 * keeps its own and unattributed time, unless overhead is shared out. Capacities of a host's rows add up to the host's, amounts to
 * the host's amount, to the last digit: amounts are exact until they are rounded together, by host and period.
 */
#ifndef XENMETER_ACCOUNT_BILL_H
#define XENMETER_ACCOUNT_BILL_H

#include <gmp.h>
#include <stdbool.h>
#include <stddef.h>

#include "account/rates.h"
#include "account/sharing.h"
#include "account/statement.h"
#include "account/tags.h"
#include "parser/error.h"

enum bill_kind { BILL_VM, BILL_DRIVER_DOMAIN, BILL_IDLE, BILL_UNKNOWN };
extern const char *const bill_kind_names[]; /* "vm" "driver-domain" "idle" "unknown"; ended by NULL */

/* What is priced, of a row. */
struct bill_item {
    uint64_t ns;             /* how much of it there is; see enum price */
    const struct rate *rate; /* NULL: no price */
    mpz_t amount; /* in units of the rates' last digit; items of a row add up to the row's amount */
};

struct bill_row {
    struct account_row row; /* of idle and unknown time: only period, vm, host, coverage and verdict */
    enum bill_kind kind;
    uint64_t base_ns, overhead_ns,
        idle_ns;             /* shares of the host's capacity, as struct guest_share; a driver domain's
                                               base has its own and unattributed time that is left */
    uint64_t capacity_ns;    /* the sum of these: what is paid for */
    const char *const *tags; /* of each tag; NULL: it has none */
    struct bill_item items[PRICES];
    mpz_t amount;
};

struct bill_options {
    struct sharing sharing;
    const struct rates *rates; /* NULL: nothing is priced */
    const struct tags *tags;   /* NULL: none */
};

/* All rows of one period, by host, then by VM; all zero at first. They point into the statement, the rates and the tags. */
struct bill {
    struct bill_row *rows;
    size_t n, capacity;
    size_t made;                /* whose numbers are initialised */
    bool *vm_seen, *host_seen;  /* of each rate: a VM, a host that it names was there at its time */
    bool *tagged_seen;          /* of each line of the tags: its VM was there */
    struct guest_share *guests; /* scratch */
    size_t guests_capacity;
};

/*
 * Makes the rows of a statement, which take the place of those before. -1 with `err` filled: a price is missing for something that other
 * rates price, two rates contradict each other, the numbers are out of range, or no memory.
 */
int bill_make(struct bill *b, const struct bill_options *o, const struct account_statement *statement,
              struct error *err);
void bill_free(struct bill *b);

/*
 * After all statements, which began at from_ns and ended at to_ns: whether all VMs and hosts that rates of that time name (patterns
 * do not count) were there. -1 with `err` filled: one was not.
 */
int bill_check_names(const struct bill *b, const struct rates *rates, int64_t from_ns, int64_t to_ns,
                     struct error *err);

#endif
