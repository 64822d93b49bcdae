/* xenmeter archive create: traces, and what they tell, into one archive. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive_commands.h"
#include "archive/archive.h"
#include "archive/capture_writer.h"
#include "host/io_clock.h"
#include "metrics/human.h"
#include "metrics/verdict.h"
#include "small_file.h"
#include "trace_run.h"

#define HOST_DEFAULT "host"
#define SECOND_NS    1000000000u

/* One trace on its way into a capture. */
struct creation {
    const struct options *options;
    struct counters *counters;   /* NULL: none */
    struct buffer counters_text; /* as they are in their file */
    struct buffer names_text;
    struct buffer facts_text;
    const char *host;
    struct capture_options capture;
    struct archive_file *file;
    bool doubtful; /* the verdict on one of the traces is not good */
    /* of the trace being read */
    struct options one; /* with its path */
    struct trace_run run;
    struct capture_writer *writer;
    struct summary summary;
};

/* ---- what is wanted ---- */

static int choose(struct creation *c, struct error *err)
{
    const struct options *o = c->options;
    struct capture_options *p = &c->capture;
    char label[HOST_MAX];
    c->host = o->host ? o->host : HOST_DEFAULT;
    if (parse_host(c->host, label, NULL, err) != 0)
        return -1;
    unsigned further = o->with_trace ? 0 : 1u << BY_VCPU | 1u << BY_PCPU;
    p->bys = 1u << BY_DOMAIN | (o->bys ? o->bys : further);
    for (size_t i = 0; i < o->granularities; i++)
        if (o->granularities_ns[i])
            p->granularities_ns[p->granularities++] = o->granularities_ns[i];
    if (o->granularities == 0)
        p->granularities_ns[p->granularities++] = SECOND_NS;
    if (p->granularities == METER_GRANULARITIES)
        return error_set(err, ERROR_USAGE, "at most %d granularities beside the whole trace",
                         METER_GRANULARITIES - 1);
    p->granularities_ns[p->granularities++] = 0;
    p->executions = o->executions;
    p->cpu_hz = o->cpu_hz;
    p->io_counts = c->counters != NULL;
    p->charge.wanted = true;
    return charge_options_of(o, c->counters, &p->charge, err);
}

/* ---- one trace ---- */

/* A pipe that lasts is ended by a signal; a file is read to its end. */
static bool is_stream(const char *path)
{
    struct stat st;
    return (strcmp(path, "-") == 0 ? fstat(STDIN_FILENO, &st) : stat(path, &st)) == 0 && !S_ISREG(st.st_mode);
}

static int open_trace(struct creation *c, const char *path, struct error *err)
{
    const struct options *o = c->options;
    c->one = *o;
    c->one.input = path;
    c->one.timing = false; /* threads compress until the archive is complete */
    c->run.options = &c->one;
    c->run.counters = c->counters;
    struct capture_writer_options options = {.host = c->host,
                                             .source = path,
                                             .tool = "xenmeter " XENMETER_VERSION,
                                             .with_trace = o->with_trace,
                                             .level = o->level,
                                             .summary = &c->summary,
                                             .options = &c->capture};
    c->writer = capture_writer_new(c->file->frames, &options);
    if (!c->writer)
        return error_no_memory(err, "the archive");
    struct trace_tap tap = capture_writer_tap(c->writer);
    struct consumer consumer = capture_writer_consumer(c->writer);
    if (trace_run_add(&c->run, &consumer, err) != 0)
        return -1;
    if (o->with_trace) {
        consumer = capture_writer_snapshots(c->writer);
        if (trace_run_add(&c->run, &consumer, err) != 0)
            return -1;
    }
    c->file->keep_partial |= is_stream(path);
    return trace_run_open(&c->run, is_stream(path), &tap, err);
}

static int write_summary(struct creation *c, struct error *err)
{
    struct summary *s = &c->summary;
    const struct meter *meter = pipeline_meter(c->run.pipeline, 0);
    struct capture *capture = archive_file_new_capture(c->file);
    char which[PATH_MAX + 16];
    if (!capture)
        return error_no_memory(err, "the archive");
    if (trace_run_summarise(&c->run, s, err) != 0)
        return -1;
    snprintf(which, sizeof which, c->options->inputs_n > 1 ? "%s: verdict" : "verdict", s->trace.file);
    s->trace.file = ""; /* where it was, and how it was packed, is not the trace's */
    s->trace.file_bytes = 0;
    s->trace.compression = "none";
    s->end_ns = meter_accounted(meter);
    s->charged = true;
    meter_charge_summary(meter, &s->charges);
    if (capture_writer_finish(c->writer, capture, err) != 0)
        return -1;
    c->file->captures_n++;
    struct judgement judgement;
    verdict_judge(&judgement, &s->quality, &s->clock, s->end_ns, s->trace.pcpus, s->trace.has_runstates);
    c->doubtful |= judgement.verdict != VERDICT_GOOD;
    if (!c->options->quiet)
        say_verdict(which, &judgement);
    return 0;
}

/* Two traces that begin with the same bytes could not be told apart later. */
static int check_twice(const struct creation *c, struct error *err)
{
    const struct capture *last = &c->file->captures[c->file->captures_n - 1];
    for (const struct capture *p = c->file->captures; p < last; p++)
        if (strcmp(p->id, last->id) == 0)
            return error_set(err, ERROR_USAGE, "begins with the same bytes as %s: the same trace twice?",
                             p->source);
    return 0;
}

/* Outside counters go in as they are: what is read from the trace later is charged by them, too. So do names and facts. */
static int add_files(const struct creation *c, struct error *err)
{
    const struct buffer *counters = &c->counters_text, *names = &c->names_text, *facts = &c->facts_text;
    if (c->counters && capture_writer_add(c->writer, IO_COUNTS_MEMBER, counters->at, counters->n, err) != 0)
        return -1;
    if (c->options->names && capture_writer_add(c->writer, NAMES_MEMBER, names->at, names->n, err) != 0)
        return -1;
    return c->options->host_facts ? capture_writer_add(c->writer, HOST_FACTS_MEMBER, facts->at, facts->n, err)
                                  : 0;
}

static void end_trace(struct creation *c)
{
    trace_run_close(&c->run);
    capture_writer_free(c->writer);
    free(c->summary.domains);
    free(c->summary.pcpus);
    c->run = (struct trace_run){0};
    c->writer = NULL;
    c->summary = (struct summary){0};
}

static int add_trace(struct creation *c, const char *path, struct error *err)
{
    int status = open_trace(c, path, err);
    if (status == 0)
        status = trace_run_go(&c->run, c->options->progress, err);
    if (status == 0)
        status = add_files(c, err);
    if (status == 0)
        status = write_summary(c, err);
    if (status == 0)
        status = check_twice(c, err);
    else if (c->writer && capture_writer_failed(c->writer))
        *err = *capture_writer_failed(c->writer);
    return status;
}

/* ---- the work ---- */

static void say_what_was_made(const struct creation *c, uint64_t stored)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < c->file->captures_n; i++)
        bytes += c->file->captures[i].trace_bytes;
    char traces[HUMAN_BYTES], archive[HUMAN_BYTES];
    complain("%s: %s of traces in %s (%.1f %%)%s", c->file->path ? c->file->path : "-",
             human_bytes(traces, bytes), human_bytes(archive, stored),
             bytes ? 100.0 * (double)stored / (double)bytes : 0.0,
             c->options->with_trace ? "" : ", without the traces themselves");
}

/* What can be known before the work begins. */
static int check_input(const char *path, struct error *err)
{
    if (archive_file_is(path))
        return error_set(err, ERROR_USAGE, "is an archive already (xenmeter archive merge joins archives)");
    if (strcmp(path, "-") != 0 && access(path, R_OK) != 0)
        return error_set(err, ERROR_IO, "cannot open: %s", strerror(errno));
    return 0;
}

static int create(struct creation *c)
{
    static char standard_input[] = "-";
    char *const only[] = {standard_input};
    const struct options *o = c->options;
    struct error err = {0};
    char *const *inputs = o->inputs_n ? o->inputs : only;
    size_t inputs_n = o->inputs_n ? o->inputs_n : 1;
    for (size_t i = 0; i < inputs_n; i++)
        if (check_input(inputs[i], &err) != 0)
            return archive_file_fail(c->file, inputs[i], &err);
    for (size_t i = 0; i < inputs_n; i++) {
        int status = add_trace(c, inputs[i], &err);
        end_trace(c);
        if (status != 0)
            return archive_file_fail(c->file, inputs[i], &err);
    }
    int status = archive_file_commit(c->file);
    if (c->file->complete && !o->quiet)
        say_what_was_made(c, frame_writer_bytes(c->file->frames));
    return status;
}

/* It may be a pipe: it is read once. */
static const struct small_file kept_file = {.cannot = "cannot read", .most = SIZE_MAX};

static int read_counters(struct creation *c, const char *path, struct error *err)
{
    if (small_file_read(path, &kept_file, &c->counters_text, err) != 0)
        return -1;
    c->counters = counters_read_text(c->counters_text.at, c->counters_text.n, err);
    return c->counters ? 0 : -1;
}

/* Names are kept as they are; whether they can be read at all is known now. */
static int read_names(struct creation *c, const char *path, struct error *err)
{
    if (small_file_read(path, &kept_file, &c->names_text, err) != 0)
        return -1;
    struct domain_names *names = names_read_text(c->names_text.at, c->names_text.n, err);
    names_free(names);
    return names ? 0 : -1;
}

static int begin(struct creation *c)
{
    struct error err = {0};
    const struct options *o = c->options;
    if (o->io_counts && read_counters(c, o->io_counts, &err) != 0)
        return fail(o->io_counts, &err);
    if (o->names && read_names(c, o->names, &err) != 0)
        return fail(o->names, &err);
    if (o->host_facts && host_facts_file(o->host_facts, &c->facts_text, &err) != 0)
        return fail(o->host_facts, &err);
    if (choose(c, &err) != 0)
        return fail(NULL, &err);
    if (archive_file_open(c->file, o->output, o->level, threads_wanted(o), &err) != 0)
        return fail(archive_file_name(c->file), &err);
    return create(c);
}

int archive_create_run(const struct options *o)
{
    struct archive_file file = {0};
    struct creation c = {.options = o, .file = &file};
    uint64_t begun_ns = io_clock_ns();
    int status = begin(&c);
    if (status == EXIT_DONE && o->strict && c.doubtful)
        status = EXIT_FINDING;
    archive_file_close(&file);
    counters_free(c.counters);
    buffer_free(&c.counters_text);
    buffer_free(&c.names_text);
    buffer_free(&c.facts_text);
    if (o->timing)
        say_thread_times(begun_ns);
    return status;
}

/* ---- options ---- */

static int check(struct options *o, struct error *err)
{
    if (!o->output)
        return error_set(err, ERROR_USAGE, "where to? --output names the archive");
    return 0;
}

static const char *const formats[] = {"archive", NULL}; /* --format is not taken */

static const struct option_spec options[] = {
    OPTION_OUTPUT_AS("FILE", "the archive; \"-\": standard output", ":archive"),
    OPTION_FLAG(0, "with-trace", with_trace,
                "keep the trace itself, too, in chunks that can be read each by itself"),
    OPTION(0, "host", "LABEL", "whose traces they are (default \"host\"); hosts stay apart", .set = set_text,
           OPTION_FIELD(host)),
    OPTION_GRANULARITY("keep results of these lengths: 10s,1s,100ms; execution: one row each (default 1s; "
                       "\"total\" alone: none beside the whole trace, which is always kept)"),
    OPTION('b', "by", "LIST",
           "keep rows by these, beside domain: vcpu,pcpu,domain-pcpu (default with the trace: none; "
           "without: vcpu,pcpu)",
           .set = set_bys, .choices = ":list\nvcpu\npcpu\ndomain-pcpu"),
    OPTION_NAMES("keep domain names"),
    OPTION_HOST_FACTS("keep these facts about the host: names of domains, times of day"),
    OPTION(0, "level", "N", "of compression, 1 to 19 (default 3)", .set = set_level,
           .choices = "1\n3\n9\n19"),
    OPTION('T', "threads", "N", "compress on N threads (default: as many as --jobs)", .set = set_threads),
    OPTIONS_HEADING("I/O and driver domains"),
    OPTIONS_CHARGE,
    OPTIONS_HEADING("How to read a trace"),
    OPTIONS_TRACE,
    OPTIONS_ALL,
};

static const struct command command = {
    .order = 61,
    .name = "archive create",
    .summary = "traces, and what they tell, into an archive",
    .usage = "[OPTIONS] [TRACE...] -o ARCHIVE",
    .text = "TRACE is a capture of xentrace, plain or compressed by zstd, gzip or xz; \"-\" or nothing: "
            "standard input, also a live pipe, until it ends or SIGINT or SIGTERM arrives. Several traces "
            "of one host that follow each other are read as one later. ARCHIVE (*.xma) is a zstd file of "
            "a tar file: xenmeter-archive(5).\n"
            "The archive is written as ARCHIVE.partial, which stays if the work fails or the process is "
            "killed. A signal that asks to end completes the archive of a pipe, and removes that of a file.",
    .examples =
        "xenmeter archive create --with-trace capture.xt -o capture.xma\n"
        "xentrace -D -e 0x2f000 /dev/stdout | xenmeter archive create --host web1 -g 10s - -o web1.xma",
    .options = options,
    .operands = OPERANDS_TRACES,
    .formats = formats,
    .check = check,
    .run = archive_create_run,
};
COMMAND(command);
