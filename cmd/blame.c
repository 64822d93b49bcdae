/* xenmeter blame: who had the CPU that others waited for. */
#include <string.h>

#include "columns_list.h"
#include "metrics/measure/delays.h"
#include "reading.h"

struct blame {
    struct reading reading;
    struct consumer consumer;
    struct column_choice choice;
    struct report_schema schema;
    struct delays *delays;
};

static const struct relation *const relations[] = {&relation_delays};

static int take_rows(void *context, const struct interval *interval, const struct delay *delays, size_t n)
{
    struct blame *b = context;
    const struct rows rows = {.relation = &relation_delays, .interval = interval, .at = delays, .n = n};
    return reading_write(&b->reading, &rows);
}

static int run(struct blame *b, const struct options *o)
{
    struct error err = {0};
    struct delay_options delays = {.granularities = o->granularities,
                                   .from_ns = o->from_ns,
                                   .to_ns = o->to_ns,
                                   .pcpus_wanted = o->pcpus_given ? o->pcpus : NULL,
                                   .context = b,
                                   .rows = take_rows};
    memcpy(delays.granularities_ns, o->granularities_ns, sizeof delays.granularities_ns);
    if (reading_open(&b->reading, o) != EXIT_DONE)
        return EXIT_ERROR;
    if (!(b->delays = delays_new(&delays))) {
        error_no_memory(&err, "the report");
        return fail(NULL, &err);
    }
    const char *sort = o->sort ? o->sort : o->limit ? "delayed_ns" : NULL;
    if (choice_make(&b->choice, relations, 1, o->columns, sort, false, &err) != 0)
        return fail(NULL, &err);
    b->schema = (struct report_schema){
        .name = "blame",
        .choice = &b->choice,
        .selection = {.domains = o->domains_given ? o->domains : NULL, .limit = o->limit}};
    b->consumer = delays_consumer(b->delays);
    return reading_run(&b->reading, &b->consumer, NULL, &b->schema);
}

static int run_blame(const struct options *o)
{
    struct blame b = {0};
    if (o->columns && strcmp(o->columns, "help") == 0) {
        columns_list(relations, 1);
        return EXIT_DONE;
    }
    int status = run(&b, o);
    reading_close(&b.reading);
    choice_free(&b.choice);
    delays_free(b.delays);
    return status;
}

static void offer_columns(struct completion *c)
{
    complete_columns(c, relations, 1);
}

static const struct option_spec options[] = {
    OPTIONS_HEADING("What to report"),
    OPTION_GRANULARITY("total (default), lengths (10s,1s,100ms,500us)"),
    OPTION_LIVE,
    OPTION_DOMAINS("only these victims: 0,3-5"),
    OPTION_PCPUS("only waits for these pCPUs"),
    OPTION_SORT("order the pairs of an interval, largest first", offer_columns),
    OPTION_LIMIT("at most N pairs of an interval; without -s those with the largest delays"),
    OPTION_TIME,
    OPTIONS_HEADING("How to show it"),
    OPTION_FORMAT("table, csv, json, jsonl; default: by the ending of -o, else table"),
    OPTION_OUTPUT,
    OPTION_COLUMNS("these columns, in this order (\"all\"; \"help\" lists them)", offer_columns),
    OPTION_NAMES("domain names"),
    OPTION_COLOR,
    OPTIONS_READING("more about the data on standard error"),
    OPTIONS_END,
};

static const struct command command = {
    .order = 45,
    .name = "blame",
    .summary = "who had the CPU that others waited for",
    .usage = "[OPTIONS] [FILE]",
    .text = TRACE_TEXT
    "\nFor every vCPU that waited for a pCPU, and every domain that ran there meanwhile: how long, how "
    "often, and the longest stretch. A vCPU's delays add up to its runnable time.",
    .examples = "xenmeter blame capture.xt\n"
                "xenmeter blame -s delayed_ns -n 5 capture.xt\n"
                "xenmeter blame -g 1s -d 3 -f csv capture.xt",
    .options = options,
    .operands = OPERANDS_TRACE,
    .no_executions = true,
    .formats = writer_formats,
    .run = run_blame,
};
COMMAND(command);
