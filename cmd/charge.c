/* xenmeter charge: who used the driver domains. */
#include <stdlib.h>
#include <string.h>

#include "reading.h"

struct charge {
    struct options options;
    struct reading reading;
    struct meter_options meter;
    struct charge_schema charges;
    struct report_schema schema;
    const struct column **columns;
    struct charge_idd *idds; /* of an interval, with their guests filtered */
    size_t idds_capacity;
    struct charge_guest *guests; /* of all of them */
    size_t guests_capacity;
};

/* ---- charges on their way to the writer ---- */

static bool make_room(struct charge *c, const struct charge_idd *idds, size_t n)
{
    size_t guests = 0;
    for (size_t i = 0; i < n; i++)
        guests += idds[i].guests_n;
    if (c->idds_capacity < n) {
        struct charge_idd *larger = realloc(c->idds, n * sizeof *larger);
        if (!larger)
            return false;
        c->idds = larger;
        c->idds_capacity = n;
    }
    if (c->guests_capacity < guests) {
        struct charge_guest *larger = realloc(c->guests, guests * sizeof *larger);
        if (!larger)
            return false;
        c->guests = larger;
        c->guests_capacity = guests;
    }
    return true;
}

/* The guests charged most come first. */
static int compare_guests(const void *a, const void *b)
{
    const struct charge_guest *x = a, *y = b;
    if (x->charged_ns != y->charged_ns)
        return x->charged_ns > y->charged_ns ? -1 : 1;
    if (x->domain != y->domain)
        return x->domain < y->domain ? -1 : 1;
    return (x->life > y->life) - (x->life < y->life);
}

/* Copies the guests to be shown; returns how many they are. */
static size_t choose_guests(const struct options *o, const struct charge_idd *idd, struct charge_guest *to)
{
    size_t n = 0;
    for (size_t g = 0; g < idd->guests_n; g++)
        if (!o->domains_given || o->domains[(uint16_t)idd->guests[g].domain])
            to[n++] = idd->guests[g];
    if (o->limit)
        qsort(to, n, sizeof *to, compare_guests);
    return o->limit && n > o->limit ? o->limit : n;
}

static int take_interval(void *context, const struct interval *interval, const struct row *rows, size_t n)
{
    (void)context, (void)interval, (void)rows, (void)n; /* its charges follow */
    return 0;
}

static int take_charges(void *context, const struct interval *interval, const struct charge_idd *idds,
                        size_t n)
{
    struct charge *c = context;
    size_t guests = 0;
    if (interval->late && n == 0)
        return 0;
    if (!make_room(c, idds, n))
        return reading_no_memory(&c->reading, n);
    for (size_t i = 0; i < n; i++) {
        c->idds[i] = idds[i];
        c->idds[i].guests = c->guests + guests;
        c->idds[i].guests_n = choose_guests(&c->options, &idds[i], c->guests + guests);
        guests += c->idds[i].guests_n;
    }
    reading_will_write(&c->reading);
    return reading_has_written(&c->reading, writer_charges(c->reading.writer, interval, c->idds, n));
}

/* ---- the work ---- */

static int run(struct charge *c)
{
    const struct options *o = &c->options;
    if (reading_open(&c->reading, o) != EXIT_DONE)
        return EXIT_ERROR;
    c->columns = calloc(charge_columns_n, sizeof(struct column *));
    if (!c->columns) {
        complain("not enough memory");
        return EXIT_ERROR;
    }
    for (size_t i = 0; i < charge_columns_n; i++)
        c->columns[i] = &charge_columns[i];
    c->charges = (struct charge_schema){.options = &c->meter.charge,
                                        .io_counts = reading_io_counts(&c->reading),
                                        .guests_only = o->domains_given};
    c->schema = (struct report_schema){
        .by = BY_DOMAIN, .columns = c->columns, .columns_n = charge_columns_n, .charge = &c->charges};
    c->meter = (struct meter_options){
        .by = BY_DOMAIN, .charge.wanted = true, .sink = {c, take_interval, NULL, take_charges}};
    return reading_run(&c->reading, &c->meter, &c->schema);
}

static int run_charge(const struct options *o)
{
    struct charge c = {.options = *o};
    int status = run(&c);
    reading_close(&c.reading);
    free(c.columns);
    free(c.idds);
    free(c.guests);
    return status;
}

/* ---- options ---- */

static void offer_columns(struct completion *c)
{
    complete_columns(c, charge_columns, charge_columns_n);
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
