/*
 * How a debt is repaid. What is charged in a period is cut in K equal parts, in whole ns that add up to it (the first parts
 * are the larger ones), and one part falls due in each of the K periods that follow. What falls due and is not repaid
 * is overdue, and due again in every period until it is.
 *
 *     debt = overdue + the parts that are not due yet
 */
#ifndef XENMETER_METRICS_CONTROL_REPAYMENT_H
#define XENMETER_METRICS_CONTROL_REPAYMENT_H

#include <stdbool.h>
#include <stdint.h>

#define REPAYMENT_PERIODS_MAX 1000

struct repayment {
    uint64_t *due_ns;    /* a ring of `periods`: what falls due in the next period is at `next` */
    uint32_t periods;    /* K */
    uint32_t next;       /* */
    uint64_t overdue_ns; /* */
    uint64_t debt_ns;    /* all of it */
};

/* periods: 1 to REPAYMENT_PERIODS_MAX. False: no memory; repayment_free is fine then, too. */
bool repayment_init(struct repayment *r, uint32_t periods);
void repayment_free(struct repayment *r);

/* Charges to the period that is ending. */
void repayment_charge(struct repayment *r, uint64_t charged_ns);

/*
 * The period ends, and the next one begins, in which at most most_ns can be repaid. Returns what is repaid in it: what
 * is due in it or overdue, up to most_ns.
 */
uint64_t repayment_settle(struct repayment *r, uint64_t most_ns);

#endif
