/*
 * Entries as a FOCUS Cost and Usage table: CSV with the columns of the FinOps Open Cost and Usage Specification 1.2, in its order, and
 * own ones, x_..., after them. A row for each priced item of an entry: what ran, what was charged, what was allocated, capacity.
 *
 * BilledCost and EffectiveCost are the rounded amounts, which add up; ListCost and ContractedCost are quantity x price, exactly, or to
 * FOCUS_DIGITS digits where they never end.
 */
#ifndef XENMETER_ACCOUNT_FOCUS_H
#define XENMETER_ACCOUNT_FOCUS_H

#include "account/entry.h"
#include "account/period.h"
#include "formats/buffer.h"

#define FOCUS_DIGITS 24

/* What all rows of a table have. */
struct focus {
    const char *provider, *billing_account, *currency;
    unsigned digits;
    const char *basis, *share_idle, *share_overhead; /* words, for the methods */
    const struct account_period *billing; /* of corrections: the open period; NULL: the month of the row */
    bool raw_names;                       /* names as they are, whatever a spreadsheet does with them */
};

void focus_put_header(struct buffer *b);

/* Adds the rows of an entry. b->failed: no memory. */
void focus_put(struct buffer *b, const struct focus *f, const struct entry *e);

#endif
