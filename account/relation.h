/*
 * The relations of statements. A command that adds columns (prices) makes a row that begins with struct account_row, and a table of
 * ACCOUNT_COLUMNS and its own (account/columns.h).
 */
#ifndef XENMETER_ACCOUNT_RELATION_H
#define XENMETER_ACCOUNT_RELATION_H

#include "account/statement.h"
#include "metrics/relation/relation.h"

extern const struct relation relation_account;       /* of struct account_row: a VM (on a host) in a period */
extern const struct relation relation_account_hosts; /* of struct account_host_row */
extern const struct relation relation_account_services; /* of struct account_service_row */

struct account_host_row {
    struct account_period period;
    const struct account_host *host;
};

struct account_service_row {
    struct account_period period;
    const struct account_service *service;
};

#endif
