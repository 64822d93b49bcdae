/* xenmeter dump: every record, decoded, in time order. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "dump_filter.h"
#include "formats/dump_counts.h"
#include "formats/dump_writer.h"
#include "metrics/measure/event_counts.h"
#include "nothing.h"
#include "pager.h"
#include "trace_run.h"

#define FORMAT_THREADS 4 /* so many format what one reads */

/* One dump; all zero: not begun. */
struct dump {
    const struct options *options;
    struct own_events *own; /* NULL: none */
    struct dump_choice choice;
    struct trace_run run;
    struct dump_reader *reader;
    struct output *output;
    struct dump_writer *writer;  /* NULL with --count */
    struct event_counts *counts; /* NULL without --count */
    bool in_step;                /* every batch is flushed at once */
    size_t written;              /* records */
};

/* ---- setting up ---- */

/* Whether times are those of the trace itself. */
static bool wants_tsc(const struct options *o)
{
    return o->tsc || o->time_format == TIMES_TSC;
}

/* Refuses options that exclude each other. */
static int check_options(const struct options *o, struct error *err)
{
    if (o->bys && !o->count)
        return error_set(err, ERROR_USAGE, "--by goes with --count only: without it every record is written");
    if (o->count && (o->tsc || o->follow || o->time_format))
        return error_set(err, ERROR_USAGE, "--count tells no times, and only at the end: no --%s",
                         o->tsc      ? "tsc"
                         : o->follow ? "follow"
                                     : "time-format");
    if (o->tsc && o->time_format && o->time_format != TIMES_TSC)
        return error_set(err, ERROR_USAGE, "--tsc and another --time-format exclude each other");
    return 0;
}

/* What counts are apart by; without --by any. */
static enum by by_of(const struct options *o)
{
    return o->bys ? (enum by)__builtin_ctz(o->bys) : BY_DOMAIN;
}

/* Whether times in cycles suffice, so that no clock is needed. */
static bool in_cycles(const struct options *o)
{
    return (wants_tsc(o) || o->count) && !o->from_ns && !o->to_ns;
}

static int tell(void *context, const struct pass *pass, const struct event_batch *batch, struct error *err);

static int open_trace(struct dump *d, struct error *err)
{
    const struct options *o = d->options;
    const struct consumer consumer = {.context = d,
                                      .records = d->choice.want,
                                      .pcpus = o->pcpus,
                                      .from_ns = o->from_ns,
                                      .clock = !in_cycles(o) ? CLOCK_NEEDED
                                               : o->count    ? CLOCK_WELCOME
                                                             : CLOCK_UNUSED,
                                      .clock_advice =
                                          wants_tsc(o) || o->count ? "" : ", or take times in cycles (--tsc)",
                                      .batch = tell};
    struct archived *archived = &d->run.archived;
    if (archived->archive && archived_choose_trace(archived, err) != 0)
        return -1;
    return trace_run_add(&d->run, &consumer, err) == 0 ? trace_run_open(&d->run, o->follow, NULL, err) : -1;
}

static int open_reader(struct dump *d, struct error *err)
{
    struct dump_filter filter = dump_filter_of(&d->choice, d->options);
    event_fields_init();
    d->reader = malloc(sizeof *d->reader);
    if (!d->reader)
        return error_no_memory(err, "the records");
    dump_reader_init(d->reader, &filter);
    return d->run.archived.archive ? archived_enter(&d->run.archived, NULL, d->reader, err) : 0;
}

static int open_output(struct dump *d, struct error *err)
{
    const struct options *o = d->options;
    d->output = output_open(o->output, err);
    if (!d->output)
        return -1;
    d->in_step = o->follow || output_is_terminal(d->output);
    pager_offer(d->output, o);
    if (o->count) {
        d->counts = event_counts_new(o->bys != 0, by_of(o), o->max_memory, d->own, err);
        return d->counts ? 0 : -1;
    }
    const struct dump_schema schema = {
        .tsc = wants_tsc(o),
        .moments = wants_tsc(o) ? NULL : host_time_moments(&d->run.host, o->time_format),
        .own = d->own,
        .slot = dump_choice_only(&d->choice)};
    d->writer = dump_writer_new(o->format, d->output, &schema, err);
    unsigned jobs = options_jobs(o);
    if (d->writer && jobs > 1 && !d->in_step)
        dump_writer_use_threads(d->writer, jobs < FORMAT_THREADS ? jobs : FORMAT_THREADS);
    return d->writer ? 0 : -1;
}

/* ---- the work ---- */

/* Writes the records of a batch. */
static int tell(void *context, const struct pass *pass, const struct event_batch *batch, struct error *err)
{
    struct dump *d = context;
    struct dump_record record;
    size_t at = 0;
    d->run.host.clock = pass->clock;
    while (dump_next(d->reader, batch, &at, pass->clock, &record)) {
        d->written++;
        if ((d->counts ? event_counts_add(d->counts, &record, err)
                       : dump_writer_record(d->writer, &record)) != 0)
            return CONSUMER_FAILED;
        if (d->written == d->options->limit && d->writer)
            return CONSUMER_HAS_ENOUGH;
    }
    if (d->writer && d->in_step && (dump_writer_flush(d->writer) != 0 || output_flush(d->output) != 0))
        return CONSUMER_FAILED;
    return dump_is_over(d->reader, batch, pass->clock) ? CONSUMER_HAS_ENOUGH : CONSUMER_GOES_ON;
}

/* Reads the trace as far as necessary. 0; -1: the output failed, or with `err` filled. */
static int read_trace(struct dump *d, struct error *err)
{
    const struct options *o = d->options;
    bool on_terminal = d->writer && output_is_terminal(d->output); /* the records are progress enough */
    int status = trace_run_go(&d->run, on_terminal ? WHEN_NEVER : o->progress, err);
    if (d->writer && d->written > 0) { /* what was read before a damaged place is written */
        dump_writer_flush(d->writer);
        output_flush(d->output);
    }
    return status != 0 || output_failure(d->output) ? -1 : 0;
}

/* ---- the end ---- */

static int write_counts(struct dump *d)
{
    const struct options *o = d->options;
    const struct clock *clock = trace_clock(d->run.trace);
    struct trace_summary s;
    trace_summarise(d->run.trace, &s);
    uint64_t end_ns = clock->cpu_hz > 0 ? clock_ns(clock, s.tsc_last) : 0;
    if (o->to_ns && o->to_ns < end_ns)
        end_ns = o->to_ns;
    struct dump_counts counts = {.counts = d->counts,
                                 .own = d->own,
                                 .grouped = o->bys != 0,
                                 .by = by_of(o),
                                 .limit = o->limit,
                                 .span_ns = end_ns > o->from_ns ? end_ns - o->from_ns : 0};
    return dump_counts_write(d->output, o->format, &counts);
}

/* Judges the whole trace, if it was read to its end or an archive keeps it. False: all that was asked for came before the end. */
static bool judge(const struct dump *d, struct judgement *j)
{
    bool kept = d->run.archived.archive != NULL;
    if (!kept && (pipeline_ended_early(d->run.pipeline) || trace_run_stopped(&d->run)))
        return false;
    struct quality quality = kept ? d->run.archived.summary.quality : *trace_quality(d->run.trace);
    own_events_forget(d->own, &quality);
    verdict_judge_records(j, &quality);
    return true;
}

/* What the records are worth; the exit code. */
static int say_quality(const struct dump *d)
{
    const struct quality *read = trace_quality(d->run.trace);
    const struct clock *clock = trace_clock(d->run.trace);
    const struct options *o = d->options;
    struct judgement j = {.verdict = VERDICT_GOOD};
    bool judged = judge(d, &j);
    if (judged && !o->quiet)
        say_verdict("verdict", &j);
    if (o->verbose && !o->quiet)
        complain("wrote %zu of %" PRIu64 " records in %" PRIu64 " bytes, %" PRIu64 " windows and %" PRIu64
                 " sweeps",
                 d->written, read->records, read->bytes, read->windows, read->sweeps);
    if (o->verbose && !o->quiet && clock->cpu_hz > 0)
        complain("clock %.6f MHz", clock->cpu_hz / 1e6);
    return o->strict && j.verdict != VERDICT_GOOD ? EXIT_FINDING : EXIT_DONE;
}

static int conclude(struct dump *d)
{
    struct error err;
    bool watched = d->options->follow || trace_run_stopped(&d->run); /* that nothing came is the answer */
    if (d->written == 0 && !watched && !output_failure(d->output)) {
        nothing_to_dump(d->options, &err);
        return fail(d->options->input, &err);
    }
    /* A failure is the output's, and output_commit reports it. */
    if (d->counts)
        write_counts(d);
    else
        dump_writer_flush(d->writer);
    output_flush(d->output);
    if (output_reader_gone(d->output))
        return EXIT_DONE;
    if (commit(&d->output, d->options->output) != EXIT_DONE)
        return EXIT_ERROR;
    return say_quality(d);
}

static int run(struct dump *d)
{
    struct error err = {0};
    const struct options *o = d->options;
    if (events_file_read(o, &d->own) != EXIT_DONE)
        return EXIT_ERROR;
    if (o->events && strcmp(o->events, WORD_HELP) == 0) {
        dump_print_events(d->own);
        return EXIT_DONE;
    }
    if (check_options(o, &err) != 0 || dump_choice_read(&d->choice, o, d->own, &err) != 0)
        return fail(NULL, &err);
    if (trace_run_find(&d->run, o) != EXIT_DONE)
        return EXIT_ERROR;
    d->options = o = d->run.options;
    if (open_trace(d, &err) != 0 || open_reader(d, &err) != 0)
        return trace_run_stopped(&d->run) ? EXIT_DONE
                                          : fail(o->input, &err); /* stopped before the first byte */
    if (open_output(d, &err) != 0)
        return fail(o->output, &err);
    if (read_trace(d, &err) != 0 && !output_failure(d->output))
        return fail(o->input, &err);
    return conclude(d);
}

static int run_dump(const struct options *o)
{
    struct dump d = {.options = o};
    int status = run(&d);
    dump_writer_free(d.writer);
    event_counts_free(d.counts);
    output_abort(d.output);
    free(d.reader);
    trace_run_close(&d.run);
    dump_choice_free(&d.choice);
    own_events_free(d.own);
    return status;
}

/* ---- options ---- */

static const struct option_spec options[] = {
    OPTIONS_HEADING("Which records"),
    OPTION('e', "events", "LIST",
           "names, classes, patterns, numbers and masks: sched,wake,hvm.*,0x2f000; a ! before one leaves it "
           "out; \"help\" lists all events",
           .set = set_text, OPTION_FIELD(events), .choices = ":list\nhelp\tlist them",
           .offer = complete_events),
    OPTION_DOMAINS("that a vCPU of these domains wrote, or that name one: 0,3-5,web*"),
    OPTION_NAMES("domain names for --domains"),
    OPTION_HOST_FACTS(HOST_FACTS_HELP),
    OPTION_EVENTS_FILE,
    OPTION(0, "vcpus", "LIST", "the same for vCPUs: d1v0,d3v0-1; 0 is that of any domain", .set = set_text,
           OPTION_FIELD(vcpus)),
    OPTION_PCPUS("only of these pCPUs"),
    OPTION_TIME_OF_DAY,
    OPTION_LIMIT("the first N of them"),
    OPTIONS_HEADING("How to show them"),
    OPTION_FORMAT("text, csv, jsonl; default: by the ending of -o, else text"),
    OPTION_OUTPUT,
    OPTION_TIME_FORMAT,
    OPTION_FLAG(0, "tsc", tsc, "the same as --time-format tsc: times in cycles, as the trace has them"),
    OPTION_FLAG(0, "follow", follow,
                "of a live pipe: each record as soon as its place is certain, until the input ends or "
                "SIGINT or SIGTERM arrives"),
    OPTION_FLAG(0, "count", count, "only how many there are of each event: records, bytes, shares, rates"),
    OPTION_BY("counts apart by domain, vcpu, pcpu or domain-pcpu"),
    OPTIONS_READING("more about the data on standard error"),
    OPTIONS_ALL,
};

static const struct command command = {
    .order = 30,
    .name = "dump",
    .summary = "every record, decoded, in time order",
    .usage = "[OPTIONS] [FILE]",
    .text = "FILE is a capture of xentrace, plain or compressed by zstd, gzip or xz, or an archive that "
            "keeps its trace "
            "(xenmeter archive); \"-\" or nothing: standard input.\n"
            "A line for each record: the time in s from the start of the trace, the pCPU, the vCPU that was "
            "current there (d?v?: not known), the event, its fields. xenmeter-events(7) describes them all.",
    .examples = "xenmeter dump capture.xt | less\n"
                "xenmeter dump -e wake,runstate_change --vcpus d3v0 -t 4.39,4.40 capture.xt\n"
                "xenmeter dump --count -b domain -e pv capture.xt\n"
                "xentrace -D -e all /dev/stdout | xenmeter dump --follow -e dom_add,dom_rem -",
    .options = options,
    .operands = OPERANDS_TRACE,
    .no_executions = true,
    .formats = dump_formats,
    .run = run_dump,
};
COMMAND(command);
