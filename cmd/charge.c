/* xenmeter charge: who used the driver domains. */
#include <string.h>

#include "formats/charge_words.h"
#include "metrics/measure/weight_fit.h"
#include "reading.h"

#define FIT_INTERVAL_NS 1000000000u

struct charge {
    struct reading reading;
    struct weight_fit *fit; /* --fit; else NULL */
    struct fitted_weights weights;
};

/* ---- charges on their way to the writer ---- */

static int take_interval(void *context, const struct interval *interval, const struct row *rows, size_t n)
{
    (void)context, (void)interval, (void)rows, (void)n; /* its charges follow */
    return 0;
}

/* ---- weights that are fitted ---- */

static int begin_fit(struct reading *r, struct error *err)
{
    struct charge *c = (struct charge *)r;
    struct charge_options *charge = &r->meter.charge;
    if (!weight_fit_is_possible(charge))
        return error_set(
            err, ERROR_USAGE,
            "--fit wants measured times: --io-counts FILE with CPU times of threads, which \"xenmeter "
            "io-counts\" records in the driver domain while the trace is taken, or --dom0-trace FILE");
    c->fit = weight_fit_new(charge, charge->methods, r->options->domains);
    charge->methods = CHARGE_AUTO; /* what is measured is that, whatever is to be fitted */
    return c->fit ? 0 : error_no_memory(err, "the weights");
}

static int take_for_fit(void *context, const struct interval *interval, const struct charge_idd *idds,
                        size_t n)
{
    struct charge *c = context;
    weight_fit_take(c->fit, pipeline_pass(c->reading.run.pipeline)->clock, interval, idds, n);
    return 0;
}

/* The table has them itself. */
static void say_weights(const struct fitted_weights *fit)
{
    struct buffer weights = {0};
    fit_add_weights(&weights, fit);
    buffer_add(&weights, "", 1);
    if (!weights.failed)
        complain("--weights %s", weights.at);
    buffer_free(&weights);
}

static int finish_fit(struct reading *r, struct error *err)
{
    struct charge *c = (struct charge *)r;
    if (weight_fit_solve(c->fit, &c->weights, err) != 0)
        return -1;
    if (!r->options->quiet && strcmp(r->options->format, "table") != 0)
        say_weights(&c->weights);
    const struct rows rows = {
        .relation = &relation_fitted_weights, .at = c->weights.kinds, .n = c->weights.n};
    return reading_write(r, &rows);
}

/* --fit: intervals are not written, but fitted to. */
static void prepare_fit(struct charge *c)
{
    struct reading *r = &c->reading;
    r->meter.sink.charges = take_for_fit;
    r->from_trace = true;
    r->begin = begin_fit;
    r->finish = finish_fit;
    r->schema.name = "charge-fit";
    r->schema.selection.domains = NULL; /* they choose what is fitted to */
    r->charges.fit = &c->weights;
}

/* ---- the work ---- */

static const struct relation *const relations[] = {&relation_charges, &relation_fitted_weights, NULL};

static int prepare(struct reading *r, struct error *err)
{
    struct charge *c = (struct charge *)r;
    const struct options *o = r->options;
    r->schema.bys = 1u << BY_DOMAIN;
    reading_show_charges(r);
    r->meter = (struct meter_options){.bys = 1u << BY_DOMAIN,
                                      .no_slices = true,
                                      .charge.wanted = true,
                                      .sink = {c, take_interval, NULL, reading_write_charges, NULL}};
    if (o->fit)
        prepare_fit(c);
    return reading_choose(r, &relations[o->fit], 1,
                          o->sort               ? o->sort
                          : o->limit && !o->fit ? "charged_ns"
                                                : NULL,
                          err);
}

static int run(const struct options *o)
{
    struct charge c = {0};
    int status = reading_command(&c.reading, o, prepare);
    weight_fit_free(c.fit);
    return status;
}

/* ---- options ---- */

static int check(struct options *o, struct error *err)
{
    const char *refused = !o->fit ? NULL : o->live_ns ? "--live" : o->charge_all ? "--charge-all" : NULL;
    if (refused)
        return error_set(err, ERROR_USAGE, "%s does not go with --fit", refused);
    if (o->fit && o->granularities > 1)
        return error_set(err, ERROR_USAGE, "--fit wants one length of interval; without any it is 1s");
    if (o->fit && o->granularities_ns[0] == 0)
        o->granularities_ns[0] = FIT_INTERVAL_NS;
    return 0;
}

static const struct option_spec options[] = {
    OPTIONS_HEADING("How to charge"),
    OPTIONS_CHARGE,
    OPTION_DOM0_TRACE,
    OPTION_FLAG(
        0, "fit", fit,
        "what one event costs, by measured times (--io-counts with CPU times, or --dom0-trace): weights "
        "for --weights, instead of charges"),
    OPTIONS_HEADING("What to report"),
    OPTION_GRANULARITY("total (default), lengths (10s,1s,100ms,500us)"),
    OPTION_LIVE,
    OPTION_DOMAINS("only these guests: 1,3-5,web*; shares stay those of the whole"),
    OPTION_SORT("order the guests of each driver domain, largest first"),
    OPTION_LIMIT("of each driver domain the first N guests; without -s those that are charged most"),
    OPTION_TIME_OF_DAY,
    OPTIONS_SHOWING,
    OPTION_TIME_FORMAT,
    OPTION_HOST_FACTS(HOST_FACTS_HELP),
    OPTIONS_READING("more about the data on standard error"),
    OPTIONS_ALL,
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
                "xenmeter charge --dom0-trace dom0.txt.zst capture.xt\n"
                "xenmeter charge --fit --io-counts counts.csv capture.xt",
    .options = options,
    .operands = OPERANDS_TRACE,
    .no_executions = true,
    .sums_timelines = true,
    .check = check,
    .formats = writer_formats,
    .relations = relations,
    .run = run,
};
COMMAND(command);
