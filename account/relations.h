/*
 * The relations of statements. Their rows are plain structs, with all texts in them, which outlive the statement: rows may be ordered
 * over all periods. A command that adds columns (prices) makes a row that begins with struct account_line, and a table of
 * ACCOUNT_COLUMNS and its own (account/columns.h).
 */
#ifndef XENMETER_ACCOUNT_RELATION_H
#define XENMETER_ACCOUNT_RELATION_H

#include "account/statement.h"
#include "archive/host_facts.h"
#include "archive/manifest.h"
#include "metrics/relation/relation.h"

#define ACCOUNT_WHY         160
#define ACCOUNT_PERIOD_TEXT 24 /* "2026-11-29 07:00" */
#define ACCOUNT_SHOWN       192

/* A struct account_row, as it is shown. */
struct account_line {
    struct account_row row; /* its pointers are NULL; these stand for them: */
    char host[HOST_MAX];
    char uuid[FACT_UUID], name[FACT_NAME];
    char why[ACCOUNT_WHY];
    char shown[ACCOUNT_SHOWN]; /* the name; else the UUID; else the host and domain id */
    char period_text[ACCOUNT_PERIOD_TEXT];
    uint64_t host_capacity_ns;                /* 0: of several hosts */
    uint64_t waits, wait_p99_ns, wait_max_ns; /* waits 0: the others are not known */
    bool extrapolated;                        /* total_ns and its parts are shown for the whole period, too */
};
void account_line_of(struct account_line *line, const struct account_row *row, bool extrapolated);

struct account_host_line {
    struct account_period period;
    struct account_host host; /* its pointers are NULL; these stand for them: */
    char name[HOST_MAX];
    char why[ACCOUNT_WHY];
    char period_text[ACCOUNT_PERIOD_TEXT];
};
void account_host_line_of(struct account_host_line *line, const struct account_period *period,
                          const struct account_host *host);

struct account_service_line {
    struct account_period period;
    char period_text[ACCOUNT_PERIOD_TEXT];
    char host[HOST_MAX];
    char driver_uuid[FACT_UUID], driver_name[FACT_NAME];
    char uuid[FACT_UUID], name[FACT_NAME];
    uint64_t charged_ns, measured_ns, certain_ns, inferred_ns;
};
void account_service_line_of(struct account_service_line *line, const struct account_period *period,
                             const struct account_service *service);

extern const struct relation relation_account;          /* of struct account_line */
extern const struct relation relation_account_hosts;    /* of struct account_host_line */
extern const struct relation relation_account_services; /* of struct account_service_line */

#endif
