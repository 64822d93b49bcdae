/* xenmeter info: what is in this trace, and can it be trusted. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "info_host.h"
#include "metrics/verdict.h"
#include "pager.h"
#include "parser/decode/old_numbers.h"
#include "parser/decode/own_events.h"
#include "trace_run.h"

static int write_info(const struct options *o, struct info *info)
{
    struct error err = {0};
    struct output *out = output_open(o->output, &err);
    if (!out)
        return fail(o->output ? o->output : "standard output", &err);
    info->width = output_is_terminal(out) ? terminal_width(STDOUT_FILENO) : 0;
    pager_offer(out, o);
    int status = strcmp(o->format, "json") == 0 ? info_write_json(out, info) : info_write_table(out, info);
    if (status == 0 || !output_reader_gone(out))
        return commit(&out, o->output);
    output_abort(out);
    return EXIT_DONE;
}

/* Writes it with what is known of the host. */
static int write_with_host(const struct trace_run *run, struct info *info, const struct summary *s)
{
    struct known_host host = {.spans = NULL};
    struct error err;
    int status;
    if (known_host_make(&host, &run->host.facts, s, &err) == 0) {
        info->host = host.is_known ? &host.host : NULL;
        info->local = run->options->time_format == TIMES_LOCAL;
        status = write_info(run->options, info);
    } else {
        status = fail(NULL, &err);
    }
    info->host = NULL;
    known_host_free(&host);
    return status;
}

/* Judges and writes what is known of the trace. */
static int conclude(const struct trace_run *run, const struct own_events *own, struct summary *s)
{
    struct judgement judgement;
    struct buffer sources = {0};
    struct origin origin;
    struct quality *quality = &s->quality, named = s->quality;
    struct info info = {.summary = {.trace = s->trace,
                                    .clock = s->clock,
                                    .end_ns = clock_ns(&s->clock, s->trace.tsc_last),
                                    .quality = quality,
                                    .judgement = &judgement},
                        .domains = s->domains,
                        .domains_n = s->domains_n,
                        .pcpus = s->pcpus,
                        .pcpus_n = s->pcpus_n,
                        .name_of = run->names ? names_lookup : NULL,
                        .names = run->names,
                        .own = own,
                        .counted = &named,
                        .every_event = run->options->verbose};
    if (run->archived.archive) {
        archived_describe(&run->archived, &info.summary.trace);
        info.summary.origin = archived_origin(&run->archived, &sources, &origin) ? &origin : NULL;
    }
    for (size_t row = 0; !(s->clock.cpu_hz > 0) && row < quality_fields_n; row++)
        if (quality_fields[row].unit == QUALITY_NS) /* cycles are no ns */
            *quality_at(quality, row) = 0;
    own_events_forget(own, quality);
    verdict_judge(&judgement, quality, &s->clock, info.summary.end_ns, s->trace.pcpus,
                  s->trace.has_runstates);
    xen_versions_judge(&info.xen, quality);
    old_numbers_count(&named);
    int status = write_with_host(run, &info, s);
    buffer_free(&sources);
    return status == EXIT_DONE && run->options->strict && judgement.verdict != VERDICT_GOOD ? EXIT_FINDING
                                                                                            : status;
}

/* ---- from a trace: of its own, or one that an archive keeps ---- */

static int take_interval(void *context, const struct interval *interval, const struct row *rows, size_t n)
{
    (void)interval;
    return summary_take_domains(context, rows, n);
}

static int read_trace(struct trace_run *run, struct summary *s, struct error *err)
{
    const struct meter_options rows = {.bys = 1u << BY_DOMAIN,
                                       .granularities = 1,
                                       .no_slices = true,
                                       .sink = {s, take_interval, NULL, NULL, NULL}};
    const struct consumer consumer = {.rows = &rows, .clock = CLOCK_WELCOME, .to_the_end = true};
    if (trace_run_add(run, &consumer, err) != 0 || trace_run_open(run, false, NULL, err) != 0 ||
        trace_run_go(run, run->options->progress, err) != 0)
        return -1;
    return trace_run_summarise(run, s, err);
}

/* ---- or from the summaries that an archive keeps of its traces ---- */

static int read_known(struct trace_run *run, struct summary *s, struct error *err)
{
    struct archived *a = &run->archived;
    const struct options *o = run->options;
    bool other_clock = a->archive && o->cpu_hz > 0 && o->cpu_hz != a->captures[0].options.cpu_hz;
    bool kept = !a->archive || archived_trace_kept(a);
    a->from_results = a->archive && !other_clock && (a->captures_n == 1 || !kept);
    if (a->from_results) {
        *s = a->summary;
        return summary_add_lists(s, a->summaries, a->captures_n) == 0
                   ? 0
                   : error_no_memory(err, "the list of pCPUs");
    }
    if (kept)
        return read_trace(run, s, err);
    return error_set(err, ERROR_USAGE,
                     "this wants the trace, which was not kept; \"xenmeter archive list\" tells what was");
}

static int run(const struct options *o)
{
    struct error err = {0};
    struct trace_run run = {0};
    struct summary s = {0};
    struct own_events *own;
    int status = events_file_read(o, &own);
    if (status == EXIT_DONE)
        status = trace_run_find(&run, o);
    if (status == EXIT_DONE)
        status = read_known(&run, &s, &err) == 0 ? conclude(&run, own, &s) : fail(o->input, &err);
    trace_run_close(&run);
    own_events_free(own);
    free(s.domains);
    free(s.pcpus);
    return status;
}

static const char *const formats[] = {"table", "json", NULL};

static const struct option_spec options[] = {
    OPTION_FORMAT("table, json; default: by the ending of -o, else table"),
    OPTION_OUTPUT,
    OPTION_TIME_FORMAT,
    OPTION_NAMES("domain names"),
    OPTION_HOST_FACTS(HOST_FACTS_HELP),
    OPTION_EVENTS_FILE,
    OPTIONS_READING("every event, not only the classes"),
    OPTIONS_ALL,
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
