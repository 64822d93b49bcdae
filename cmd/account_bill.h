/* xenmeter account with prices, tags or sharing: rows of bills, chosen and added up after the whole host was divided. */
#ifndef XENMETER_CMD_ACCOUNT_BILL_H
#define XENMETER_CMD_ACCOUNT_BILL_H

#include "account.h"

/* All zero at first, but for what the command sets. */
struct account_billing {
    const struct account_command *own; /* set by the command */
    struct money money;
    struct bill bill;
    struct texts texts;             /* of lines */
    int64_t from_utc_ns, to_utc_ns; /* of all statements so far; both 0: none */
};
void account_billing_free(struct account_billing *b);

/*
 * Makes the rows of a statement (b->bill). -1 with `err` filled: see bill_make. The same as the first step of the next.
 */
int account_billing_make(struct account_billing *b, const struct account_statement *s, struct error *err);

/*
 * Makes the rows, chooses and adds up by the options, and hands out each line. -1 with `err` filled, or, `err` untouched, what `put`
 * returned.
 */
int account_billing_take(struct account_billing *b, const struct account_statement *s,
                         int (*put)(void *context, const struct bill_line *line), void *context,
                         struct error *err);

/* After all statements: whether the VMs and hosts that rates name were there. -1 with `err` filled. */
int account_billing_end(const struct account_billing *b, struct error *err);

#endif
