#include "reading_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "domain_list.h"
#include "metrics/min_max.h"
#include "metrics/verdict.h"
#include "nothing.h"
#include "pager.h"

/* ---- setting up ---- */

int reading_choose(struct reading *r, const struct relation *const *relations, size_t n, const char *sort,
                   struct error *err)
{
    unsigned bys = r->schema.bys;
    const struct archived *a = &r->run.archived;
    r->schema.choice = &r->choice;
    r->schema.host = a->timelines > 1 ? a->all[0].host : NULL;
    if (choice_make(&r->choice, relations, n, r->options->columns, sort,
                    (bys & (bys - 1) ? COLUMN_SEVERAL : 0) | (r->schema.host ? COLUMN_TIMELINES : 0) |
                        (r->schema.moments ? COLUMN_TIMES : 0),
                    err) != 0)
        return -1;
    if (!sort && strcmp(r->options->format, "table") == 0)
        choice_sort_for_table(&r->choice);
    return 0;
}

int reading_complete_meter(struct reading *r, struct error *err)
{
    const struct options *o = r->options;
    struct meter_options *meter = &r->meter;
    if (meter->granularities == 0) {
        meter->granularities = o->granularities;
        memcpy(meter->granularities_ns, o->granularities_ns, sizeof meter->granularities_ns);
    }
    meter->executions = o->executions;
    meter->from_ns = o->from_ns;
    meter->to_ns = o->to_ns;
    int status = r->run.archived.archive
                     ? archived_charge_options(&r->run.archived, &meter->charge, &r->counters, err)
                     : charge_options_of(o, r->counters, &meter->charge, err);
    meter->charge.dom0_trace = r->dom0_trace;
    if (status == 0)
        status = charge_idle_check(&meter->charge, r->dom0_trace != NULL, err);
    return status == 0 && r->begin ? r->begin(r, err) : status;
}

/* Of an archive: whether the results that were kept suffice, or where its trace is to be begun. */
static int choose_source(struct reading *r, struct error *err)
{
    struct archived *a = &r->run.archived;
    if (!a->archive)
        return 0;
    return r->meter.bys
               ? archived_choose(a, &r->meter, r->from_trace || writer_makes_files(r->options->format), err)
               : archived_choose_trace(a, err);
}

int reading_open_source(struct reading *r, struct error *err)
{
    struct archived *a = &r->run.archived;
    if (choose_source(r, err) != 0)
        return -1;
    if (a->from_results) {
        r->run.host.clock = &a->summary.clock;
        return 0;
    }
    r->consumer.rows = r->meter.bys ? &r->meter : NULL;
    r->consumer.from_ns = r->options->from_ns;
    r->consumer.to_the_end = !archived_knows_rest(a);
    r->run.counters = r->counters;
    if (trace_run_add(&r->run, &r->consumer, err) != 0 ||
        trace_run_open(&r->run, r->options->live_ns != 0 || r->stoppable, NULL, err) != 0)
        return -1;
    return a->archive ? archived_enter(a, r->run.pipeline, NULL, err) : 0;
}

void reading_look(struct report_schema *schema, const struct options *o, const struct output *output)
{
    bool terminal = output_is_terminal(output);
    schema->color = o->color == WHEN_ALWAYS || (terminal && color_wanted(o->color, STDOUT_FILENO));
    schema->raw_names = o->raw_names;
    schema->width = terminal ? terminal_width(STDOUT_FILENO) : 0;
}

static int open_writer(struct reading *r, struct error *err)
{
    const struct options *o = r->options;
    struct report_schema *schema = &r->schema;
    bool many_files = writer_makes_files(o->format);
    r->output = output_open(many_files ? "/dev/null" : o->output, err);
    if (!r->output)
        return -1;
    if (schema->granularities == 0) {
        schema->granularities_ns = o->granularities_ns;
        schema->granularities = o->granularities;
    }
    if (!schema->name_of && r->run.names) {
        schema->name_of = names_lookup;
        schema->names = r->run.names;
    }
    schema->uuid_of = host_time_uuid;
    schema->uuids = &r->run.host;
    reading_look(schema, o, r->output);
    if (!r->stoppable)
        pager_offer(r->output, o);
    schema->prefix = o->output;
    schema->capture = strcmp(o->input, "-") == 0 ? "/dev/stdin" : o->input;
    schema->live = o->live_ns != 0;
    schema->apart = options_jobs(o) >= JOBS_ALL && !schema->live && !output_is_terminal(r->output);
    r->writer = writer_new(o->format, r->output, schema, err);
    return r->writer ? 0 : -1;
}

/* ---- the work ---- */

int reading_write(struct reading *r, const struct rows *rows)
{
    if (rows->interval)
        progress_end(&r->run.progress);
    trace_run_know_clock(&r->run);
    int status = writer_rows(r->writer, rows);
    r->fresh = r->fresh || rows->interval;
    if (status == 0 && rows->interval && r->options->live_ns)
        status = output_flush(r->output);
    r->failed = r->failed || status != 0;
    return status;
}

int reading_fail(struct reading *r, const struct error *why)
{
    r->failed = true;
    r->why = *why;
    return -1;
}

int reading_no_memory(struct reading *r, size_t rows)
{
    struct error why;
    error_set(&why, ERROR_MEMORY, "not enough memory for %zu rows", rows);
    return reading_fail(r, &why);
}

const char *reading_io_counts(const struct reading *r)
{
    return archived_counts(&r->run.archived) ? IO_COUNTS_MEMBER : r->options->io_counts;
}

/* Outside counters that do not cover the trace leave time unattributed: says so. */
static void check_counters(const struct reading *r, const struct charge_summary *s, uint64_t end_ns)
{
    const char *file = reading_io_counts(r);
    double from = (double)s->counted_from_ns / 1e9, to = (double)s->counted_to_ns / 1e9,
           end = (double)end_ns / 1e9;
    if (!s->counted)
        complain("%s: no device was read twice: nothing can be charged by it", file);
    else if (s->counted_to_ns <= 0 || s->counted_from_ns >= (int64_t)end_ns)
        complain(
            "%s: its readings (%.3f s to %.3f s) lie outside of the trace (0 s to %.3f s): another host, "
            "or another boot?",
            file, from, to, end);
    else if (s->counted_from_ns > 0 || s->counted_to_ns < (int64_t)end_ns)
        complain("%s: its readings cover %.3f s to %.3f s of the trace's 0 s to %.3f s: the rest is %s", file,
                 from, to, end, s->methods & CHARGE_PACKETS ? "unattributed" : "charged by the trace alone");
    if (s->cpu_impossible_ns)
        complain(
            "%s: its CPU times cannot be for %.3f s, first in the stretch from %.3f s on: they fall, or are "
            "more than the driver domain can have run: not used there",
            file, (double)s->cpu_impossible_ns / 1e9, (double)s->cpu_impossible_at_ns / 1e9);
    if (s->devices_unused)
        complain(
            "%s: %zu of its devices were counted in domains that are no driver domains of this trace: they "
            "are not used",
            file, s->devices_unused);
    if (s->devices_unknown)
        complain("%s: %zu of its devices belong to domains that the trace does not show: their share is "
                 "unattributed",
                 file, s->devices_unknown);
}

/* What of the trace a driver domain's kernel did not record: it is unattributed. */
static void check_dom0_trace(const struct reading *r, const struct charge_summary *s, uint64_t end_ns)
{
    const char *file = r->options->dom0_trace;
    double from = (double)s->measured_from_ns / 1e9, to = (double)s->measured_to_ns / 1e9,
           end = (double)end_ns / 1e9;
    if (!s->measured)
        complain("%s: domain %u, which recorded it, is no driver domain of this trace: it says nothing", file,
                 r->dom0_trace->domain);
    else if (s->measured_to_ns <= 0 || s->measured_from_ns >= (int64_t)end_ns)
        complain(
            "%s: it was recorded from %.3f s to %.3f s, outside of the trace (0 s to %.3f s): another host, "
            "or another boot?",
            file, from, to, end);
    else if (s->measured_from_ns > 0 || s->measured_to_ns < (int64_t)end_ns)
        complain("%s: it covers %.3f s to %.3f s of the trace's 0 s to %.3f s: the rest is unattributed",
                 file, from, to, end);
    for (size_t cpu = 0; cpu < r->dom0_trace->cpus_n; cpu++)
        if (r->dom0_trace->cpus[cpu].lost)
            complain("%s: CPU %zu lost %" PRIu64 " events: what it did meanwhile is unattributed", file, cpu,
                     r->dom0_trace->cpus[cpu].lost);
}

/* An idle guest's page is mapped or copied now and then: broadcasts on its network, its logs. */
#define IDLE_IO_PER_S 20

/* Loads of own work without a driver domain, driver domains without one, and loads that are not own work alone. */
static void check_own_loads(const struct options *o, const struct charge_summary *s)
{
    size_t given = 0;
    for (size_t i = 0; i < o->own_n; i++)
        given += o->own[i].ppm > 0;
    if (o->own_baseline && s->idds_unseparated > 0)
        complain("%s: %zu of the driver domains are not in it: what they did for themselves is not taken out",
                 o->own_baseline, s->idds_unseparated);
    if (o->own_baseline && o->own_baseline_io > IDLE_IO_PER_S)
        complain("%s: guests did I/O in it, %.0f pages mapped or copied per second: that work is taken for "
                 "own, too",
                 o->own_baseline, o->own_baseline_io);
    if (!o->own_baseline && given > s->idds_own_given)
        complain("--own: %zu of its domains are no driver domains of this trace", given - s->idds_own_given);
}

/* What the charges could not rest on. */
static void check_charges(const struct reading *r, const struct charge_summary *s, uint64_t end_ns)
{
    if (r->options->quiet)
        return;
    if (r->options->idds && s->idds == 0)
        complain("none of the domains of --idd is in this trace");
    check_own_loads(r->options, s);
    if (r->meter.charge.charge_idle && s->idds_unseparated + s->idds_own_given > 0)
        complain("--charge-idle: the tasks of %zu driver domains are not distinguished: nothing of them is "
                 "idle time",
                 s->idds_unseparated + s->idds_own_given);
    if (r->counters)
        check_counters(r, s, end_ns);
    if (r->dom0_trace)
        check_dom0_trace(r, s, end_ns);
}

/* ---- the end ---- */

static void say_all(const struct reading *r, const struct judgement *j, const struct judgement *of_charges,
                    const struct summary *s)
{
    const struct quality *q = &s->quality;
    say_verdict("verdict", j);
    if (of_charges->verdict != VERDICT_GOOD)
        say_verdict("charges", of_charges);
    if (!r->options->verbose)
        return;
    complain("%" PRIu64 " records, %" PRIu64 " bytes in %" PRIu64 " windows and %" PRIu64
             " sweeps; clock %.6f MHz",
             q->records, q->bytes, q->windows, q->sweeps, s->clock.cpu_hz / 1e6);
}

void reading_sum_up(struct reading *r, struct summary *s)
{
    const struct archived *a = &r->run.archived;
    struct pipeline *pipeline = r->run.pipeline;
    const struct meter *meter = pipeline ? pipeline_meter(pipeline, 0) : NULL;
    bool stopped = trace_run_stopped(&r->run);
    bool early = pipeline && pipeline_ended_early(pipeline) && !stopped;
    uint64_t to_ns = r->options->to_ns;
    if (a->archive && (a->from_results || a->snapshot || early || a->timelines > 1)) { /* not all was read */
        *s = a->summary;
        s->quality.vcpu_ns = a->vcpu_ns;
        s->quality.unknown_ns = a->unknown_ns;
        s->quality.doubtful_ns = a->doubtful_ns;
        s->end_ns = to_ns ? min64(to_ns, s->end_ns) : s->end_ns;
    } else {
        const struct pass *pass = pipeline_pass(pipeline);
        trace_run_describe(&r->run, s);
        if (!meter) {
            s->quality.vcpu_ns = model_vcpu_ns(pass->model, pass->settled_ns);
            s->quality.unknown_ns = model_unknown_ns(pass->model, pass->settled_ns);
            s->quality.doubtful_ns = model_doubtful_ns(pass->model, pass->settled_ns);
        }
        s->end_ns = meter   ? meter_accounted(meter)
                    : to_ns ? min64(to_ns, pass->settled_ns)
                            : pass->settled_ns;
    }
    if (meter) {
        s->quality.vcpu_ns = meter_vcpu_ns(meter);
        s->quality.unknown_ns = meter_unknown_ns(meter);
        s->quality.doubtful_ns = meter_doubtful_ns(meter);
        meter_charge_summary(meter, &s->charges);
    }
    if (stopped)
        s->quality.truncated_bytes = 0; /* it was we who stopped reading */
    if (a->archive)
        archived_describe(a, &s->trace);
}

/* A report without a row is refused, unless a signal ended it, or that there is none is the answer: this is said then. */
static int check_rows(const struct reading *r, const struct quality *q)
{
    struct error err;
    uint64_t rows;
    if (writer_rest(r->writer, &rows) != 0 || rows > 0 || trace_run_stopped(&r->run))
        return 0; /* a failure is the output's, and commit says it */
    if (!r->no_rows || !records_show_states(q) || !domain_list_is_there(&r->run)) {
        nothing_to_report(&r->run, q, &err);
        return fail(r->options->input, &err);
    }
    if (!r->options->quiet)
        complain("%s", r->no_rows);
    return 0;
}

void reading_judge(struct reading *r, struct ending *e)
{
    const struct summary *s = &e->s;
    /* Of a part of the trace, what charges rest on is not known from the results that an archive keeps. */
    e->apart =
        r->meter.charge.wanted && !r->schema.charge && r->options->from_ns == 0 && r->options->to_ns == 0;
    e->of_charges = (struct judgement){.verdict = VERDICT_GOOD};
    if (r->run.archived.timelines > 1)
        e->s = r->total;
    else
        reading_sum_up(r, &e->s);
    uint64_t all_ns = clock_ns(&s->clock, s->trace.tsc_last);
    verdict_judge(&e->judgement, &s->quality, &s->clock, all_ns, s->trace.pcpus, s->trace.has_runstates);
    if (r->schema.charge)
        verdict_judge_charges(&e->judgement, &s->charges, r->schema.charge->options, all_ns);
    else if (e->apart)
        verdict_judge_charges(&e->of_charges, &s->charges, &r->meter.charge, all_ns);
    if (r->schema.charge && r->schema.charge->fit)
        verdict_judge_fit(&e->judgement, r->schema.charge->fit);
}

struct report_summary reading_summary(const struct reading *r, const struct ending *e)
{
    return (struct report_summary){.trace = e->s.trace,
                                   .clock = e->s.clock,
                                   .start_ns = r->options->from_ns,
                                   .end_ns = e->s.end_ns,
                                   .quality = &e->s.quality,
                                   .judgement = &e->judgement,
                                   .charges = r->meter.charge.wanted ? &e->s.charges : NULL,
                                   .charges_judgement = e->apart ? &e->of_charges : NULL};
}

/* Ends the report: a failure is the output's, and commit says it. -1: no memory. */
static int end_report(struct reading *r, const struct ending *e)
{
    struct buffer sources = {0};
    struct origin origin = {0};
    bool archived = r->run.archived.archive != NULL;
    int status = archived && !archived_origin(&r->run.archived, &sources, &origin) ? -1 : 0;
    origin.not_recorded_ns = r->gap_ns;
    struct report_summary summary = reading_summary(r, e);
    summary.origin = archived ? &origin : NULL;
    struct writer *writer = r->writer;
    r->writer = NULL;
    if (status == 0)
        writer_end(writer, &summary);
    else
        writer_free(writer);
    buffer_free(&sources);
    return status;
}

static void say_end(const struct reading *r, const struct ending *e)
{
    const struct options *o = r->options;
    bool table = strcmp(o->format, "table") == 0;
    if (r->run.archived.archive)
        archived_say(&r->run.archived);
    if (r->run.archived.timelines > 1)
        reading_say_timelines(r);
    if (!o->quiet)
        domain_list_say_absent(&r->run);
    if (!o->quiet && (!table || o->output || o->verbose))
        say_all(r, &e->judgement, &e->of_charges, &e->s);
}

static int end_writing(struct reading *r)
{
    struct ending e;
    struct error err;
    reading_judge(r, &e);
    if (check_rows(r, &e.s.quality) != 0)
        return EXIT_ERROR;
    if (r->meter.charge.wanted)
        check_charges(r, &e.s.charges, clock_ns(&e.s.clock, e.s.trace.tsc_last));
    if (end_report(r, &e) != 0) {
        error_no_memory(&err, "the names of the traces");
        return fail(NULL, &err);
    }
    int status = r->options->strict && e.judgement.verdict != VERDICT_GOOD ? EXIT_FINDING : EXIT_DONE;
    if (output_reader_gone(r->output))
        return status;
    if (commit(&r->output, r->options->output) != EXIT_DONE)
        return EXIT_ERROR;
    say_end(r, &e);
    return status;
}

int reading_pass(struct reading *r, struct error *err)
{
    struct archived *a = &r->run.archived;
    return a->from_results ? archived_replay(a, &r->meter, err)
                           : trace_run_go(&r->run, r->options->progress, err);
}

/* Does all the work from the trace to the complete output. */
static int run(struct reading *r)
{
    struct error err = {0};
    const struct options *o = r->options;
    bool several = r->run.archived.timelines > 1;
    if (several && reading_check_timelines(r, &err) != 0)
        return fail(o->input, &err);
    if (r->meter.bys && reading_complete_meter(r, &err) != 0)
        return fail(NULL, &err);
    /* The trace first: a missing file is to leave no output behind. */
    if (!several && reading_open_source(r, &err) != 0)
        return fail(o->input, &err);
    if (open_writer(r, &err) != 0)
        return fail(o->output, &err);
    int status = several ? reading_timelines(r, &err) : reading_pass(r, &err);
    if (writer_settle(r->writer) != 0) {
        r->failed = true;
        status = -1;
    }
    if (status == 0 && r->finish)
        status = r->finish(r, &err);
    if (status != 0 && output_reader_gone(r->output))
        return EXIT_DONE;
    if (status != 0 && r->why.code != ERROR_NONE)
        return fail(o->input, &r->why);
    if (status != 0 && r->failed) {
        commit(&r->output, o->output);
        return EXIT_ERROR;
    }
    if (status != 0 && err.code == ERROR_NONE)
        error_no_memory(&err, "the rows"); /* a sink of metrics/ ended the work */
    return status == 0 ? end_writing(r) : fail(o->input, &err);
}

static int open_and_run(struct reading *r, int (*prepare)(struct reading *r, struct error *err))
{
    struct error err = {0};
    const struct options *o = r->options;
    if (o->io_counts && !(r->counters = counters_read(o->io_counts, &err)))
        return fail(o->io_counts, &err);
    if (o->dom0_trace && !(r->dom0_trace = dom0_trace_read(o->dom0_trace, &err)))
        return fail(o->dom0_trace, &err);
    if (trace_run_find(&r->run, o) != EXIT_DONE)
        return EXIT_ERROR;
    r->options = r->run.options;
    return prepare(r, &err) == 0 ? run(r) : fail(NULL, &err);
}

int reading_command(struct reading *r, const struct options *o,
                    int (*prepare)(struct reading *r, struct error *err))
{
    if (options_list_columns(o))
        return reading_list_columns(o);
    r->options = o;
    r->run.control.stop_at_once = true;
    r->schema.name = o->command->name;
    r->schema.moments = host_time_moments(&r->run.host, o->time_format);
    r->schema.selection = (struct selection_options){.domains = o->domains, .limit = o->limit};
    if (o->schema)
        return reading_say_schema(r, prepare);
    int status = open_and_run(r, prepare);
    writer_free(r->writer);
    output_abort(r->output);
    trace_run_close(&r->run);
    counters_free(r->counters);
    dom0_trace_free(r->dom0_trace);
    choice_free(&r->choice);
    free(r->charge_rows.at);
    return status;
}
