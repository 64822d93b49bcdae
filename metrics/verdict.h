/* Can the result be trusted? One word and the reasons, from the quality record. */
#ifndef XENMETER_METRICS_VERDICT_H
#define XENMETER_METRICS_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "human.h"
#include "metrics/measure/charge.h"
#include "metrics/measure/weight_fit.h"
#include "parser/order/clock.h"
#include "parser/quality.h"

enum verdict { VERDICT_GOOD, VERDICT_DEGRADED, VERDICT_POOR };

#define VERDICT_REASONS 16

struct judgement {
    enum verdict verdict;
    unsigned reasons;
    unsigned poor_reasons; /* of them; they come first */
    /* The worst first, each a part of a sentence: "12 % of the pCPU time is blind: 1,234 records were lost"
     */
    char why[VERDICT_REASONS][160];
};

/* "good" "degraded" "poor" */
const char *verdict_name(enum verdict verdict);

/*
 * Judges a result over `duration_ns` of a trace with `pcpus` pCPUs. `has_runstates`: the states come from
 * runstate changes, not from switches. Never fails.
 */
void verdict_judge(struct judgement *j, const struct quality *q, const struct clock *clock,
                   uint64_t duration_ns, unsigned pcpus, bool has_runstates);

/*
 * Adds what is wrong with charges: driver domains' own work is not separated, or given, much of their time is unattributed, kinds of
 * events have no say by the options `o`, or what was given beside the trace does not cover all of its
 * `duration_ns`.
 */
void verdict_judge_charges(struct judgement *j, const struct charge_summary *s,
                           const struct charge_options *o, uint64_t duration_ns);

/* Adds what is wrong with fitted weights: costs that are not sure, or that do not explain the time. */
void verdict_judge_fit(struct judgement *j, const struct fitted_weights *fit);

/* The verdict on the records alone, for a dump: lost, damaged and unknown ones, and time stamps. */
void verdict_judge_records(struct judgement *j, const struct quality *q);

#endif
