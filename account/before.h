/* What VMs cost in the period before: what a change is measured against. */
#ifndef XENMETER_ACCOUNT_BEFORE_H
#define XENMETER_ACCOUNT_BEFORE_H

#include <stdbool.h>
#include <stddef.h>

#include "account/statement.h"

struct before_entry {
    const char *host, *key; /* kept texts; host "": on all hosts */
    struct account_before was;
};

/* All zero is none. */
struct before {
    struct before_entry *at; /* by host and key */
    size_t n, capacity;
};

/*
 * Fills it with the rows of a statement, for each host and for all hosts of a VM together; names and keys have to outlive it. False: no
 * memory.
 */
bool before_take(struct before *b, const struct account_row *rows, size_t n);
void before_free(struct before *b);

/* host "": on all hosts. total_ns is NS_UNKNOWN where the VM was not there. */
struct account_before before_of(const struct before *b, const char *host, const char *key);

#endif
