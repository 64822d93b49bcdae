/* xenmeter account with prices, tags or sharing: rows of bills, chosen and added up after the whole host was divided. */
#ifndef XENMETER_CMD_ACCOUNT_BILL_H
#define XENMETER_CMD_ACCOUNT_BILL_H

#include "account.h"
#include "account/focus.h"

/* All zero at first, but for what the command sets. */
struct account_billing {
    const struct account_command *own; /* set by the command */
    struct money money;
    struct bill bill;
    struct texts texts;      /* of lines */
    struct bill_line *lines; /* of the last statement */
    size_t lines_n, lines_capacity;
    int64_t from_utc_ns, to_utc_ns; /* of all statements so far; both 0: none */
    uint64_t vms_found;             /* items of --vm: see account_vm_wanted */
};
void account_billing_free(struct account_billing *b);

/*
 * Makes the rows of a statement (b->bill). -1 with `err` filled: see bill_make.
 */
int account_billing_make(struct account_billing *b, const struct account_statement *s, struct error *err);

/* Makes the rows, chooses and adds up by the options: b->lines. -1 with `err` filled, as above. */
int account_billing_take(struct account_billing *b, const struct account_statement *s, struct error *err);

/* Whether the rates have what FOCUS needs. -1 with `err` filled. */
int account_billing_check_focus(const struct account_billing *b, struct error *err);

/* Makes the rows, chooses those of --vm, and adds them to `text` as rows of FOCUS; *n: how many were chosen. -1 as above. */
int account_billing_focus(struct account_billing *b, const struct account_statement *s, struct buffer *text,
                          size_t *n, struct error *err);

/*
 * After all statements: whether the VMs and hosts that rates name were there. -1 with `err` filled. Reports VMs of --tags that were not
 * there, as a remark.
 */
int account_billing_end(const struct account_billing *b, struct error *err);

#endif
