/*
 * Rows of bills as they are shown, and sums of them: by VM, host, tag. Amounts were rounded before, so that sums of rows are
 * sums of what the rows show.
 */
#ifndef XENMETER_ACCOUNT_BILL_LINE_H
#define XENMETER_ACCOUNT_BILL_LINE_H

#include <gmp.h>
#include <stdbool.h>
#include <stdint.h>

#include "account/bill.h"
#include "account/relations.h"
#include "account/texts.h"
#include "metrics/relation/relation.h"

struct bill_line {
    struct account_line usage;
    const char *kind; /* of bill_kind_names; NULL: of several */
    const char *tag;  /* NULL: none, or of several */
    uint64_t base_ns, overhead_ns, idle_ns, capacity_ns;
    const char *amount, *currency; /* NULL: nothing is priced */
};

extern const struct relation
    relation_bill; /* of struct bill_line; its texts live as long as they are needed */

/* All zero is an empty sum; its usage is not copied (struct account_sum). */
struct bill_sum {
    struct account_sum usage;
    bool any;
    int kind; /* enum bill_kind; -1: several */
    const char *tag;
    uint64_t base_ns, overhead_ns, idle_ns, capacity_ns;
    mpz_t amount; /* initialised once anything was added */
};

/* Adds a row of the same period; `tag`: what it is shown with, NULL: none. False: no memory. */
bool bill_sum_add(struct bill_sum *into, const struct bill_row *from, const char *tag);
void bill_sum_free(struct bill_sum *s);

/* The sum as it is shown; `rates` NULL: nothing is priced. Texts are kept in `texts`. False: no memory. */
bool bill_line_of(struct bill_line *line, const struct bill_sum *sum, const struct rates *rates,
                  bool extrapolated, struct texts *texts);

#endif
