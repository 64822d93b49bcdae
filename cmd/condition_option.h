/* Reads conditions: of diff --fail-if, of record --when. */
#ifndef XENMETER_CMD_CONDITION_H
#define XENMETER_CMD_CONDITION_H

#include "metrics/relation/condition.h"
#include "parser/error.h"

/* What may be a condition of an option. */
struct condition_syntax {
    const char *option;            /* for messages: "fail-if" */
    const char *wanted;            /* for messages: how a condition looks */
    const char *list;              /* for messages: where the columns are listed */
    bool levels_only;              /* '>' and '<': no changes */
    const struct comparable *more; /* a further column, beside comparables(); NULL: none */
};

/* "wait_p99 +20% in web". `c` points into `text`. -1 with `err` filled. */
int condition_parse(struct condition *c, const struct condition_syntax *syntax, const char *text,
                    struct error *err);

#endif
