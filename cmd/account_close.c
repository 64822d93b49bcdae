/* xenmeter account close: freezes the statement of a period. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "account_closing.h"
#include "account_options.h"

static int is_over(const struct account_period *p, const char *label, struct error *err)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (p->end_utc_ns / 1000000000 <= now.tv_sec)
        return 0;
    return error_set(err, ERROR_USAGE, "%.60s: is not over yet", label);
}

static int close_period(struct account_closing *c, struct error *err)
{
    const struct account_closing_command *own = c->own;
    const struct options *o = &own->account.common;
    const char *label = o->inputs[0];
    enum account_granularity granularity;
    if (account_reading_begin(&c->reading, &own->account, o->inputs + 1, o->inputs_n - 1, err) != 0 ||
        account_closing_period(label, &c->now.period, &granularity, err) != 0 ||
        is_over(&c->now.period, label, err) != 0 ||
        account_reading_money(&c->reading, &own->account.money.sharing, NULL, NULL, err) != 0)
        return -1;
    c->reading.run.granularity = own->granularity_given ? own->account.granularity : granularity;
    c->now.closed_period = c->now.period;
    c->now.label = c->now.closed_label = label;
    c->now.program = "xenmeter " XENMETER_VERSION;
    snprintf(c->now.kind, sizeof c->now.kind, "statement");
    return account_closing_read(c, err);
}

static int run(const struct options *o)
{
    struct account_closing c = {.own = (const struct account_closing_command *)o};
    struct error err = {0};
    int status =
        close_period(&c, &err) == 0 ? account_closing_write(&c, &c.now) : account_closing_failed(&c, &err);
    progress_end(&c.reading.progress);
    if (status == EXIT_DONE)
        status = account_findings_end(&c.reading.findings);
    account_closing_free(&c);
    return status;
}

static int check(struct options *o, struct error *err)
{
    if (o->inputs_n < 2)
        return error_set(err, ERROR_USAGE, "wants a period (2026-11), and folders or archives");
    return account_closing_check_output(o, err);
}

static const struct option_spec options[] = {
    OPTIONS_HEADING("What to close"),
    OPTION('g', "granularity", "PERIOD", "rows by hour, day or month; default: one for all of it",
           .set = set_closing_granularity, .choices = "hour\nday\nmonth"),
    OPTION_ACCOUNT_ZONE,
    OPTIONS_HEADING("Who pays"),
    OPTIONS_MONEY,
    OPTIONS_HEADING("Where to"),
    OPTION_OUTPUT_AS("FILE", "the closed statement; it must not be there yet", ":file"),
    OPTIONS_ACCOUNT_READING,
    OPTIONS_ALL,
};

static const struct command command = {
    .order = 1,
    .name = "account close",
    .summary = "freeze the statement of a period in a file",
    .usage = "[OPTIONS] -o FILE PERIOD FOLDER|ARCHIVE...",
    .text = "PERIOD is a month (2026-11), a day (2026-11-29) or an hour (2026-11-29T07:00). The file has all "
            "rows, the "
            "rates and tags, the version of the program, and the archives with their hashes; a seal shows "
            "whether "
            "it was altered. What arrives later never changes it: xenmeter account correct.",
    .status = "0 done, 1 done, but archives were left out or a VM was on two hosts at once, 2 error",
    .examples = "xenmeter account close --rates rates.json -o 2026-11.closed 2026-11 /var/lib/xenmeter",
    .options = options,
    .operands = OPERANDS_FILE,
    .options_size = sizeof(struct account_closing_command),
    .check = check,
    .run = run,
};
COMMAND(command);
