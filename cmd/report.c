/* xenmeter report: per-domain accounting at any granularity. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive_commands.h"
#include "reading.h"

struct report {
    struct options options;
    struct reading reading;
    struct meter_options meter;
    struct report_schema schema;
    const struct column **columns;
    size_t columns_n;
    const struct column *sort;
    struct row *rows; /* of an interval, filtered and ordered */
    size_t rows_capacity;
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
    if (row->measures->charged_ns)
        return true;
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
                               .names = sorting->reading.names};
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
        if (!larger)
            return reading_no_memory(&r->reading, n);
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
    reading_will_write(&r->reading);
    return reading_has_written(&r->reading, writer_interval(r->reading.writer, interval, r->rows, kept));
}

static int take_execution(void *context, const struct execution *execution)
{
    struct report *r = context;
    const struct options *o = &r->options;
    if (o->domains_given && !o->domains[execution->domain])
        return 0;
    int status = writer_execution(r->reading.writer, execution);
    r->reading.failed = r->reading.failed || status != 0;
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
        return error_no_memory(err, "the report");
    if (columns_choose(r->options.columns ? r->options.columns : "all", r->columns, &r->columns_n, err) != 0)
        return -1;
    if (!r->options.sort)
        return 0;
    const struct column **sort = calloc(report_columns_n, sizeof(struct column *));
    if (!sort)
        return error_no_memory(err, "the report");
    size_t n = 0;
    int status = columns_choose(r->options.sort, sort, &n, err);
    if (status == 0 && n != 1)
        status = error_set(err, ERROR_USAGE, "--sort %s: one column at a time", r->options.sort);
    if (status == 0)
        r->sort = sort[0];
    free(sort);
    return status;
}

static int run(struct report *r)
{
    struct error err = {0};
    const struct options *o = &r->options;
    if (o->bys & (o->bys - 1)) {
        complain("--by: rows can be by domain, vcpu, pcpu or domain-pcpu");
        return EXIT_ERROR;
    }
    if (reading_open(&r->reading, o) != EXIT_DONE)
        return EXIT_ERROR;
    if (choose_columns(r, &err) != 0)
        return fail(NULL, &err);
    r->schema = (struct report_schema){.by = o->by,
                                       .executions = o->executions,
                                       .columns = r->columns,
                                       .columns_n = r->columns_n,
                                       .columns_given = o->columns != NULL};
    bool rows_by_pcpu = o->by == BY_PCPU || o->by == BY_DOMAIN_PCPU;
    r->meter = (struct meter_options){
        .by = o->by,
        .pcpus_wanted = o->pcpus_given && !rows_by_pcpu ? o->pcpus : NULL,
        .idle_rows = writer_makes_files(o->format), /* XenMon's logs have the idle loops */
        .charge.wanted = writer_wants_charges(o->format, &r->schema) || (r->sort && r->sort->charge),
        .sink = {r, take_interval, take_execution, NULL},
    };
    return reading_run(&r->reading, &r->meter, &r->schema);
}

static int run_report(const struct options *o)
{
    struct report r = {.options = *o};
    int status;
    if (o->columns && strcmp(o->columns, "help") == 0) {
        list_columns();
        return EXIT_DONE;
    }
    if (strcmp(o->format, "archive") == 0)
        return archive_create_run(o);
    status = run(&r);
    reading_close(&r.reading);
    free(r.columns);
    free(r.rows);
    return status;
}

/* ---- options ---- */

static const char *const formats[] = {"table", "csv", "json", "jsonl", "xenmon", "archive", NULL};

static void offer_columns(struct completion *c)
{
    complete_columns(c, report_columns, report_columns_n);
}

static const struct option_spec options[] = {
    OPTIONS_HEADING("What to report"),
    OPTION_BYS("rows by domain (default), vcpu, pcpu or domain-pcpu"),
    OPTION_GRANULARITY("total (default), lengths (10s,1s,100ms,500us), execution"),
    OPTION_LIVE,
    OPTION_DOMAINS("only these domains: 0,3-5"),
    OPTION_PCPUS("only time on these pCPUs"),
    OPTION_TIME,
    OPTIONS_HEADING("How to show it"),
    OPTION_FORMAT("table, csv, json, jsonl, xenmon, archive; default: by the ending of -o (archive: .xma), "
                  "else table"),
    OPTION_OUTPUT,
    OPTION_COLUMNS("these columns, in this order (\"all\"; \"help\" lists them)", offer_columns),
    OPTION_SORT("order the rows of an interval, largest first", offer_columns),
    OPTION_LIMIT("at most N rows of an interval"),
    OPTION_NAMES("domain names"),
    OPTION_COLOR,
    OPTIONS_HEADING("I/O and driver domains"),
    OPTIONS_CHARGE,
    OPTIONS_READING("more about the data on standard error"),
    OPTIONS_END,
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
    .formats = formats,
    .run = run_report,
};
COMMAND(command);
