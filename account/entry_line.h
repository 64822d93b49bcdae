/* Entries of closed statements as rows that are shown. */
#ifndef XENMETER_ACCOUNT_ENTRY_LINE_H
#define XENMETER_ACCOUNT_ENTRY_LINE_H

#include "account/closed.h"
#include "account/entry.h"
#include "metrics/relation/relation.h"

struct entry_line {
    struct entry entry;      /* its texts and numbers are another's */
    const struct closed *of; /* the file that has it */
    bool summed;             /* it is the sum of several: neither an own entry nor of one file */
    const char *amount;      /* as text; NULL: nothing is priced */
};

extern const struct relation relation_entries; /* of struct entry_line */

#endif
