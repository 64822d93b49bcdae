/* xenmeter report: per-domain accounting at any granularity. */
#include <string.h>

#include "archive_commands.h"
#include "reading.h"

/* ---- rows on their way to the writer ---- */

static int take_interval(void *context, const struct interval *interval, const struct row *rows, size_t n)
{
    const struct rows all = {
        .relation = &relation_rows, .by = interval->by, .interval = interval, .at = rows, .n = n};
    return reading_write(context, &all);
}

static int take_execution(void *context, const struct execution *execution)
{
    const struct rows one = {.relation = &relation_executions, .at = execution, .n = 1};
    return reading_write(context, &one);
}

/* ---- setting up ---- */

static const struct relation *const relations[] = {&relation_rows, &relation_executions, NULL};
static const struct relation *const exposed[] = {&relation_rows, &relation_charges, NULL};

/* The histograms of which no percentile is shown. */
static unsigned no_percentiles(const struct reading *r)
{
    static const struct {
        enum column_flag flag;
        enum histogram_of of;
    } all[] = {
        {COLUMN_RUNS, HISTOGRAM_RUN}, {COLUMN_WAITS, HISTOGRAM_WAIT}, {COLUMN_BLOCKINGS, HISTOGRAM_BLOCK}};
    unsigned none = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        none |= writer_wants(r->options->format, &r->schema, all[i].flag) ? 0 : all[i].of;
    return none;
}

static int prepare(struct reading *r, struct error *err)
{
    const struct options *o = r->options;
    bool rows = o->granularities || !o->executions; /* of intervals, if there are any */
    r->schema.bys = o->bys ? o->bys : 1u << BY_DOMAIN;
    r->schema.selection.pcpus = o->pcpus;
    r->schema.selection.memory_limit = o->max_memory;
    bool sums = writer_replaces(o->format);
    if ((sums ? reading_choose(r, exposed, 2, NULL, err)
              : reading_choose(r, relations + !rows, (size_t)rows + o->executions, o->sort, err)) != 0)
        return -1;
    if (sums && o->live_ns)
        reading_replace_file(r);
    const struct shown *executions = choice_find(&r->choice, &relation_executions);
    if (executions && executions->sort && !o->limit && !o->quiet)
        complain("all executions are kept in memory to be ordered; with --limit N only N are");
    bool only_by_pcpu =
        (r->schema.bys & ~(1u << BY_PCPU | 1u << BY_DOMAIN_PCPU)) == 0; /* chosen row by row */
    r->meter = (struct meter_options){
        .bys = r->schema.bys,
        .pcpus_wanted = only_by_pcpu ? NULL : r->schema.selection.pcpus,
        .idle_rows = writer_makes_files(o->format), /* XenMon's logs have the idle loops */
        .no_percentiles = no_percentiles(r),
        .no_slices = !writer_wants(o->format, &r->schema, COLUMN_SLICE),
        .charge.wanted = writer_wants(o->format, &r->schema, COLUMN_CHARGE),
        .sink = {r, take_interval, take_execution, sums ? reading_write_charges : NULL, NULL},
    };
    return 0;
}

static int run(const struct options *o)
{
    struct reading reading = {0};
    bool archive = strcmp(o->format, "archive") == 0 && !options_list_columns(o) && !o->schema;
    return archive ? archive_create_run(o) : reading_command(&reading, o, prepare);
}

/* ---- options ---- */

static const struct option_spec options[] = {
    OPTIONS_HEADING("What to report"),
    OPTION_BYS("rows by domain (default), vcpu, pcpu or domain-pcpu"),
    OPTION_GRANULARITY("total (default), lengths (10s,1s,100ms,500us), execution"),
    OPTION_LIVE,
    OPTION_DOMAINS("only these domains: 0,3-5,web*"),
    OPTION_PCPUS("only time on these pCPUs"),
    OPTION_TIME_OF_DAY,
    OPTIONS_HEADING("How to show it"),
    OPTION_FORMAT("table, csv, tsv, json, jsonl, sqlite, xenmon, prometheus, archive; default: by the "
                  "ending of -o (.prom, .xma), else table"),
    OPTION_OUTPUT,
    OPTION_COLUMNS,
    OPTION_SCHEMA,
    OPTION_SORT("order the rows of an interval, or all executions, largest first"),
    OPTION_LIMIT("at most N rows of an interval, at most N executions"),
    OPTION_TIME_FORMAT,
    OPTION_NAMES("domain names"),
    OPTION_HOST_FACTS(HOST_FACTS_HELP),
    OPTION_RAW_NAMES,
    OPTION_COLOR,
    OPTIONS_HEADING("I/O and driver domains"),
    OPTIONS_CHARGE,
    OPTION_DOM0_TRACE,
    OPTIONS_READING("more about the data on standard error"),
    OPTIONS_ALL,
};

static const struct command command = {
    .order = 10,
    .name = "report",
    .summary = "where the CPU went: per domain, vCPU or pCPU, at any granularity",
    .usage = "[OPTIONS] [FILE]",
    .text = TRACE_TEXT,
    .examples = "xenmeter report capture.xt\n"
                "xenmeter report -b vcpu -g 1s,100ms -f csv -o capture.csv capture.xt.zst\n"
                "xentrace -D -e 0x2f000 /dev/stdout | xenmeter report --live 1s -",
    .options = options,
    .operands = OPERANDS_TRACE,
    .sums_timelines = true,
    .formats = report_formats,
    .relations = relations,
    .run = run,
};
COMMAND(command);
