#include "simulate_debt.h"

#include <stdlib.h>
#include <string.h>

#include "formats/writer.h"
#include "metrics/control/debt.h"
#include "metrics/pipeline.h"
#include "metrics/relation/debts.h"
#include "policy.h"

static const struct relation *const relations[] = {&relation_debts};

/* ---- the policy and the scenario ---- */

static const char *name_in_scenario(const void *scenario, int32_t domain, uint32_t life)
{
    const struct scenario *s = scenario;
    const char *name = NULL;
    for (size_t i = 0; i < s->domain_count && life > 0; i++)
        if (s->domains[i].id == (uint64_t)domain) {
            name = *s->domains[i].name ? s->domains[i].name : NULL;
            life--;
        }
    return name;
}

static bool is_for(const struct debt_reserve *r, const struct scenario_domain *d)
{
    return r->who.name ? strcmp(r->who.name, d->name) == 0 : r->who.domain == d->id;
}

/* Each rule is about a domain of the scenario. */
static int check_domains(const struct simulated_ledger *l, struct error *err)
{
    for (size_t i = 0; i < l->rules.n; i++) {
        const struct debt_reserve *r = &l->rules.reserves[i];
        bool found = false;
        for (size_t k = 0; k < l->scenario->domain_count && !found; k++)
            found = is_for(r, &l->scenario->domains[k]);
        if (!found)
            return error_set(
                err, ERROR_USAGE,
                "%s: the scenario has no such domain: give the id or the name of one that it has",
                r->who.where);
    }
    return 0;
}

/* What is reserved, by name or by the rule for others, fits the host. */
static int check_sum(struct simulated_ledger *l, struct error *err)
{
    struct debt_policy *p = &l->rules;
    uint64_t reserved_ns = debt_policy_reserved_ns(p);
    size_t n = p->n;
    p->host_pcpus = (unsigned)l->scenario->pcpus;
    for (size_t i = 0; p->for_others && i < l->scenario->domain_count; i++) {
        const struct scenario_domain *d = &l->scenario->domains[i];
        if (d->id == 0 || d->driver ||
            debt_policy_find(p, (uint16_t)d->id, name_in_scenario(l->scenario, (int32_t)d->id, 1)))
            continue;
        reserved_ns += cpu_share_ns(p->others.reservation, p->feedback_ns);
        n++;
    }
    return debt_policy_check_sum(p, reserved_ns, n, p->host_pcpus, err);
}

static int check_file(const struct simulated_ledger *l, struct error *err)
{
    const char *format = l->file ? writer_format_of(l->file) : NULL;
    if (!format || (!writer_makes_files(format) && strcmp(format, "archive") != 0))
        return 0;
    return error_set(err, ERROR_USAGE, "--ledger %s: wants a name that ends in .csv, .json, .jsonl, or .txt",
                     l->file);
}

int simulated_ledger_prepare(struct simulated_ledger *l, struct error *err)
{
    const struct policy_settings nothing_given = {0};
    struct error why = {0};
    if (check_file(l, err) != 0)
        return -1;
    int status = policy_read_file(&l->rules, l->policy, &nothing_given, &why);
    if (status == 0)
        status = check_domains(l, &why);
    if (status == 0)
        status = debt_policy_resolve(&l->rules, name_in_scenario, l->scenario, &why);
    if (status == 0)
        status = check_sum(l, &why);
    if (status != 0)
        error_set(err, why.code, "%s: %s", policy_name(l->policy), why.message);
    return status;
}

/* ---- what the ledger says ---- */

static int act(struct simulated_ledger *l, const struct debt_row *row)
{
    return row->settled ? simulation_allow(l->host->simulation, (uint16_t)row->domain, row->allowance_ns,
                                           l->rules.feedback_ns, l->delay_ns, &l->why)
                        : 0;
}

static int take_rows(void *context, const struct interval *interval, const struct debt_row *rows, size_t n)
{
    struct simulated_ledger *l = context;
    const struct rows all = {.relation = &relation_debts, .interval = interval, .at = rows, .n = n};
    for (size_t i = 0; i < n; i++)
        if (act(l, &rows[i]) != 0)
            return -1;
    return l->writer ? writer_rows(l->writer, &all) : 0;
}

static size_t memory(const void *context)
{
    return debt_memory(context);
}

/* ---- the run ---- */

/* One run: all of it lives as long as the run. */
struct ledger_pass {
    struct meter_options meter;
    struct charge_schema charges;
    struct report_schema schema;
    struct column_choice choice;
    struct pipeline *pipeline;
    struct trace *trace;
};

static int open_ledger(struct simulated_ledger *l, struct ledger_pass *p, struct error *err)
{
    const struct debt_options debt = {.policy = &l->rules,
                                      .name_of = name_in_scenario,
                                      .names = l->scenario,
                                      .context = l,
                                      .rows = take_rows};
    l->debt = debt_new(&debt);
    p->pipeline = pipeline_new(l->options->max_memory);
    if (!l->debt || !p->pipeline)
        return error_no_memory(err, "the ledger");
    if (charge_options_of(l->options, NULL, &p->meter.charge, err) != 0)
        return -1;
    debt_wants(l->debt, &p->meter);
    const struct consumer consumer = {.context = l->debt, .memory = memory, .rows = &p->meter};
    return pipeline_add(p->pipeline, &consumer, err);
}

static int open_writer(struct simulated_ledger *l, struct ledger_pass *p, struct error *err)
{
    if (!l->output)
        return 0;
    p->charges.options = &p->meter.charge;
    p->schema = (struct report_schema){.name = "debt",
                                       .choice = &p->choice,
                                       .granularities_ns = &l->rules.feedback_ns,
                                       .granularities = 1,
                                       .name_of = name_in_scenario,
                                       .names = l->scenario,
                                       .charge = &p->charges};
    const char *format = writer_format_of(l->file);
    if (choice_make(&p->choice, relations, 1, NULL, NULL, false, err) != 0)
        return -1;
    l->writer = writer_new(format ? format : "table", l->output, &p->schema, err);
    return l->writer ? 0 : -1;
}

/* A trace that cannot be read is the scenario's doing: what is wrong with it in the scenario's terms. */
static int explain(const struct simulated_ledger *l, const struct ledger_pass *p, struct error *err)
{
    if (l->host->done == 0 && err->code == ERROR_FORMAT)
        return error_set(err, ERROR_USAGE,
                         "the host records nothing: trace.events must have what the ledger reads");
    if (p->trace && trace_clock(p->trace)->cpu_hz == 0 && err->code == ERROR_USAGE)
        return error_set(
            err, ERROR_USAGE,
            "the ledger cannot tell the time from this trace: simulate longer, with the scheduler's "
            "records in trace.events");
    return -1;
}

static int read_host(struct simulated_ledger *l, struct ledger_pass *p, struct error *err)
{
    const struct feed feed = simulated_feed_of(l->host);
    const struct pipeline_control control = {0};
    struct trace_options options = {.memory_limit = l->options->max_memory, .feed = &feed};
    pipeline_wants(p->pipeline, &options);
    p->trace = trace_open(l->options->inputs[0], &options, err);
    if (!p->trace || pipeline_run(p->pipeline, p->trace, &control, err) != 0)
        return explain(l, p, err);
    const struct debt_reserve *missing = debt_missing(l->debt);
    return missing ? error_set(err, ERROR_USAGE,
                               "%s: %s: this domain does not appear in the trace: trace.events must have the "
                               "scheduler's records",
                               policy_name(l->policy), missing->who.where)
                   : 0;
}

/* The trace is over: what a report says of it at its end. */
static void end_ledger(struct simulated_ledger *l, const struct ledger_pass *p)
{
    struct report_summary s = {.clock = *trace_clock(p->trace)};
    const struct meter *meter = pipeline_meter(p->pipeline, 0);
    struct charge_summary charges = {0};
    struct judgement *judgement = &l->judgement;
    struct quality quality;
    trace_summarise(p->trace, &s.trace);
    pipeline_quality(p->pipeline, p->trace, &quality);
    quality.vcpu_ns = meter_vcpu_ns(meter);
    quality.unknown_ns = meter_unknown_ns(meter);
    quality.doubtful_ns = meter_doubtful_ns(meter);
    meter_charge_summary(meter, &charges);
    uint64_t all_ns = clock_ns(&s.clock, s.trace.tsc_last);
    verdict_judge(judgement, &quality, &s.clock, all_ns, s.trace.pcpus, s.trace.has_runstates);
    verdict_judge_charges(judgement, &charges, &p->meter.charge, all_ns);
    s.end_ns = meter_accounted(meter);
    s.quality = &quality;
    s.judgement = judgement;
    s.charges = &charges;
    if (l->writer)
        writer_end(l->writer, &s); /* a failure is the output's, and commit says it */
    l->writer = NULL;
}

int simulated_ledger_run(struct simulated_ledger *l, struct simulated_feed *host, struct error *err)
{
    struct ledger_pass p = {0};
    l->host = host;
    int status = open_ledger(l, &p, err);
    if (status == 0)
        status = open_writer(l, &p, err);
    if (status == 0)
        status = read_host(l, &p, err);
    if (status != 0 && l->why.code != ERROR_NONE)
        *err = l->why;
    if (status == 0)
        end_ledger(l, &p);
    writer_free(l->writer);
    l->writer = NULL;
    pipeline_free(p.pipeline);
    trace_close(p.trace);
    choice_free(&p.choice);
    return status;
}

void simulated_ledger_free(struct simulated_ledger *l)
{
    debt_free(l->debt);
    debt_policy_free(&l->rules);
}
