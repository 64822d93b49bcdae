/* xenmeter charge: who used the driver domains. */
#include <stdlib.h>
#include <string.h>

#include "columns_list.h"
#include "metrics/relation/charges.h"
#include "reading.h"

struct charge {
    struct options options;
    struct reading reading;
    struct consumer consumer; /* does nothing but have rows made */
    struct meter_options meter;
    struct charge_schema charges;
    struct column_choice choice;
    struct report_schema schema;
    struct charge_rows rows; /* of an interval */
};

/* ---- charges on their way to the writer ---- */

static int take_interval(void *context, const struct interval *interval, const struct row *rows, size_t n)
{
    (void)context, (void)interval, (void)rows, (void)n; /* its charges follow */
    return 0;
}

static int take_charges(void *context, const struct interval *interval, const struct charge_idd *idds,
                        size_t n)
{
    struct charge *c = context;
    if (!charge_rows_fill(&c->rows, idds, n))
        return reading_no_memory(&c->reading, n);
    const struct rows rows = {.relation = &relation_charges,
                              .interval = interval,
                              .at = c->rows.at,
                              .n = c->rows.n,
                              .groups = idds,
                              .groups_n = n};
    return reading_write(&c->reading, &rows);
}

/* ---- the work ---- */

static const struct relation *const relations[] = {&relation_charges};

static int run(struct charge *c)
{
    struct error err = {0};
    const struct options *o = &c->options;
    const char *sort = o->sort ? o->sort : o->limit ? "charged_ns" : NULL;
    if (reading_open(&c->reading, o) != EXIT_DONE)
        return EXIT_ERROR;
    if (choice_make(&c->choice, relations, 1, o->columns, sort, false, &err) != 0)
        return fail(NULL, &err);
    c->charges =
        (struct charge_schema){.options = &c->meter.charge, .io_counts = reading_io_counts(&c->reading)};
    c->schema = (struct report_schema){
        .name = "charge",
        .choice = &c->choice,
        .selection = {.domains = o->domains_given ? o->domains : NULL, .limit = o->limit},
        .bys = 1u << BY_DOMAIN,
        .charge = &c->charges};
    c->meter = (struct meter_options){.bys = 1u << BY_DOMAIN,
                                      .no_slices = true,
                                      .charge.wanted = true,
                                      .sink = {c, take_interval, NULL, take_charges, NULL}};
    return reading_run(&c->reading, &c->consumer, &c->meter, &c->schema);
}

static int run_charge(const struct options *o)
{
    struct charge c = {.options = *o};
    if (o->columns && strcmp(o->columns, "help") == 0) {
        columns_list(relations, 1);
        return EXIT_DONE;
    }
    int status = run(&c);
    reading_close(&c.reading);
    choice_free(&c.choice);
    free(c.rows.at);
    return status;
}

/* ---- options ---- */

static void offer_columns(struct completion *c)
{
    complete_columns(c, relations, 1);
}

static const struct option_spec options[] = {
    OPTIONS_HEADING("How to charge"),
    OPTIONS_CHARGE,
    OPTIONS_HEADING("What to report"),
    OPTION_GRANULARITY("total (default), lengths (10s,1s,100ms,500us)"),
    OPTION_LIVE,
    OPTION_DOMAINS("only these guests: 1,3-5; shares stay those of the whole"),
    OPTION_SORT("order the guests of each driver domain, largest first", offer_columns),
    OPTION_LIMIT("of each driver domain the first N guests; without -s those that are charged most"),
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
    .order = 40,
    .name = "charge",
    .summary = "who used the driver domains: guest by driver domain, with the evidence",
    .usage = "[OPTIONS] [FILE]",
    .text = TRACE_TEXT "\nA driver domain's running time is shared out among the guests for which it did "
                       "I/O; what it ran without "
                       "I/O is its own, and what cannot be judged is unattributed.",
    .examples = "xenmeter charge capture.xt\n"
                "xenmeter charge --idd 0,5 --charge-by copies,grants -g 1s -f csv -o charges.csv capture.xt\n"
                "xenmeter charge --io-counts counts.csv --weights send=1,recv=1.1 capture.xt",
    .options = options,
    .operands = OPERANDS_TRACE,
    .no_executions = true,
    .formats = writer_formats,
    .run = run_charge,
};
COMMAND(command);
