/* What a row of ShareGuard says in words, and how its rows add up. Of guard.c alone. */
#ifndef XENMETER_METRICS_CONTROL_GUARD_WORDS_H
#define XENMETER_METRICS_CONTROL_GUARD_WORDS_H

#include "metrics/control/guard.h"

/* What the words of a row rest on beside the row. */
struct guard_words {
    const struct guard_policy *policy;
    const struct guard_state *state; /* after the decision */
    int32_t other;                   /* the domain whose hold is to show its effect; -1: none */
};

/* Writes average, reason and action of a row whose outcome is known. */
void guard_words_write(struct guard_row *row, const struct guard_words *words);

/* Adds a row to the sums of all rows of its guest and driver domain; total->domain below 0: it is the first one. */
void guard_row_add(struct guard_row *total, const struct guard_row *row);

#endif
