#include "trace_run.h"

#include "domain_list.h"
#include "host/io_clock.h"
#include "parser/thread.h"

#include <stdlib.h>
#include <string.h>

/* Facts about the host, names from them, and what they say of times of day that are asked for. */
static int find_host(struct trace_run *r, struct archived *archived)
{
    struct error err = {0};
    const struct options *o = r->options;
    const char *file;
    if (host_time_read(&r->host, o, archived, &file, &err) != 0)
        return fail(file, &err);
    if (!o->names && command_option(o->command, "names") && !host_time_names(&r->host, &r->names)) {
        error_no_memory(&err, "domain names");
        return fail(NULL, &err);
    }
    if (host_time_check(&r->host, o, &err) != 0)
        return fail(o->input, &err);
    if (!clock_span_given(&o->span))
        return EXIT_DONE;
    r->with_span = *o;
    r->options = r->archived.options = &r->with_span;
    return host_time_span(&r->host, archived, &r->with_span, &err) == 0 ? EXIT_DONE : fail(o->input, &err);
}

int trace_run_find(struct trace_run *r, const struct options *o)
{
    struct error err = {0};
    bool archive;
    r->options = o;
    if (o->names && !(r->names = names_read(o->names, &err)))
        return fail(o->names, &err);
    if (input_is_archive(o->input, &archive, &err) != 0 ||
        (archive && archived_open(&r->archived, o, &err) != 0))
        return fail(o->input, &err);
    if (archive && !r->names && command_option(o->command, "names") &&
        archived_names(&r->archived, &r->names, &err) != 0)
        return fail(o->input, &err);
    if (find_host(r, archive ? &r->archived : NULL) != EXIT_DONE)
        return EXIT_ERROR;
    if (domain_list_names(o, r->names, &err) != 0)
        return fail(NULL, &err);
    if (archive || !o->host)
        return EXIT_DONE;
    complain("--host %s: %s is no archive: it has no hosts to choose from", o->host,
             strcmp(o->input, "-") == 0 ? "standard input" : o->input);
    return EXIT_ERROR;
}

int trace_run_add(struct trace_run *r, const struct consumer *consumer, struct error *err)
{
    if (!r->pipeline && !(r->pipeline = pipeline_new(r->options->max_memory)))
        return error_no_memory(err, "reading the trace");
    return pipeline_add(r->pipeline, consumer, err);
}

int trace_run_open(struct trace_run *r, bool stoppable, const struct trace_tap *tap, struct error *err)
{
    struct trace_options options = {
        .cpu_hz = r->options->cpu_hz, .memory_limit = r->options->max_memory, .tap = tap, .feed = r->feed};
    pipeline_wants(r->pipeline, &options);
    options.ahead = options_jobs(r->options) > 1;
    options.ends_early |= stoppable || r->stop;
    options.wait_mask = r->wait_mask;
    r->control.stop = options.stop = stoppable ? signals_stop_flag(&options.wait_mask) : r->stop;
    if (r->archived.archive && archived_begin_trace(&r->archived, &options, err) != 0)
        return -1;
    if (r->counters)
        counters_frequency(r->counters, &options.host_hz, &options.host_error_ppm);
    r->trace = trace_open(r->options->input, &options, err);
    return r->trace ? 0 : -1;
}

void trace_run_know_clock(struct trace_run *r)
{
    if (!r->host.clock && r->trace)
        r->host.clock = trace_clock(r->trace);
}

int trace_run_go(struct trace_run *r, enum when progress, struct error *err)
{
    r->control.progress = progress_show;
    r->control.progress_context = &r->progress;
    progress_begin(&r->progress, progress, r->options->quiet);
    int status = pipeline_run(r->pipeline, r->trace, &r->control, err);
    progress_end(&r->progress);
    return status;
}

void trace_run_describe(struct trace_run *r, struct summary *s)
{
    trace_summarise(r->trace, &s->trace);
    s->clock = *trace_clock(r->trace);
    pipeline_quality(r->pipeline, r->trace, &s->quality);
}

int trace_run_summarise(struct trace_run *r, struct summary *s, struct error *err)
{
    const struct pass *pass = pipeline_pass(r->pipeline);
    trace_run_describe(r, s);
    s->quality.vcpu_ns = meter_vcpu_ns(pipeline_meter(r->pipeline, 0));
    s->quality.unknown_ns = meter_unknown_ns(pipeline_meter(r->pipeline, 0));
    s->quality.doubtful_ns = meter_doubtful_ns(pipeline_meter(r->pipeline, 0));
    s->pcpus = calloc(pass->pcpus_n + 1u, sizeof *s->pcpus);
    if (!s->pcpus)
        return error_no_memory(err, "the list of pCPUs");
    for (; s->pcpus_n < pass->pcpus_n; s->pcpus_n++) {
        uint16_t pcpu = pass->pcpus[s->pcpus_n];
        s->pcpus[s->pcpus_n] =
            (struct summary_pcpu){pcpu, s->clock.cpu_hz > 0 ? model_blind_ns(pass->model, pcpu) : 0};
    }
    return 0;
}

bool trace_run_stopped(const struct trace_run *r)
{
    return r->control.stop && *r->control.stop;
}

void trace_run_end_pass(struct trace_run *r)
{
    pipeline_free(r->pipeline);
    trace_close(r->trace);
    r->host.clock = NULL;
    r->pipeline = NULL;
    r->trace = NULL;
}

void say_thread_times(uint64_t begun_ns)
{
    struct thread_time times[THREAD_NAMES];
    size_t n = thread_times(times);
    for (size_t i = 0; i < n; i++)
        complain("%u thread%s %s: %.3f s", times[i].threads, times[i].threads == 1 ? "" : "s", times[i].name,
                 (double)times[i].cpu_ns / 1e9);
    complain("the main thread: %.3f s; elapsed: %.3f s", (double)thread_cpu_ns() / 1e9,
             (double)(io_clock_ns() - begun_ns) / 1e9);
}

void trace_run_close(struct trace_run *r)
{
    trace_run_end_pass(r);
    archived_close(&r->archived);
    names_free(r->names);
    host_time_free(&r->host);
    if (r->options && r->options->timing && r->progress.begun_ns)
        say_thread_times(r->progress.begun_ns);
}
