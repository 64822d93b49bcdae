/* xenmeter charge: who used the driver domains. */
#include <stdlib.h>
#include <string.h>

#include "columns_list.h"
#include "metrics/relation/charges.h"
#include "reading.h"

static const char help[] =
    "xenmeter charge - who used the driver domains: guest by driver domain, with the evidence\n"
    "\n"
    "Usage: xenmeter charge [OPTIONS] [FILE]\n"
    "\n"
    "FILE is a capture of xentrace, plain or compressed by zstd, or an archive (xenmeter archive);\n"
    "\"-\" or nothing: standard input.\n"
    "A driver domain's running time is shared out among the guests for which it did I/O; what it ran\n"
    "without I/O is its own, and what cannot be judged is unattributed.\n"
    "\n"
    "How to charge\n" CHARGE_HELP "What to report\n"
    "  -g, --granularity LIST  total (default), lengths (10s,1s,100ms,500us)\n"
    "      --live LEN          each interval of LEN as soon as it is complete, until the\n"
    "                          input ends or SIGINT or SIGTERM arrives\n"
    "  -d, --domains LIST      only these guests: 1,3-5; shares stay those of the whole\n"
    "  -s, --sort COLUMN       order the guests of each driver domain, largest first\n"
    "  -n, --limit N           of each driver domain the first N guests; without -s those that are\n"
    "                          charged most\n"
    "  -t, --time FROM,TO      only this part of the trace: 1.5s,3s; either may be empty\n"
    "How to show it\n"
    "  -f, --format NAME       table, csv, json, jsonl; default: by the ending of -o, else table\n"
    "  -o, --output FILE       write to FILE, whole or not at all; .zst at the end compresses\n"
    "  -c, --columns LIST      these columns, in this order (\"all\"; \"help\" lists them)\n"
    "      --names FILE        domain names: lines \"ID NAME\", or the output of \"xl list\"\n"
    "      --color WHEN        auto, always, never\n" READING_HELP "\n"
    "Examples:\n"
    "  xenmeter charge capture.xt\n"
    "  xenmeter charge --idd 0,5 --charge-by copies,grants -g 1s -f csv -o charges.csv capture.xt\n"
    "  xenmeter charge --io-counts counts.csv --weights send=1,recv=1.1 capture.xt\n";

static const struct option_set option_set = {
    .command = "charge",
    .letters = "fogdtcsnqv",
    .longs = " names cpu-hz live max-memory color progress host " CHARGE_LONGS,
    .no_executions = true,
    .formats = writer_formats,
    .help = help,
};

struct charge {
    struct options options;
    struct reading reading;
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
    reading_will_write(&c->reading);
    return reading_has_written(&c->reading, writer_rows(c->reading.writer, &rows));
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
        .choice = &c->choice,
        .selection = {.domains = o->domains_given ? o->domains : NULL, .limit = o->limit},
        .bys = 1u << BY_DOMAIN,
        .charge = &c->charges};
    c->meter = (struct meter_options){
        .by = BY_DOMAIN, .charge.wanted = true, .sink = {c, take_interval, NULL, take_charges}};
    return reading_run(&c->reading, &c->meter, &c->schema);
}

int command_charge(int argc, char **argv)
{
    struct charge c = {0};
    int status;
    if (options_parse(&c.options, &option_set, argc, argv, &status)) {
        if (c.options.columns && strcmp(c.options.columns, "help") == 0) {
            columns_list(relations, 1);
            status = EXIT_DONE;
        } else {
            status = run(&c);
        }
    }
    reading_close(&c.reading);
    choice_free(&c.choice);
    free(c.rows.at);
    options_free(&c.options);
    return status;
}
