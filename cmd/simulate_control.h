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

struct simulated_control;
struct simulated_controller;

/* What a controller is: simulate_debt.c and simulate_guard.c have one each. */
struct controller_kind {
    const struct relation *relation; /* of its rows */
    const char *option;              /* that names the file of its rows, without dashes */
    /* Reads the policy, and checks it against the scenario. -1 with `err` filled. */
    int (*prepare)(struct simulated_controller *c, struct error *err);
    /* Makes what decides, and adds what that wants to c->meter, which charges as the options say. False: no memory. */
    bool (*begin)(struct simulated_controller *c);
    size_t (*memory)(const void *controller); /* bytes held, as a consumer has it */
    /* A domain of the policy that did not appear, or NULL. */
    const struct subject *(*missing)(const struct simulated_controller *c);
    void (*release)(struct simulated_controller *c); /* also of one that was never prepared */
};

/* What all controllers have; each one's own struct begins with it. */
struct simulated_controller {
    const struct controller_kind *kind;
    const char *policy;    /* file */
    const char *file;      /* for its rows; NULL: none is wanted */
    struct output *output; /* to that file, the caller's; NULL: none */
    struct simulated_control *control;
    struct meter_options meter;
    /* its rows */
    uint64_t length_ns; /* of their intervals; set by `begin` */
    struct writer *writer;
    struct charge_schema charges;
    struct report_schema schema;
    struct column_choice choice;
};

/* The ledger of debts. */
struct simulated_ledger {
    struct simulated_controller controller;
    struct debt_policy rules;
    struct debt *debt;
};

/* ShareGuard. */
struct simulated_guard {
    struct simulated_controller controller;
    struct guard_policy rules;
    struct guard *guard;
};

extern const struct controller_kind simulated_ledger_kind, simulated_guard_kind;

#define CONTROLLERS 2

struct simulated_control {
    /* By the caller. */
    const struct options *options; /* of which only what every command has is used */
    const struct scenario *scenario;
    uint64_t delay_ns;                                     /* until what a row says is done */
    struct simulated_controller *controllers[CONTROLLERS]; /* n of them; kind, policy and file are set */
    size_t n;

    struct simulated_feed *host;
    struct error why;           /* why rows could not be used */
    struct judgement judgement; /* of the trace and the charges, after a run */
};

/* Reads the policies, and checks them against the scenario and the names of files for rows. -1 with `err` filled, which names the place. */
int simulated_control_prepare(struct simulated_control *all, struct error *err);

/*
 * Runs the host to its end: its trace is read as any other is, and what each row says is done in the host. -1 with `err` filled, or
 * untouched when an output failed. simulated_control_free in all cases.
 */
int simulated_control_run(struct simulated_control *all, struct simulated_feed *host, struct error *err);
void simulated_control_free(struct simulated_control *all);

/* ---- for the controllers ---- */

/* The name of a domain in the scenario (domain_name_of); NULL: it has none. */
const char *scenario_name_of(const void *scenario, int32_t domain, uint32_t life);

/* -1 with `err` filled: the scenario has no domain that the rule is about. */
int scenario_has(const struct scenario *s, const struct subject *who, struct error *err);

/* Writes rows of an interval if they are wanted. 0, or -1: the output failed. */
int controller_write(struct simulated_controller *c, const struct interval *interval, const void *rows,
                     size_t n);

#endif
