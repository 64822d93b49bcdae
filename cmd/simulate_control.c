#include "simulate_control.h"

#include <stdlib.h>
#include <string.h>

#include "policy.h"

/* ---- the scenario ---- */

const char *scenario_name_of(const void *scenario, int32_t domain, uint32_t life)
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

int scenario_has(const struct scenario *s, const struct subject *who, struct error *err)
{
    for (size_t i = 0; i < s->domain_count; i++) {
        const struct scenario_domain *d = &s->domains[i];
        if (who->name ? strcmp(who->name, d->name) == 0 : who->domain == d->id)
            return 0;
    }
    return error_set(err, ERROR_USAGE,
                     "%s: the scenario has no such domain: give the id or the name of one that it has",
                     who->where);
}

/* ---- rows ---- */

static int check_file(const char *option, const char *file, struct error *err)
{
    const char *format = file ? writer_format_of(file) : NULL;
    if (!format || (!writer_makes_files(format) && strcmp(format, "archive") != 0))
        return 0;
    return error_set(err, ERROR_USAGE, "--%s %s: wants a name that ends in .csv, .json, .jsonl, or .txt",
                     option, file);
}

int controller_rows_open(struct controller_rows *r, const struct simulated_control *c,
                         const struct relation *relation, const uint64_t *length_ns,
                         const struct meter_options *meter, struct error *err)
{
    if (!r->output)
        return 0;
    r->charges.options = &meter->charge;
    r->schema = (struct report_schema){.name = relation->name,
                                       .choice = &r->choice,
                                       .granularities_ns = length_ns,
                                       .granularities = 1,
                                       .name_of = scenario_name_of,
                                       .names = c->scenario,
                                       .charge = &r->charges};
    const char *format = writer_format_of(r->file);
    if (choice_make(&r->choice, &relation, 1, NULL, NULL, false, err) != 0)
        return -1;
    r->writer = writer_new(format ? format : "table", r->output, &r->schema, err);
    return r->writer ? 0 : -1;
}

int controller_rows_write(struct controller_rows *r, const struct relation *relation,
                          const struct interval *interval, const void *at, size_t n)
{
    const struct rows all = {.relation = relation, .interval = interval, .at = at, .n = n};
    return r->writer ? writer_rows(r->writer, &all) : 0;
}

static void free_rows(struct controller_rows *r)
{
    writer_free(r->writer);
    r->writer = NULL;
    choice_free(&r->choice);
}

/* ---- the run ---- */

int simulated_control_prepare(struct simulated_control *c, struct error *err)
{
    c->ledger.control = c->guard.control = c;
    if (check_file("ledger", c->ledger.rows.file, err) != 0 ||
        check_file("decisions", c->guard.rows.file, err) != 0)
        return -1;
    if (c->ledger.policy && simulated_ledger_prepare(&c->ledger, err) != 0)
        return -1;
    return c->guard.policy ? simulated_guard_prepare(&c->guard, err) : 0;
}

/* One run: all of it lives as long as the run. */
struct control_pass {
    struct pipeline *pipeline;
    struct trace *trace;
};

static int open_controllers(struct simulated_control *c, struct control_pass *p, struct error *err)
{
    if (!(p->pipeline = pipeline_new(c->options->max_memory)))
        return error_no_memory(err, "what reads the trace");
    if (c->ledger.policy && simulated_ledger_join(&c->ledger, p->pipeline, err) != 0)
        return -1;
    return c->guard.policy ? simulated_guard_join(&c->guard, p->pipeline, err) : 0;
}

/* A trace that cannot be read is the scenario's doing: what is wrong with it in the scenario's terms. */
static int explain(const struct simulated_control *c, const struct control_pass *p, struct error *err)
{
    if (c->host->done == 0 && err->code == ERROR_FORMAT)
        return error_set(err, ERROR_USAGE,
                         "the host records nothing: trace.events must have what a controller reads");
    if (p->trace && trace_clock(p->trace)->cpu_hz == 0 && err->code == ERROR_USAGE)
        return error_set(
            err, ERROR_USAGE,
            "a controller cannot tell the time from this trace: simulate longer, with the scheduler's "
            "records in trace.events");
    return -1;
}

static int check_missing(const struct simulated_control *c, struct error *err)
{
    const struct subject *missing = c->ledger.policy ? simulated_ledger_missing(&c->ledger) : NULL;
    const char *policy = c->ledger.policy;
    if (!missing && c->guard.policy) {
        missing = simulated_guard_missing(&c->guard);
        policy = c->guard.policy;
    }
    return missing ? error_set(err, ERROR_USAGE,
                               "%s: %s: this domain does not appear in the trace: trace.events must have the "
                               "scheduler's records",
                               policy_name(policy), missing->where)
                   : 0;
}

static int read_host(struct simulated_control *c, struct control_pass *p, struct error *err)
{
    const struct feed feed = simulated_feed_of(c->host);
    const struct pipeline_control control = {0};
    struct trace_options options = {.memory_limit = c->options->max_memory, .feed = &feed};
    pipeline_wants(p->pipeline, &options);
    p->trace = trace_open(c->options->inputs[0], &options, err);
    if (!p->trace || pipeline_run(p->pipeline, p->trace, &control, err) != 0)
        return explain(c, p, err);
    return check_missing(c, err);
}

/* The trace is over: what a report says of it at its end. `at`: the number of the controller in the pipeline. */
static void end_controller(struct simulated_control *c, const struct control_pass *p, size_t at,
                           struct controller_rows *rows, const struct meter_options *options)
{
    struct report_summary s = {.clock = *trace_clock(p->trace)};
    const struct meter *meter = pipeline_meter(p->pipeline, at);
    struct charge_summary charges = {0};
    struct quality quality;
    trace_summarise(p->trace, &s.trace);
    pipeline_quality(p->pipeline, p->trace, &quality);
    quality.vcpu_ns = meter_vcpu_ns(meter);
    quality.unknown_ns = meter_unknown_ns(meter);
    quality.doubtful_ns = meter_doubtful_ns(meter);
    meter_charge_summary(meter, &charges);
    uint64_t all_ns = clock_ns(&s.clock, s.trace.tsc_last);
    verdict_judge(&c->judgement, &quality, &s.clock, all_ns, s.trace.pcpus, s.trace.has_runstates);
    verdict_judge_charges(&c->judgement, &charges, &options->charge, all_ns);
    s.end_ns = meter_accounted(meter);
    s.quality = &quality;
    s.judgement = &c->judgement;
    s.charges = &charges;
    if (rows->writer)
        writer_end(rows->writer, &s); /* a failure is the output's, and commit says it */
    rows->writer = NULL;
}

static void end_controllers(struct simulated_control *c, const struct control_pass *p)
{
    if (c->ledger.policy)
        end_controller(c, p, 0, &c->ledger.rows, &c->ledger.meter);
    if (c->guard.policy)
        end_controller(c, p, c->ledger.policy != NULL, &c->guard.rows, &c->guard.meter);
}

int simulated_control_run(struct simulated_control *c, struct simulated_feed *host, struct error *err)
{
    struct control_pass p = {0};
    c->host = host;
    int status = open_controllers(c, &p, err);
    if (status == 0)
        status = read_host(c, &p, err);
    if (status != 0 && c->why.code != ERROR_NONE)
        *err = c->why;
    if (status == 0)
        end_controllers(c, &p);
    free_rows(&c->ledger.rows);
    free_rows(&c->guard.rows);
    pipeline_free(p.pipeline);
    trace_close(p.trace);
    return status;
}

void simulated_control_free(struct simulated_control *c)
{
    simulated_ledger_free(&c->ledger);
    simulated_guard_free(&c->guard);
}
