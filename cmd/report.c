/* xenmeter report: per-domain accounting at any granularity. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "formats/output.h"
#include "formats/writer.h"
#include "metrics/verdict.h"

static const char help[] =
    "xenmeter report - where the CPU of a Xen host went\n"
    "\n"
    "Usage: xenmeter report [OPTIONS] [FILE]\n"
    "\n"
    "FILE is a capture of xentrace, plain or compressed by zstd; \"-\" or nothing: standard input.\n"
    "\n"
    "What to report\n"
    "  -b, --by WHAT           rows by domain (default), vcpu, pcpu or domain-pcpu\n"
    "  -g, --granularity LIST  total (default), lengths (10s,1s,100ms,500us), execution\n"
    "      --live LEN          each interval of LEN as soon as it is complete, until the\n"
    "                          input ends or SIGINT or SIGTERM arrives\n"
    "  -d, --domains LIST      only these domains: 0,3-5\n"
    "  -p, --pcpus LIST        only time on these pCPUs\n"
    "  -t, --time FROM,TO      only this part of the trace: 1.5s,3s; either may be empty\n"
    "How to show it\n"
    "  -f, --format NAME       table, csv, json, jsonl; default: by the ending of -o, else table\n"
    "  -o, --output FILE       write to FILE, whole or not at all; .zst at the end compresses\n"
    "  -c, --columns LIST      these columns, in this order (\"all\"; \"help\" lists them)\n"
    "  -s, --sort COLUMN       order the rows of an interval, largest first\n"
    "  -n, --limit N           at most N rows of an interval\n"
    "      --names FILE        domain names: lines \"ID NAME\", or the output of \"xl list\"\n"
    "      --color WHEN        auto, always, never\n"
    "How to read it\n"
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
    "  xenmeter report capture.xt\n"
    "  xenmeter report -b vcpu -g 1s,100ms -f csv -o capture.csv capture.xt.zst\n"
    "  xentrace -D -e 0x2f000 /dev/stdout | xenmeter report --live 1s -\n";

static const struct option_set option_set = {
    .command = "report",
    .letters = "fobgdptcsnqv",
    .longs = " names cpu-hz live max-memory color progress ",
    .formats = writer_formats,
    .help = help,
};

struct report {
    struct options options;
    struct domain_names *names;
    struct trace *trace;
    struct meter *meter;
    struct output *output;
    struct writer *writer;
    const struct column **columns;
    size_t columns_n;
    const struct column *sort;
    struct row *rows; /* of an interval, filtered and ordered */
    size_t rows_capacity;
    bool failed; /* a sink said stop */
    struct progress progress;
    const volatile sig_atomic_t *stop;
};

/* ---- rows on their way to the writer ---- */

static bool row_wanted(const struct options *o, const struct row *row)
{
    if (o->domains_given && row->domain >= 0 && !o->domains[row->domain])
        return false;
    if (!o->pcpus_given)
        return true;
    if (o->by == BY_PCPU || o->by == BY_DOMAIN_PCPU)
        return row->pcpu >= 0 && o->pcpus[row->pcpu];
    /* Time elsewhere was not counted: a row of zeros was never on these pCPUs. */
    for (int s = 0; s < RUNSTATES; s++)
        if (row->measures->state_ns[s])
            return true;
    return false;
}

/* qsort has no context: the column and interval being sorted by. */
static const struct report *sorting;
static const struct interval *sorting_interval;

static int compare_rows(const void *a, const void *b)
{
    struct record_view left = {.interval = sorting_interval,
                               .row = a,
                               .by = sorting->options.by,
                               .name_of = names_lookup,
                               .names = sorting->names};
    struct record_view right = left;
    right.row = b;
    int order = value_compare(sorting->sort->get(&left), sorting->sort->get(&right));
    if (order)
        return order;
    const struct row *x = a, *y = b;
    const int64_t keys[][2] = {
        {x->domain, y->domain}, {x->life, y->life}, {x->vcpu, y->vcpu}, {x->pcpu, y->pcpu}};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (keys[i][0] != keys[i][1])
            return keys[i][0] < keys[i][1] ? -1 : 1;
    return 0;
}

static int take_interval(void *context, const struct interval *interval, const struct row *rows, size_t n)
{
    struct report *r = context;
    if (r->rows_capacity < n) {
        struct row *larger = realloc(r->rows, n * sizeof *larger);
        if (!larger) {
            complain("no memory for %zu rows", n);
            r->failed = true;
            return -1;
        }
        r->rows = larger;
        r->rows_capacity = n;
    }
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (row_wanted(&r->options, &rows[i]))
            r->rows[kept++] = rows[i];
    if (r->sort) {
        sorting = r;
        sorting_interval = interval;
        qsort(r->rows, kept, sizeof *r->rows, compare_rows);
    }
    if (r->options.limit && kept > r->options.limit)
        kept = r->options.limit;
    if (interval->late && kept == 0)
        return 0;
    progress_end(&r->progress);
    int status = writer_interval(r->writer, interval, r->rows, kept);
    if (status == 0 && r->options.live_ns)
        status = writer_flush(r->writer);
    r->failed = r->failed || status != 0;
    return status;
}

static int take_execution(void *context, const struct execution *execution)
{
    struct report *r = context;
    const struct options *o = &r->options;
    if (o->domains_given && !o->domains[execution->domain])
        return 0;
    int status = writer_execution(r->writer, execution);
    r->failed = r->failed || status != 0;
    return status;
}

/* ---- setting up ---- */

static void list_columns(void)
{
    puts("columns of rows (-c):");
    for (size_t i = 0; i < report_columns_n; i++)
        printf("  %-24s %s\n", report_columns[i].name, report_columns[i].help);
    puts("\ncolumns of executions (-g execution):");
    for (size_t i = 0; i < execution_columns_n; i++)
        printf("  %-24s %s\n", execution_columns[i].name, execution_columns[i].help);
}

static int choose_columns(struct report *r, struct error *err)
{
    r->columns = calloc(report_columns_n, sizeof(struct column *));
    if (!r->columns)
        return error_set(err, ERROR_MEMORY, "no memory");
    if (columns_choose(r->options.columns ? r->options.columns : "all", r->columns, &r->columns_n, err) != 0)
        return -1;
    if (!r->options.sort)
        return 0;
    const struct column **sort = calloc(report_columns_n, sizeof(struct column *));
    if (!sort)
        return error_set(err, ERROR_MEMORY, "no memory");
    size_t n = 0;
    int status = columns_choose(r->options.sort, sort, &n, err);
    if (status == 0 && n != 1)
        status = error_set(err, ERROR_USAGE, "--sort %s: one column at a time", r->options.sort);
    if (status == 0)
        r->sort = sort[0];
    free(sort);
    return status;
}

static int open_writer(struct report *r, struct error *err)
{
    const struct options *o = &r->options;
    r->output = output_open(o->output, err);
    if (!r->output)
        return -1;
    bool terminal = output_is_terminal(r->output);
    static struct report_schema schema;
    schema = (struct report_schema){
        .by = o->by,
        .executions = o->executions,
        .granularities_ns = o->granularities_ns,
        .granularities = o->granularities,
        .columns = r->columns,
        .columns_n = r->columns_n,
        .columns_given = o->columns != NULL,
        .name_of = r->names ? names_lookup : NULL,
        .names = r->names,
        .color = o->color == WHEN_ALWAYS || (terminal && color_wanted(o->color, STDOUT_FILENO)),
        .width = terminal ? terminal_width(STDOUT_FILENO) : 0,
    };
    r->writer = writer_new(o->format, r->output, &schema, err);
    return r->writer ? 0 : -1;
}

static int open_meter(struct report *r, struct error *err)
{
    const struct options *o = &r->options;
    bool rows_by_pcpu = o->by == BY_PCPU || o->by == BY_DOMAIN_PCPU;
    struct meter_options options = {
        .by = o->by,
        .granularities = o->granularities,
        .executions = o->executions,
        .from_ns = o->from_ns,
        .to_ns = o->to_ns,
        .pcpus_wanted = o->pcpus_given && !rows_by_pcpu ? o->pcpus : NULL,
        .memory_limit = o->max_memory,
        .sink = {r, take_interval, take_execution, NULL},
    };
    memcpy(options.granularities_ns, o->granularities_ns, sizeof options.granularities_ns);
    r->meter = meter_new(&options, err);
    return r->meter ? 0 : -1;
}

static int open_trace(struct report *r, struct error *err)
{
    struct trace_options options = {.cpu_hz = r->options.cpu_hz, .memory_limit = r->options.max_memory};
    meter_wants(false, &options);
    if (r->options.live_ns)
        r->stop = options.stop = signals_stop_flag(&options.wait_mask);
    r->trace = trace_open(r->options.input, &options, err);
    return r->trace ? 0 : -1;
}

/* ---- the work ---- */

static int check_clock(const struct report *r, struct error *err)
{
    struct trace_summary s;
    trace_summarise(r->trace, &s);
    if (trace_clock(r->trace)->cpu_hz > 0 || s.tsc_last == s.tsc_first)
        return 0;
    return error_set(err, ERROR_USAGE,
                     "the tsc frequency cannot be told from this trace (no SWITCH_INFPREV records): "
                     "give it with --cpu-hz, as \"xl info\" or \"xl dmesg\" (Detected ... MHz) has it");
}

/* Reads the trace to its end, or until told to stop. -1 with `err` filled, or with r->failed. */
static int read_trace(struct report *r, struct error *err)
{
    struct event_batch batch;
    int status;
    bool checked = false;
    progress_begin(&r->progress, r->options.progress, r->options.quiet);
    while ((status = trace_next(r->trace, &batch, err)) > 0) {
        if (r->stop && *r->stop)
            return meter_stop(r->meter, err);
        if (!checked && check_clock(r, err) != 0)
            return -1;
        checked = true;
        if (meter_feed(r->meter, &batch, trace_clock(r->trace), err) != 0)
            return -1;
        progress_show(&r->progress, r->trace);
    }
    if (status < 0)
        return -1;
    struct trace_summary s;
    trace_summarise(r->trace, &s);
    uint64_t end_ns = clock_ns(trace_clock(r->trace), s.tsc_last);
    if (r->options.from_ns > 0 && r->options.from_ns >= end_ns)
        return error_set(err, ERROR_USAGE, "--time begins at %.9g s, but the trace ends at %.9g s",
                         (double)r->options.from_ns / 1e9, (double)end_ns / 1e9);
    return meter_finish(r->meter, end_ns, err);
}

static void say_verdict(const struct report *r, const struct judgement *j, const struct quality *q)
{
    char reasons[1024] = "";
    size_t n = 0;
    for (unsigned i = 0; i < j->reasons && n < sizeof reasons; i++)
        n += (size_t)snprintf(reasons + n, sizeof reasons - n, "%s%s", i ? "; " : ": ", j->why[i]);
    progress_end((struct progress *)&r->progress);
    complain("verdict %s%s", verdict_name(j->verdict), reasons);
    if (!r->options.verbose)
        return;
    const struct clock *c = trace_clock(r->trace);
    complain("%" PRIu64 " records, %" PRIu64 " bytes in %" PRIu64 " windows and %" PRIu64
             " sweeps; clock %.6f MHz",
             q->records, q->bytes, q->windows, q->sweeps, c->cpu_hz / 1e6);
}

static int end_report(struct report *r, struct error *err)
{
    struct quality quality = *trace_quality(r->trace);
    quality_merge(&quality, meter_quality(r->meter));
    if (r->stop && *r->stop)
        quality.truncated_bytes = 0; /* it was we who stopped reading */
    struct report_summary summary = {.clock = *trace_clock(r->trace), .quality = &quality};
    trace_summarise(r->trace, &summary.trace);
    summary.start_ns = r->options.from_ns;
    summary.end_ns = meter_accounted(r->meter);
    struct judgement judgement;
    verdict_judge(&judgement, &quality, &summary.clock, clock_ns(&summary.clock, summary.trace.tsc_last),
                  summary.trace.pcpus, summary.trace.has_runstates);
    summary.judgement = &judgement;
    struct writer *writer = r->writer;
    struct output *output = r->output;
    r->writer = NULL;
    int status = writer_end(writer, &summary);
    if (output_reader_gone(output))
        return 0;
    r->output = NULL;
    if (output_commit(output, err) != 0 || status != 0)
        return -1;
    bool table = strcmp(r->options.format, "table") == 0;
    if (!r->options.quiet && (!table || r->options.output || r->options.verbose))
        say_verdict(r, &judgement, &quality);
    return 0;
}

static int run(struct report *r)
{
    struct error err = {0};
    const struct options *o = &r->options;
    if (o->names && !(r->names = names_read(o->names, &err)))
        return fail(o->names, &err);
    if (choose_columns(r, &err) != 0) {
        complain("%s", err.message);
        return EXIT_ERROR;
    }
    /* The trace first: a missing file is to leave no output behind. */
    if (open_trace(r, &err) != 0)
        return fail(o->input, &err);
    if (open_meter(r, &err) != 0)
        return fail(NULL, &err);
    if (open_writer(r, &err) != 0)
        return fail(o->output, &err);
    int status = read_trace(r, &err);
    progress_end(&r->progress);
    if (status != 0 && r->output && output_reader_gone(r->output))
        return EXIT_DONE;
    if (status != 0 && r->failed) {
        struct output *output = r->output;
        r->output = NULL;
        if (output_commit(output, &err) != 0)
            fail(o->output ? o->output : "standard output", &err);
        return EXIT_ERROR;
    }
    if (status != 0)
        return fail(o->input, &err);
    if (end_report(r, &err) != 0)
        return fail(o->output ? o->output : "standard output", &err);
    return EXIT_DONE;
}

int command_report(int argc, char **argv)
{
    struct report r = {0};
    int status;
    if (options_parse(&r.options, &option_set, argc, argv, &status)) {
        if (r.options.columns && strcmp(r.options.columns, "help") == 0) {
            list_columns();
            status = EXIT_DONE;
        } else {
            status = run(&r);
        }
    }
    writer_free(r.writer);
    output_abort(r.output);
    meter_free(r.meter);
    trace_close(r.trace);
    names_free(r.names);
    free(r.columns);
    free(r.rows);
    options_free(&r.options);
    return status;
}
