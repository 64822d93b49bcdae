/* xenmeter charge: who used the driver domains. */
#include <stdlib.h>

#include "metrics/relation/charges.h"
#include "reading.h"

struct charge {
    struct reading reading;
    struct charge_schema charges;
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

static const struct relation *const relations[] = {&relation_charges, NULL};

static int prepare(struct reading *r, struct error *err)
{
    struct charge *c = (struct charge *)r;
    const struct options *o = r->options;
    c->charges = (struct charge_schema){.options = &r->meter.charge,
                                        .io_counts = reading_io_counts(r),
                                        .dom0_trace = o->dom0_trace,
                                        .own_baseline = o->own_baseline};
    r->schema.bys = 1u << BY_DOMAIN;
    r->schema.charge = &c->charges;
    r->meter = (struct meter_options){.bys = 1u << BY_DOMAIN,
                                      .no_slices = true,
                                      .charge.wanted = true,
                                      .sink = {c, take_interval, NULL, take_charges, NULL}};
    return reading_choose(r, relations, 1, o->sort ? o->sort : o->limit ? "charged_ns" : NULL, err);
}

static int run(const struct options *o)
{
    struct charge c = {0};
    int status = reading_command(&c.reading, o, prepare);
    free(c.rows.at);
    return status;
}

/* ---- options ---- */

static const struct option_spec options[] = {
    OPTIONS_HEADING("How to charge"),
    OPTIONS_CHARGE,
    OPTION_DOM0_TRACE,
    OPTIONS_HEADING("What to report"),
    OPTION_GRANULARITY("total (default), lengths (10s,1s,100ms,500us)"),
    OPTION_LIVE,
    OPTION_DOMAINS("only these guests: 1,3-5; shares stay those of the whole"),
    OPTION_SORT("order the guests of each driver domain, largest first"),
    OPTION_LIMIT("of each driver domain the first N guests; without -s those that are charged most"),
    OPTION_TIME,
    OPTIONS_SHOWING,
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
                "xenmeter charge --io-counts counts.csv --weights send=1,recv=1.1 capture.xt\n"
                "xenmeter charge --dom0-trace dom0.txt.zst capture.xt",
    .options = options,
    .operands = OPERANDS_TRACE,
    .no_executions = true,
    .formats = writer_formats,
    .relations = relations,
    .run = run,
};
COMMAND(command);
