/* xenmeter info: what is in this trace, and can it be trusted. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "formats/info.h"
#include "metrics/verdict.h"
#include "trace_run.h"

/* The domains as the meter's whole-trace rows tell them. */
struct gathering {
    struct info_domain *domains;
    size_t n;
};

static int take_interval(void *context, const struct interval *interval, const struct row *rows, size_t n)
{
    struct gathering *g = context;
    (void)interval;
    g->domains = calloc(n + 1, sizeof *g->domains);
    for (size_t i = 0; g->domains && i < n; i++)
        g->domains[g->n++] = (struct info_domain){.domain = rows[i].domain,
                                                  .life = rows[i].life,
                                                  .vcpus = rows[i].vcpus,
                                                  .running_ns = rows[i].measures->state_ns[RUNSTATE_RUNNING]};
    return g->domains ? 0 : -1;
}

/* The pCPUs, and how long each was blind. NULL: no memory. */
static struct info_pcpu *pcpus_of(const struct pass *pass)
{
    struct info_pcpu *pcpus = calloc(pass->pcpus_n + 1u, sizeof *pcpus);
    bool timed = pass->clock->cpu_hz > 0;
    for (unsigned i = 0; pcpus && i < pass->pcpus_n; i++)
        pcpus[i] =
            (struct info_pcpu){pass->pcpus[i], timed ? model_blind_ns(pass->model, pass->pcpus[i]) : 0};
    return pcpus;
}

static int write_info(const struct options *o, const struct info *info, struct error *err)
{
    struct output *out = output_open(o->output, err);
    if (!out)
        return -1;
    int status = strcmp(o->format, "json") == 0 ? info_write_json(out, info) : info_write_table(out, info);
    if (status != 0 && output_reader_gone(out)) {
        output_abort(out);
        return 0;
    }
    return output_commit(out, err);
}

/* Judges and writes what was read; the summary has the trace, the clock and its end. */
static int conclude(const struct options *o, struct quality *quality, struct info *info, struct error *err)
{
    struct report_summary *s = &info->summary;
    struct judgement judgement;
    if (!(s->clock.cpu_hz > 0)) /* cycles are no ns */
        quality->blind_ns = quality->blind_late_ns = quality->unknown_ns = quality->skew_max_ns = 0;
    s->quality = quality;
    s->judgement = &judgement;
    verdict_judge(&judgement, quality, &s->clock, s->end_ns, s->trace.pcpus, s->trace.has_runstates);
    xen_versions_judge(&info->xen, quality);
    return write_info(o, info, err);
}

/* What the pass found; `domains` and `pcpus` are the caller's. */
static void describe(const struct trace_run *run, struct info *info, struct quality *quality)
{
    pipeline_quality(run->pipeline, run->trace, quality);
    quality->unknown_ns = meter_unknown_ns(pipeline_meter(run->pipeline, 0));
    info->pcpus_n = pipeline_pass(run->pipeline)->pcpus_n;
    trace_summarise(run->trace, &info->summary.trace);
    info->summary.clock = *trace_clock(run->trace);
    info->summary.end_ns = clock_ns(&info->summary.clock, info->summary.trace.tsc_last);
    if (run->archived.archive)
        archived_describe(&run->archived, run->options, &info->summary.trace);
}

/* From a trace: of its own, or one that an archive keeps. */
static int run_trace(struct trace_run *run, struct info *info)
{
    struct error err = {0};
    struct gathering gathering = {0};
    struct info_pcpu *pcpus = NULL;
    struct quality quality;
    const struct options *o = run->options;
    const struct meter_options rows = {.bys = 1u << BY_DOMAIN,
                                       .no_slices = true,
                                       .granularities = 1,
                                       .sink = {&gathering, take_interval, NULL, NULL, NULL}};
    const struct consumer consumer = {.rows = &rows, .clock = CLOCK_WELCOME, .to_the_end = true};
    int status = trace_run_add(run, &consumer, &err);
    if (status == 0)
        status = trace_run_open(run, false, NULL, &err);
    if (status == 0)
        status = trace_run_go(run, o->progress, &err);
    if (status == 0 && !(pcpus = pcpus_of(pipeline_pass(run->pipeline))))
        status = error_no_memory(&err, "the list of pCPUs");
    if (status != 0) {
        status = fail(o->input, &err);
    } else {
        info->domains = gathering.domains;
        info->domains_n = gathering.n;
        info->pcpus = pcpus;
        describe(run, info, &quality);
        if (conclude(o, &quality, info, &err) != 0)
            status = fail(o->output ? o->output : "standard output", &err);
    }
    free(gathering.domains);
    free(pcpus);
    return status;
}

/* The domains and pCPUs of summaries, added up. */
struct summed {
    struct info_domain *domains;
    size_t domains_n;
    struct info_pcpu *pcpus;
    size_t pcpus_n;
};

static void add_domain(struct summed *to, const struct summary_domain *d)
{
    size_t i = 0;
    while (i < to->domains_n && (to->domains[i].domain != d->domain || to->domains[i].life != d->life))
        i++;
    if (i == to->domains_n)
        to->domains[to->domains_n++] = (struct info_domain){.domain = d->domain, .life = d->life};
    to->domains[i].vcpus = d->vcpus > to->domains[i].vcpus ? d->vcpus : to->domains[i].vcpus;
    to->domains[i].running_ns += (int64_t)d->running_ns;
}

static void add_pcpu(struct summed *to, const struct summary_pcpu *p)
{
    size_t i = 0;
    while (i < to->pcpus_n && to->pcpus[i].pcpu != p->pcpu)
        i++;
    if (i == to->pcpus_n)
        to->pcpus[to->pcpus_n++] = (struct info_pcpu){.pcpu = p->pcpu};
    to->pcpus[i].blind_ns += p->blind_ns;
}

static int compare_domains(const void *a, const void *b)
{
    const struct info_domain *x = a, *y = b;
    if (x->domain != y->domain)
        return x->domain < y->domain ? -1 : 1;
    return (x->life > y->life) - (x->life < y->life);
}

static int compare_pcpus(const void *a, const void *b)
{
    const struct info_pcpu *x = a, *y = b;
    return (x->pcpu > y->pcpu) - (x->pcpu < y->pcpu);
}

static bool sum_up(const struct archived *archived, struct summed *to)
{
    size_t domains = 0, pcpus = 0;
    for (size_t i = 0; i < archived->captures_n; i++) {
        domains += archived->summaries[i].domains_n;
        pcpus += archived->summaries[i].pcpus_n;
    }
    to->domains = calloc(domains + 1, sizeof *to->domains);
    to->pcpus = calloc(pcpus + 1, sizeof *to->pcpus);
    if (!to->domains || !to->pcpus)
        return false;
    for (size_t i = 0; i < archived->captures_n; i++) {
        const struct summary *s = &archived->summaries[i];
        for (size_t d = 0; d < s->domains_n; d++)
            add_domain(to, &s->domains[d]);
        for (size_t p = 0; p < s->pcpus_n; p++)
            add_pcpu(to, &s->pcpus[p]);
    }
    qsort(to->domains, to->domains_n, sizeof *to->domains, compare_domains);
    qsort(to->pcpus, to->pcpus_n, sizeof *to->pcpus, compare_pcpus);
    return true;
}

/* From the summaries that an archive keeps of its traces. */
static int run_summary(const struct options *o, struct archived *archived, struct info *info)
{
    struct error err = {0};
    const struct summary *s = &archived->summary;
    struct quality quality = s->quality;
    struct summed summed = {0};
    int status = EXIT_DONE;
    archived->from_results = true;
    if (!sum_up(archived, &summed)) {
        error_no_memory(&err, "the list of pCPUs");
        status = fail(o->input, &err);
    } else {
        info->domains = summed.domains;
        info->domains_n = summed.domains_n;
        info->pcpus = summed.pcpus;
        info->pcpus_n = summed.pcpus_n;
        info->summary.trace = s->trace;
        info->summary.clock = s->clock;
        info->summary.end_ns = clock_ns(&s->clock, s->trace.tsc_last);
        archived_describe(archived, o, &info->summary.trace);
        if (conclude(o, &quality, info, &err) != 0)
            status = fail(o->output ? o->output : "standard output", &err);
    }
    free(summed.domains);
    free(summed.pcpus);
    return status;
}

static int run_archive(struct trace_run *run, struct info *info)
{
    struct archived *archived = &run->archived;
    const struct options *o = run->options;
    bool other_clock = o->cpu_hz > 0 && o->cpu_hz != archived->captures[0].options.cpu_hz;
    bool kept = true;
    for (size_t i = 0; i < archived->captures_n; i++)
        kept = kept && archived->captures[i].trace_stored;
    if (!other_clock && (archived->captures_n == 1 || !kept))
        return run_summary(o, archived, info);
    if (!kept) {
        complain("%s: this wants the trace, which was not kept; \"xenmeter archive list\" tells what was",
                 o->input);
        return EXIT_ERROR;
    }
    return run_trace(run, info);
}

static int run(const struct options *o)
{
    struct error err = {0};
    struct trace_run run = {0};
    struct domain_names *names = NULL;
    if (o->names && !(names = names_read(o->names, &err)))
        return fail(o->names, &err);
    int status = trace_run_find(&run, o);
    bool archive = run.archived.archive != NULL;
    if (status == EXIT_DONE && archive && !names && archived_names(&run.archived, &names, &err) != 0)
        status = fail(o->input, &err);
    struct info info = {.name_of = names ? names_lookup : NULL, .names = names, .every_event = o->verbose};
    if (status == EXIT_DONE)
        status = archive ? run_archive(&run, &info) : run_trace(&run, &info);
    trace_run_close(&run);
    names_free(names);
    return status;
}

static const char *const formats[] = {"table", "json", NULL};

static const struct option_spec options[] = {
    OPTION_FORMAT("table, json; default: by the ending of -o, else table"),
    OPTION_OUTPUT,
    OPTION_NAMES("domain names"),
    OPTIONS_READING("every event, not only the classes"),
    OPTIONS_END,
};

static const struct command command = {
    .order = 20,
    .name = "info",
    .summary = "what is in a trace, and whether it can be trusted",
    .usage = "[OPTIONS] [FILE]",
    .text = TRACE_TEXT "\nShows its duration, pCPUs, domains and vCPUs, the frequency of the tsc and how "
                       "sure that is, the event "
                       "classes with records, rate and bytes, which Xen wrote it, lost records and damage.",
    .examples = "xenmeter info capture.xt.zst",
    .options = options,
    .operands = OPERANDS_TRACE,
    .formats = formats,
    .run = run,
};
COMMAND(command);
