/* The ledger of debts (SEDF-DC) in control of a simulated host. */
#ifndef XENMETER_CMD_SIMULATE_DEBT_H
#define XENMETER_CMD_SIMULATE_DEBT_H

#include "cli.h"
#include "formats/output.h"
#include "metrics/control/debt_policy.h"
#include "metrics/verdict.h"
#include "sim/simulated_feed.h"

struct simulated_ledger {
    /* By the caller. */
    const struct options *options;   /* of which only what every command has is used */
    const struct scenario *scenario; /* */
    const char *policy;              /* file */
    uint64_t delay_ns;               /* until what a row says is set */
    const char *file;                /* for the rows; NULL: none */
    struct output *output;           /* to it; NULL: none. Stays the caller's */

    struct debt_policy rules;
    struct debt *debt;
    struct simulated_feed *host;
    struct writer *writer;
    struct error why;           /* why the rows could not be used */
    struct judgement judgement; /* of the trace and the charges, after a run */
};

/*
 * Reads the policy, and checks it against the scenario and the name of the file for rows. -1 with `err` filled, which names
 * the place.
 */
int simulated_ledger_prepare(struct simulated_ledger *l, struct error *err);

/*
 * Runs the host to its end under the ledger: its trace is read as any other is, and each row's allowance is set in the host.
 * -1 with `err` filled, or untouched when an output failed. simulated_ledger_free in all cases.
 */
int simulated_ledger_run(struct simulated_ledger *l, struct simulated_feed *host, struct error *err);
void simulated_ledger_free(struct simulated_ledger *l);

#endif
