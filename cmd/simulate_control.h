/* Controllers of a simulated host: they read its trace as it is written, and act on the host. The ledger of debts, ShareGuard, or both. */
#ifndef XENMETER_CMD_SIMULATE_CONTROL_H
#define XENMETER_CMD_SIMULATE_CONTROL_H

#include "cli.h"
#include "formats/output.h"
#include "formats/writer.h"
#include "metrics/control/debt.h"
#include "metrics/control/guard.h"
#include "metrics/pipeline.h"
#include "metrics/verdict.h"
#include "sim/simulated_feed.h"

/* Where the rows of a controller go. */
struct controller_rows {
    const char *file;      /* NULL: nowhere */
    struct output *output; /* to it; NULL: none. Stays the caller's */
    struct writer *writer;
    struct charge_schema charges;
    struct report_schema schema;
    struct column_choice choice;
};

struct simulated_control;

/* The ledger of debts. */
struct simulated_ledger {
    const char *policy; /* file; NULL: there is no ledger */
    struct controller_rows rows;
    struct simulated_control *control;
    struct debt_policy rules;
    struct debt *debt;
    struct meter_options meter;
};

/* ShareGuard. */
struct simulated_guard {
    const char *policy; /* file; NULL: there is no guard */
    struct controller_rows rows;
    struct simulated_control *control;
    struct guard_policy rules;
    struct guard *guard;
    struct meter_options meter;
};

struct simulated_control {
    /* By the caller. */
    const struct options *options; /* of which only what every command has is used */
    const struct scenario *scenario;
    uint64_t delay_ns; /* until what a row says is done */
    struct simulated_ledger ledger;
    struct simulated_guard guard;

    struct simulated_feed *host;
    struct error why;           /* why rows could not be used */
    struct judgement judgement; /* of the trace and the charges, after a run */
};

/* Whether there is any controller. */
static inline bool simulated_control_is_on(const struct simulated_control *c)
{
    return c->ledger.policy || c->guard.policy;
}

/* Reads the policies, and checks them against the scenario and the names of files for rows. -1 with `err` filled, which names the place. */
int simulated_control_prepare(struct simulated_control *c, struct error *err);

/*
 * Runs the host to its end: its trace is read as any other is, and what each row says is done in the host. -1 with `err` filled, or
 * untouched when an output failed. simulated_control_free in all cases.
 */
int simulated_control_run(struct simulated_control *c, struct simulated_feed *host, struct error *err);
void simulated_control_free(struct simulated_control *c);

/* ---- for the controllers ---- */

/* The name of a domain in the scenario (domain_name_of); NULL: it has none. */
const char *scenario_name_of(const void *scenario, int32_t domain, uint32_t life);

/* -1 with `err` filled: the scenario has no domain that the rule is about. */
int scenario_has(const struct scenario *s, const struct subject *who, struct error *err);

/* Opens the writer of rows of `relation`, of intervals of *length_ns; nothing without an output. -1 with `err` filled. */
int controller_rows_open(struct controller_rows *r, const struct simulated_control *c,
                         const struct relation *relation, const uint64_t *length_ns,
                         const struct meter_options *meter, struct error *err);

/* 0, or -1: the output failed. */
int controller_rows_write(struct controller_rows *r, const struct relation *relation,
                          const struct interval *interval, const void *at, size_t n);

/* Each controller: reads and checks its policy; becomes a consumer of the pipeline; a domain of its policy did not appear. */
int simulated_ledger_prepare(struct simulated_ledger *l, struct error *err);
int simulated_ledger_join(struct simulated_ledger *l, struct pipeline *pipeline, struct error *err);
const struct subject *simulated_ledger_missing(const struct simulated_ledger *l);
void simulated_ledger_free(struct simulated_ledger *l);

int simulated_guard_prepare(struct simulated_guard *g, struct error *err);
int simulated_guard_join(struct simulated_guard *g, struct pipeline *pipeline, struct error *err);
const struct subject *simulated_guard_missing(const struct simulated_guard *g);
void simulated_guard_free(struct simulated_guard *g);

#endif
