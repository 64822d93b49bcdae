/* xenmeter account: what its files share. */
#ifndef XENMETER_CMD_ACCOUNT_H
#define XENMETER_CMD_ACCOUNT_H

#include "account/relations.h"
#include "account/statement.h"
#include "account_money.h"
#include "cli.h"
#include "formats/buffer.h"

enum account_by {
    ACCOUNT_BY_VM,
    ACCOUNT_BY_VM_HOST,
    ACCOUNT_BY_HOST,
    ACCOUNT_BY_DRIVER_DOMAIN,
    ACCOUNT_BY_TAG /* of bills only */
};

struct account_command {
    struct options common;
    enum account_granularity granularity;
    enum account_by by;
    const char *zone;      /* NULL: UTC */
    const char *from, *to; /* as they were given; NULL: they were not */
    const char *vms;       /* names and UUIDs; NULL: all */
    bool extrapolate, peaks;
    struct money_options money;
};

/* Setters for OPTIONS_MONEY. */
set_option set_share_idle, set_share_overhead, set_basis;

/* Which items of --vm a VM has matched: bit i is the i-th. */
#define ACCOUNT_VM_ITEMS 64

/* Whether --vm has the VM, or is not given; adds the items that match to *found. */
bool account_vm_wanted(const struct account_command *own, const struct account_vm *vm, uint64_t *found);

/* Reports the items of --vm that are not in `found`, as a remark. */
void account_vms_say_missing(const struct account_command *own, uint64_t found);

/*
 * The columns of a table, as the options need them; those of --columns if they are given; NULL: the relation's own. `to` holds the text.
 */
const char *account_columns(const struct account_command *own, struct buffer *to);

/*
 * A moment: "2026-11", "2026-11-29", where that begins in the zone, or "2026-11-29T07:00". -1 with `err` filled, which names `what` it is
 * ("--from"): there is no such day, or the year is out of range, or it is none of these.
 */
int account_moment(const char *what, const char *text, int64_t *utc_ns, struct error *err);

/* Findings, as they come: the first of each kind, and how many more there were. */
struct account_findings {
    bool quiet;
    uint64_t counts[ACCOUNT_FINDINGS];
};
void account_findings_take(struct account_findings *f, enum account_finding_kind kind, const char *file,
                           const char *what);
/* Reports how many were not printed. Returns EXIT_FINDING if anything was left out or is wrong, else EXIT_DONE. */
int account_findings_end(const struct account_findings *f);

/*
 * A page about one VM in one period, in lines of at most 80 characters: what it cost, why, and how sure that is. `bill`: the line's bill,
 * or NULL.
 */
void account_page_put(struct buffer *b, const struct account_line *line, const struct bill_line *bill,
                      const char *zone);

#endif
