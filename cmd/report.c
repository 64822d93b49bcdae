/* xenmeter report: per-domain accounting at any granularity. */
#include <string.h>

#include "archive_commands.h"
#include "columns_list.h"
#include "reading.h"

struct report {
    struct options options;
    struct reading reading;
    struct consumer consumer; /* does nothing but have rows made */
    struct meter_options meter;
    struct column_choice choice;
    struct report_schema schema;
};

/* ---- rows on their way to the writer ---- */

static int take_interval(void *context, const struct interval *interval, const struct row *rows, size_t n)
{
    struct report *r = context;
    const struct rows all = {
        .relation = &relation_rows, .by = interval->by, .interval = interval, .at = rows, .n = n};
    return reading_write(&r->reading, &all);
}

static int take_execution(void *context, const struct execution *execution)
{
    struct report *r = context;
    const struct rows one = {.relation = &relation_executions, .at = execution, .n = 1};
    return reading_write(&r->reading, &one);
}

/* ---- setting up ---- */

static const struct relation *const relations[] = {&relation_rows, &relation_executions};
#define RELATIONS (sizeof relations / sizeof *relations)

static unsigned bys_of(const struct options *o)
{
    return o->bys ? o->bys : 1u << o->by;
}

/* Rows of intervals come if there are intervals, executions if they were asked for. */
static int choose(struct report *r, struct error *err)
{
    const struct options *o = &r->options;
    bool rows = o->granularities || !o->executions;
    r->schema = (struct report_schema){.name = "report",
                                       .choice = &r->choice,
                                       .selection = {.domains = o->domains_given ? o->domains : NULL,
                                                     .pcpus = o->pcpus_given ? o->pcpus : NULL,
                                                     .limit = o->limit,
                                                     .memory_limit = o->max_memory},
                                       .bys = bys_of(o)};
    return choice_make(&r->choice, rows ? relations : relations + 1, (size_t)rows + o->executions, o->columns,
                       o->sort, (bys_of(o) & (bys_of(o) - 1)) != 0, err);
}

static bool is_of_slices(const struct column *column)
{
    return strncmp(column->name, "allocated_", strlen("allocated_")) == 0;
}

/* Whether some column that is shown, or ordered by, needs the slices granted. */
static bool shows_slices(const struct column_choice *c)
{
    bool shows = !c->given;
    for (size_t i = 0; i < c->n; i++) {
        const struct shown *s = &c->shown[i];
        shows |= s->sort && is_of_slices(s->sort);
        for (size_t k = 0; k < s->n; k++)
            shows |= is_of_slices(s->columns[k]);
    }
    return shows;
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
    bool only_by_pcpu = (bys_of(o) & ~(1u << BY_PCPU | 1u << BY_DOMAIN_PCPU)) == 0; /* chosen row by row */
    r->meter = (struct meter_options){
        .bys = bys_of(o),
        .pcpus_wanted = o->pcpus_given && !only_by_pcpu ? o->pcpus : NULL,
        .no_slices = !shows_slices(&r->choice) && !writer_makes_files(o->format),
        .idle_rows = writer_makes_files(o->format), /* XenMon's logs have the idle loops */
        .charge.wanted = writer_wants_charges(o->format, &r->schema),
        .sink = {r, take_interval, take_execution, NULL, NULL},
    };
    return reading_run(&r->reading, &r->consumer, &r->meter, &r->schema);
}

static int run_report(const struct options *o)
{
    struct report r = {.options = *o};
    int status;
    if (o->columns && strcmp(o->columns, "help") == 0) {
        columns_list(relations, RELATIONS);
        return EXIT_DONE;
    }
    if (strcmp(o->format, "archive") == 0)
        return archive_create_run(o);
    status = run(&r);
    reading_close(&r.reading);
    choice_free(&r.choice);
    return status;
}

/* ---- options ---- */

static const char *const formats[] = {"table", "csv", "json", "jsonl", "xenmon", "archive", NULL};

static void offer_columns(struct completion *c)
{
    complete_columns(c, relations, RELATIONS);
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
    OPTION_SORT("order the rows of an interval, or all executions, largest first", offer_columns),
    OPTION_LIMIT("at most N rows of an interval, at most N executions"),
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
