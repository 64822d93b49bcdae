/* xenmeter dump: every record, decoded, in time order. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archived.h"
#include "cli.h"
#include "dump_filter.h"
#include "formats/dump_counts.h"
#include "formats/dump_writer.h"
#include "metrics/measure/event_counts.h"

static const char help[] =
    "xenmeter dump - every record of a trace, decoded, in time order\n"
    "\n"
    "Usage: xenmeter dump [OPTIONS] [FILE]\n"
    "\n"
    "FILE is a capture of xentrace, plain or compressed by zstd, or an archive that keeps its trace\n"
    "(xenmeter archive); \"-\" or nothing: standard input.\n"
    "A line for each record: the time in s from the start of the trace, the pCPU, the vCPU that was\n"
    "current there (d?v?: not known), the event, its fields. xenmeter-events(7) tells of them all.\n"
    "\n"
    "Which records\n"
    "  -e, --events LIST       names, classes, patterns, numbers and masks: sched,wake,hvm.*,0x2f000;\n"
    "                          a ! before one leaves it out; \"help\" lists all events\n"
    "  -d, --domains LIST      that a vCPU of these domains wrote, or that name one: 0,3-5\n"
    "      --vcpus LIST        the same for vCPUs: d1v0,d3v0-1; 0 is that of any domain\n"
    "  -p, --pcpus LIST        only of these pCPUs\n"
    "  -t, --time FROM,TO      only this part of the trace: 1.5s,3s; either may be empty\n"
    "  -n, --limit N           the first N of them\n"
    "How to show them\n"
    "  -f, --format NAME       text, csv, jsonl; default: by the ending of -o, else text\n"
    "  -o, --output FILE       write to FILE, whole or not at all; .zst at the end compresses\n"
    "      --tsc               times in cycles, as the trace has them\n"
    "      --follow            of a live pipe: each record as soon as its place is certain, until the\n"
    "                          input ends or SIGINT or SIGTERM arrives\n"
    "      --count             only how many there are of each event: records, bytes, shares, rates\n"
    "  -b, --by WHAT           counts apart by domain, vcpu, pcpu or domain-pcpu\n"
    "How to read it\n"
    "      --host LABEL[:N]    of an archive with several hosts: this one; N: its Nth timeline\n"
    "      --cpu-hz HZ         frequency of the tsc (2.4G); default: measured from the trace\n"
    "      --max-memory SIZE   give up rather than use more (default 1G)\n"
    "      --progress WHEN     auto, always, never\n"
    "  -q, --quiet             only errors on standard error\n"
    "  -v, --verbose           more about the data on standard error\n"
    "  -h, --help              this text\n"
    "\n"
    "Exit status: 0 done, 2 error.\n"
    "\n"
    "Examples:\n"
    "  xenmeter dump capture.xt | less\n"
    "  xenmeter dump -e wake,runstate_change --vcpus d3v0 -t 4.39,4.40 capture.xt\n"
    "  xenmeter dump --count -b domain -e pv capture.xt\n"
    "  xentrace -D -e all /dev/stdout | xenmeter dump --follow -e dom_add,dom_rem -\n";

static const struct option_set option_set = {
    .command = "dump",
    .letters = "efobdptnqv",
    .longs = " vcpus tsc count follow cpu-hz max-memory progress host ",
    .no_executions = true,
    .formats = dump_formats,
    .help = help,
};

/* One dump; all zero is one that was not begun. */
struct dump {
    struct options options;
    struct dump_choice choice;
    struct archived archived; /* .archive NULL: the input is none */
    struct trace *trace;
    struct dump_reader *reader;
    struct output *output;
    struct dump_writer *writer;  /* NULL with --count */
    struct event_counts *counts; /* NULL without */
    struct progress progress;
    const volatile sig_atomic_t *stop; /* NULL: not to be followed */
    bool in_step;                      /* what is there is to be seen at once */
    size_t told;                       /* records */
    bool stopped;                      /* before the end of the trace: enough was told */
    uint64_t end_ns;                   /* of what was looked at, from the start of the trace; 0: no clock */
};

/* ---- setting up ---- */

/* What does not go together. */
static int check_options(const struct options *o, struct error *err)
{
    if (o->by_given && !o->count)
        return error_set(err, ERROR_USAGE,
                         "--by tells how to --count: records themselves are told one by one");
    if (o->count && (o->tsc || o->follow))
        return error_set(err, ERROR_USAGE, "--count tells no times, and only at the end: no --%s",
                         o->tsc ? "tsc" : "follow");
    return 0;
}

static int open_archive(struct dump *d, struct error *err)
{
    bool is;
    if (input_is_archive(d->options.input, &is, err) != 0)
        return -1;
    if (!is)
        return d->options.host ? error_set(err, ERROR_USAGE, "--host is for archives, and this is none") : 0;
    if (archived_open(&d->archived, &d->options, err) != 0)
        return -1;
    return archived_choose_trace(&d->archived, &d->options, err);
}

static int open_trace(struct dump *d, struct error *err)
{
    const struct options *o = &d->options;
    bool part = o->from_ns || o->to_ns;
    struct trace_options options = {.cpu_hz = o->cpu_hz,
                                    .memory_limit = o->max_memory,
                                    .interest = {.raw_some_pcpus = o->pcpus_given},
                                    .cycles = o->tsc && !part && !o->count};
    memcpy(options.interest.raw, d->choice.want, sizeof options.interest.raw);
    if (o->pcpus_given)
        memcpy(options.interest.raw_pcpus, o->pcpus, sizeof options.interest.raw_pcpus);
    if (o->follow)
        d->stop = options.stop = signals_stop_flag(&options.wait_mask);
    if (d->archived.archive && archived_begin_trace(&d->archived, &options, err) != 0)
        return -1;
    d->trace = trace_open(o->input, &options, err);
    return d->trace ? 0 : -1;
}

static int open_reader(struct dump *d, struct error *err)
{
    struct dump_filter filter = dump_filter_of(&d->choice, &d->options);
    event_fields_init();
    d->reader = malloc(sizeof *d->reader);
    if (!d->reader)
        return error_set(err, ERROR_MEMORY, "no memory");
    dump_reader_init(d->reader, &filter);
    return d->archived.archive ? archived_prime(&d->archived, d->reader, err) : 0;
}

static int open_output(struct dump *d, struct error *err)
{
    const struct options *o = &d->options;
    d->output = output_open(o->output, err);
    if (!d->output)
        return -1;
    d->in_step = o->follow || output_is_terminal(d->output);
    if (o->count) {
        d->counts = event_counts_new(o->by_given, o->by, o->max_memory, err);
        return d->counts ? 0 : -1;
    }
    d->writer = dump_writer_new(o->format, d->output, o->tsc, err);
    return d->writer ? 0 : -1;
}

/* ---- the work ---- */

/* Without a clock only what is in cycles can be told. */
static int check_clock(const struct dump *d, struct error *err)
{
    const struct options *o = &d->options;
    if ((o->tsc || o->count) && !o->from_ns && !o->to_ns)
        return 0;
    return trace_check_clock(d->trace, o->tsc || o->count ? "" : ", or take times in cycles (--tsc)", err);
}

/* Tells the records of a batch. 1: enough was told; -1: the output failed, or with `err` filled. */
static int tell(struct dump *d, const struct event_batch *batch, struct error *err)
{
    const struct clock *clock = trace_clock(d->trace);
    struct dump_record record;
    size_t at = 0;
    while (dump_next(d->reader, batch, &at, clock, &record)) {
        d->told++;
        if ((d->counts ? event_counts_add(d->counts, &record, err)
                       : dump_writer_record(d->writer, &record)) != 0)
            return -1;
        if (d->told == d->options.limit && d->writer)
            return 1;
    }
    if (d->writer && d->in_step && (dump_writer_flush(d->writer) != 0 || output_flush(d->output) != 0))
        return -1;
    return dump_is_over(d->reader, batch, clock);
}

static bool asked_to_stop(const struct dump *d)
{
    return d->stop && *d->stop;
}

static bool is_piped(const struct dump *d)
{
    uint64_t done, size;
    trace_position(d->trace, &done, &size);
    return size == 0;
}

static int check_span(const struct dump *d, struct error *err)
{
    if (d->options.from_ns == 0 || d->options.from_ns < d->end_ns || asked_to_stop(d))
        return 0;
    return error_set(err, ERROR_USAGE, "--time begins at %.9g s, but the trace ends at %.9g s",
                     (double)d->options.from_ns / 1e9, (double)d->end_ns / 1e9);
}

/* Reads the trace as far as is wanted. 0; -1: the output failed, or with `err` filled. */
static int read_trace(struct dump *d, struct error *err)
{
    struct event_batch batch;
    const struct options *o = &d->options;
    bool on_terminal = d->writer && output_is_terminal(d->output); /* the records are progress enough */
    bool checked = false;
    int status;
    progress_begin(&d->progress, on_terminal ? WHEN_NEVER : o->progress, o->quiet);
    while ((status = trace_next(d->trace, &batch, err)) > 0) {
        if (!checked && check_clock(d, err) != 0)
            return -1;
        checked = true;
        int done = tell(d, &batch, err);
        if (done != 0) {
            d->stopped = done > 0;
            break;
        }
        if (asked_to_stop(d) && !is_piped(d))
            break; /* a pipe has ended there, and what came through it is told to its end */
        progress_show(&d->progress, d->trace);
    }
    progress_end(&d->progress);
    if (status < 0 || err->code != ERROR_NONE)
        return -1;
    struct trace_summary s;
    trace_summarise(d->trace, &s);
    d->end_ns = trace_clock(d->trace)->cpu_hz > 0 ? clock_ns(trace_clock(d->trace), s.tsc_last) : 0;
    if (d->stopped || output_failure(d->output))
        return output_failure(d->output) ? -1 : 0;
    return check_span(d, err);
}

/* ---- the end ---- */

static int write_counts(struct dump *d)
{
    const struct options *o = &d->options;
    uint64_t end_ns = o->to_ns && o->to_ns < d->end_ns ? o->to_ns : d->end_ns;
    struct dump_counts counts = {.counts = d->counts,
                                 .grouped = o->by_given,
                                 .by = o->by,
                                 .limit = o->limit,
                                 .span_ns = end_ns > o->from_ns ? end_ns - o->from_ns : 0};
    return dump_counts_write(d->output, o->format, &counts);
}

/* What is known of the data: of all of it, if it was read to its end or an archive has kept that. */
static void say_quality(const struct dump *d)
{
    const struct quality *read = trace_quality(d->trace);
    const struct clock *clock = trace_clock(d->trace);
    bool kept = d->archived.archive != NULL;
    struct judgement j;
    if (d->options.quiet)
        return;
    if (kept || (!d->stopped && !asked_to_stop(d))) {
        verdict_judge_records(&j, kept ? &d->archived.summary.quality : read);
        say_verdict(&j);
    }
    if (!d->options.verbose)
        return;
    complain("told %zu of %" PRIu64 " records in %" PRIu64 " bytes, %" PRIu64 " windows and %" PRIu64
             " sweeps",
             d->told, read->records, read->bytes, read->windows, read->sweeps);
    if (clock->cpu_hz > 0)
        complain("clock %.6f MHz", clock->cpu_hz / 1e6);
}

static int conclude(struct dump *d)
{
    struct error err = {0};
    /* A failure is the output's, and its commit tells of it. */
    if (d->counts)
        write_counts(d);
    else
        dump_writer_flush(d->writer);
    output_flush(d->output);
    if (output_reader_gone(d->output))
        return EXIT_DONE;
    struct output *output = d->output;
    d->output = NULL;
    if (output_commit(output, &err) != 0)
        return fail(d->options.output ? d->options.output : "standard output", &err);
    say_quality(d);
    return EXIT_DONE;
}

static int run(struct dump *d)
{
    struct error err = {0};
    const struct options *o = &d->options;
    if (o->events && strcmp(o->events, "help") == 0) {
        dump_print_events();
        return EXIT_DONE;
    }
    if (check_options(o, &err) != 0 || dump_choice_read(&d->choice, o, &err) != 0)
        return fail(NULL, &err);
    if (open_archive(d, &err) != 0 || open_trace(d, &err) != 0 || open_reader(d, &err) != 0)
        return asked_to_stop(d) ? EXIT_DONE : fail(o->input, &err); /* stopped before the first byte */
    if (open_output(d, &err) != 0)
        return fail(o->output, &err);
    if (read_trace(d, &err) != 0 && !output_failure(d->output))
        return fail(o->input, &err);
    return conclude(d);
}

int command_dump(int argc, char **argv)
{
    struct dump d = {0};
    int status;
    if (options_parse(&d.options, &option_set, argc, argv, &status))
        status = run(&d);
    dump_writer_free(d.writer);
    event_counts_free(d.counts);
    output_abort(d.output);
    free(d.reader);
    trace_close(d.trace);
    archived_close(&d.archived);
    dump_choice_free(&d.choice);
    options_free(&d.options);
    return status;
}
