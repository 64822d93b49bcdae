/*
 * Rates: what things cost, from when to when, for whom. A rate has prices for a set of VMs or hosts, in a stretch of time. Of the
 * rates that match, the most specific one counts: one that names VMs before one that names tags, before one that names hosts,
 * before one for all; with a host beside it before the same without. Two of one rank at one moment are an error.
 */
#ifndef XENMETER_ACCOUNT_RATES_H
#define XENMETER_ACCOUNT_RATES_H

#include <gmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "account/tags.h"
#include "parser/error.h"

enum price {
    PRICE_RUN,       /* of a second that a vCPU of a guest ran */
    PRICE_CHARGED,   /* of a second that driver domains ran on a guest's behalf */
    PRICE_ALLOCATED, /* of an hour of a vCPU that a guest had, whether it ran or not */
    PRICE_CAPACITY,  /* of an hour of a pCPU: all the capacity of a host, whoever has it */
    PRICES
};
/* "vcpu_second_run" and so on; ended by NULL. */
extern const char *const price_names[];

/* How many ns the price is of: of a second or an hour. */
uint64_t price_unit_ns(enum price p);

struct rate {
    char where[32]; /* in messages: "rates[3]" */
    int64_t from_ns,
        to_ns;       /* UTC, since 1970; INT64_MIN, INT64_MAX: from ever, for ever. `to` is no longer in it */
    char *vm, *host; /* patterns (fnmatch) of a UUID or name, and of a host's name; NULL: any. Owned */
    char **tags;     /* of each tag of the mapping a pattern, NULL: any; owned. NULL: any */
    size_t tags_n;
    mpq_t prices[PRICES]; /* initialised where it is given */
    bool given[PRICES];
};

struct rates {
    char *currency;                   /* as it is printed; never NULL once it was read */
    unsigned digits;                  /* after the point of an amount */
    char *provider, *billing_account; /* for FOCUS: who bills, and whom; NULL: not given */
    struct rate *at;
    size_t n, capacity;
};

void rates_free(struct rates *r);

/* Frees what a rate owns that was not added. */
void rate_free(struct rate *rate);

/*
 * Adds a rate and takes over what it owns, in case of failure, too. -1 with `err` filled: no memory, or a rate for the same VMs, tags
 * and hosts has one of its prices at the same time.
 */
int rates_add(struct rates *r, struct rate *rate, struct error *err);

/* Whom a price is for. */
struct rate_subject {
    const char *host, *vm_uuid,
        *vm_name;            /* "": not known; vm_uuid NULL: the time is nobody's, only hosts match */
    const char *const *tags; /* of each tag of the mapping; "" where the VM has none; NULL: none */
};

/*
 * The rate that has this price for the subject from from_ns to to_ns, in which no rate begins or ends. NULL, `err` untouched: none has
 * it. NULL with err->code set: two of one rank have it.
 */
const struct rate *rates_find(const struct rates *r, enum price p, const struct rate_subject *s,
                              int64_t from_ns, struct error *err);

/* Whether any rate has this price: then every row that has such a quantity needs one. */
bool rates_have(const struct rates *r, enum price p);

/*
 * The moments after from_ns and before to_ns at which rates begin or end: at most 2 * r->n, ascending, each once. Returns how many.
 */
size_t rates_changes(const struct rates *r, int64_t from_ns, int64_t to_ns, int64_t *moments);

/* Whether the text is a pattern, and not one name. */
bool rates_is_pattern(const char *text);

/* Whether the rate is for this VM, by UUID or name; for any if it names none. */
bool rate_names_vm(const struct rate *rate, const char *vm_uuid, const char *vm_name);

#endif
