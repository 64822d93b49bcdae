/* xenmeter report: per-domain accounting at any granularity. */
#include <string.h>

#include "archive_commands.h"
#include "columns_list.h"
#include "reading.h"

static const char help[] =
    "xenmeter report - where the CPU of a Xen host went\n"
    "\n"
    "Usage: xenmeter report [OPTIONS] [FILE]\n"
    "\n"
    "FILE is a capture of xentrace, plain or compressed by zstd, or an archive (xenmeter archive);\n"
    "\"-\" or nothing: standard input.\n"
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
    "  -f, --format NAME       table, csv, json, jsonl, xenmon, archive; default: by the ending\n"
    "                          of -o (archive: .xma), else table\n"
    "  -o, --output FILE       write to FILE, whole or not at all; .zst at the end compresses\n"
    "  -c, --columns LIST      these columns, in this order (\"all\"; \"help\" lists them)\n"
    "  -s, --sort COLUMN       order the rows of an interval, or all executions, largest first\n"
    "  -n, --limit N           at most N rows of an interval, at most N executions\n"
    "      --names FILE        domain names: lines \"ID NAME\", or the output of \"xl list\"\n"
    "      --color WHEN        auto, always, never\n"
    "I/O and driver domains\n" CHARGE_HELP READING_HELP "\n"
    "Examples:\n"
    "  xenmeter report capture.xt\n"
    "  xenmeter report -b vcpu -g 1s,100ms -f csv -o capture.csv capture.xt.zst\n"
    "  xentrace -D -e 0x2f000 /dev/stdout | xenmeter report --live 1s -\n";

static const char *const formats[] = {"table", "csv", "json", "jsonl", "xenmon", "archive", NULL};

static const struct option_set option_set = {
    .command = "report",
    .letters = "fobgdptcsnqv",
    .longs = " names cpu-hz live max-memory color progress host " CHARGE_LONGS,
    .formats = formats,
    .help = help,
};

struct report {
    struct options options;
    struct reading reading;
    struct meter_options meter;
    struct column_choice choice;
    struct report_schema schema;
};

/* ---- rows on their way to the writer ---- */

static int take_interval(void *context, const struct interval *interval, const struct row *rows, size_t n)
{
    struct report *r = context;
    const struct rows all = {
        .relation = &relation_rows, .by = r->options.by, .interval = interval, .at = rows, .n = n};
    reading_will_write(&r->reading);
    return reading_has_written(&r->reading, writer_rows(r->reading.writer, &all));
}

static int take_execution(void *context, const struct execution *execution)
{
    struct report *r = context;
    const struct rows one = {.relation = &relation_executions, .at = execution, .n = 1};
    int status = writer_rows(r->reading.writer, &one);
    r->reading.failed = r->reading.failed || status != 0;
    return status;
}

/* ---- setting up ---- */

static const struct relation *const relations[] = {&relation_rows, &relation_executions};

/* Rows of intervals come if there are intervals, executions if they were asked for. */
static int choose(struct report *r, struct error *err)
{
    const struct options *o = &r->options;
    bool rows = o->granularities || !o->executions;
    r->schema = (struct report_schema){.choice = &r->choice,
                                       .selection = {.domains = o->domains_given ? o->domains : NULL,
                                                     .pcpus = o->pcpus_given ? o->pcpus : NULL,
                                                     .limit = o->limit,
                                                     .memory_limit = o->max_memory},
                                       .bys = 1u << o->by};
    return choice_make(&r->choice, rows ? relations : relations + 1, (size_t)rows + o->executions, o->columns,
                       o->sort, false, err);
}

static int run(struct report *r)
{
    struct error err = {0};
    const struct options *o = &r->options;
    if (reading_open(&r->reading, o) != EXIT_DONE)
        return EXIT_ERROR;
    if (choose(r, &err) != 0)
        return fail(NULL, &err);
    const struct shown *executions = choice_find(&r->choice, &relation_executions);
    if (executions && executions->sort && !o->limit && !o->quiet)
        complain("all executions are kept in memory to be ordered; with --limit N only N are");
    bool rows_by_pcpu = o->by == BY_PCPU || o->by == BY_DOMAIN_PCPU;
    r->meter = (struct meter_options){
        .by = o->by,
        .pcpus_wanted = o->pcpus_given && !rows_by_pcpu ? o->pcpus : NULL,
        .idle_rows = writer_makes_files(o->format), /* XenMon's logs have the idle loops */
        .charge.wanted = writer_wants_charges(o->format, &r->schema),
        .sink = {r, take_interval, take_execution, NULL},
    };
    return reading_run(&r->reading, &r->meter, &r->schema);
}

int command_report(int argc, char **argv)
{
    struct report r = {0};
    int status;
    if (options_parse(&r.options, &option_set, argc, argv, &status)) {
        if (r.options.columns && strcmp(r.options.columns, "help") == 0) {
            columns_list(relations, 2);
            status = EXIT_DONE;
        } else if (strcmp(r.options.format, "archive") == 0) {
            status = archive_create_run(&r.options);
        } else {
            status = run(&r);
        }
    }
    reading_close(&r.reading);
    choice_free(&r.choice);
    options_free(&r.options);
    return status;
}
