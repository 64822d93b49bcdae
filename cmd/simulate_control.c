#include "simulate_control.h"

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

/* ---- one controller ---- */

static int prepare(struct simulated_controller *c, struct error *err)
{
    struct error why = {0};
    if (c->kind->prepare(c, &why) == 0)
        return 0;
    return error_set(err, why.code, "%s: %s", policy_name(c->policy), why.message);
}

static int check_file(const struct simulated_controller *c, struct error *err)
{
    const char *format = c->file ? writer_format_of(c->file) : NULL;
    if (!format || (!writer_makes_files(format) && strcmp(format, "archive") != 0))
        return 0;
    return error_set(err, ERROR_USAGE, "--%s %s: wants a name that ends in .csv, .json, .jsonl, or .txt",
                     c->kind->option, c->file);
}

static int open_rows(struct simulated_controller *c, struct error *err)
{
    if (!c->output)
        return 0;
    c->charges.options = &c->meter.charge;
    c->schema = (struct report_schema){.name = c->kind->relation->name,
                                       .choice = &c->choice,
                                       .granularities_ns = &c->length_ns,
                                       .granularities = 1,
                                       .name_of = scenario_name_of,
                                       .names = c->control->scenario,
                                       .charge = &c->charges};
    const char *format = writer_format_of(c->file);
    if (choice_make(&c->choice, &c->kind->relation, 1, NULL, NULL, false, err) != 0)
        return -1;
    c->writer = writer_new(format ? format : "table", c->output, &c->schema, err);
    return c->writer ? 0 : -1;
}

/* The controller becomes a consumer of the pipeline. */
static int join(struct simulated_controller *c, struct pipeline *pipeline, struct error *err)
{
    const struct consumer consumer = {.context = c, .memory = c->kind->memory, .rows = &c->meter};
    if (charge_options_of(c->control->options, NULL, &c->meter.charge, err) != 0)
        return -1;
    if (!c->kind->begin(c))
        return error_no_memory(err, "a controller");
    return pipeline_add(pipeline, &consumer, err) == 0 ? open_rows(c, err) : -1;
}

int controller_write(struct simulated_controller *c, const struct interval *interval, const void *rows,
                     size_t n)
{
    const struct rows all = {.relation = c->kind->relation, .interval = interval, .at = rows, .n = n};
    return c->writer ? writer_rows(c->writer, &all) : 0;
}

/* ---- all of them ---- */

int simulated_control_prepare(struct simulated_control *all, struct error *err)
{
    for (size_t i = 0; i < all->n; i++) {
        all->controllers[i]->control = all;
        if (check_file(all->controllers[i], err) != 0)
            return -1;
    }
    for (size_t i = 0; i < all->n; i++)
        if (prepare(all->controllers[i], err) != 0)
            return -1;
    return 0;
}

/* One run: all of it lives as long as the run. */
struct control_pass {
    struct pipeline *pipeline;
    struct trace *trace;
};

static int open_controllers(struct simulated_control *all, struct control_pass *p, struct error *err)
{
    if (!(p->pipeline = pipeline_new(all->options->max_memory)))
        return error_no_memory(err, "what reads the trace");
    for (size_t i = 0; i < all->n; i++)
        if (join(all->controllers[i], p->pipeline, err) != 0)
            return -1;
    return 0;
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

static int check_missing(const struct simulated_control *all, struct error *err)
{
    for (size_t i = 0; i < all->n; i++) {
        const struct simulated_controller *c = all->controllers[i];
        const struct subject *missing = c->kind->missing(c);
        if (missing)
            return error_set(err, ERROR_USAGE,
                             "%s: %s: this domain does not appear in the trace: trace.events must have the "
                             "scheduler's records",
                             policy_name(c->policy), missing->where);
    }
    return 0;
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
static void end_controller(struct simulated_controller *c, const struct control_pass *p, size_t at)
{
    struct judgement *judgement = &c->control->judgement;
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
    verdict_judge(judgement, &quality, &s.clock, all_ns, s.trace.pcpus, s.trace.has_runstates);
    verdict_judge_charges(judgement, &charges, &c->meter.charge, all_ns);
    s.end_ns = meter_accounted(meter);
    s.quality = &quality;
    s.judgement = judgement;
    s.charges = &charges;
    if (c->writer)
        writer_end(c->writer, &s); /* a failure is the output's, and commit says it */
    c->writer = NULL;
}

int simulated_control_run(struct simulated_control *all, struct simulated_feed *host, struct error *err)
{
    struct control_pass p = {0};
    all->host = host;
    int status = open_controllers(all, &p, err);
    if (status == 0)
        status = read_host(all, &p, err);
    if (status != 0 && all->why.code != ERROR_NONE)
        *err = all->why;
    for (size_t i = 0; i < all->n; i++) {
        if (status == 0)
            end_controller(all->controllers[i], &p, i);
        writer_free(all->controllers[i]->writer);
        choice_free(&all->controllers[i]->choice);
    }
    pipeline_free(p.pipeline);
    trace_close(p.trace);
    return status;
}

void simulated_control_free(struct simulated_control *all)
{
    for (size_t i = 0; i < all->n; i++)
        all->controllers[i]->kind->release(all->controllers[i]);
}
