/* xenmeter account correct: what has to be added to a closed statement, in an open period. */
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "account_closing.h"
#include "account_options.h"
#include "metrics/array.h"

struct correcting {
    struct account_closing closing;
    char **files; /* of --closed */
    size_t files_n, files_capacity;
    struct closed_set set;
    struct entries old;
    struct closed correction;
    struct closed_file *corrects;
    struct buffer cause;
};

static int add_file(void *context, const char *item, size_t n, struct error *err)
{
    struct correcting *x = context;
    char *file = strndup(item, n);
    if (file && array_make_room(&x->files, &x->files_capacity, x->files_n + 1, sizeof *x->files)) {
        x->files[x->files_n++] = file;
        return 0;
    }
    free(file);
    return error_no_memory(err, "the names of files");
}

static int read_closed(struct correcting *x, struct error *err)
{
    const char *file = NULL;
    if (each_item(x->closing.own->closed, add_file, x, err) != 0)
        return -1;
    if (closed_set_read(&x->set, x->files, x->files_n, &file, err) == 0)
        return closed_set_entries(&x->set, &x->old) ? 0 : error_no_memory(err, "the entries");
    if (file) {
        fail(file, err);
        x->closing.reading.said = true;
    }
    return -1;
}

/* Prices, tags and sharing: what the options do not give is as it was. */
static int take_money(struct correcting *x, struct error *err)
{
    const struct account_command *own = &x->closing.own->account;
    const struct closed *last = &x->set.at[x->set.n - 1], *first = &x->set.at[0];
    struct account_reading *r = &x->closing.reading;
    struct money *m = &r->billing.money;
    struct sharing sharing = own->money.sharing;
    int idle = name_index(share_by_names, last->share_idle, strlen(last->share_idle));
    int overhead = name_index(share_by_names, last->share_overhead, strlen(last->share_overhead));
    int basis = name_index(share_basis_names, last->basis, strlen(last->basis));
    if (idle < 0 || overhead < 0 || basis < 0)
        return error_set(err, ERROR_FORMAT, "the closed statement shares in a way that is not known");
    if (!own->money.shared)
        sharing = (struct sharing){(enum share_by)idle, (enum share_by)overhead, (enum share_basis)basis};
    if (account_reading_money(r, &sharing, last->rates, last->tags, err) != 0)
        return -1;
    if (m->bill.rates && !first->currency)
        return error_set(err, ERROR_USAGE, "the statement has no prices: no --rates");
    if (first->currency && (!m->bill.rates || strcmp(m->rates.currency, first->currency) != 0 ||
                            m->rates.digits != first->digits))
        return error_set(err, ERROR_USAGE,
                         "a correction has the currency and digits of the statement: %s, %u", first->currency,
                         first->digits);
    return 0;
}

/* What the statement was made with holds for its corrections. */
static int begin(struct correcting *x, struct account_command *own, struct error *err)
{
    struct account_closing *c = &x->closing;
    const struct closed *first = &x->set.at[0];
    const struct options *o = &c->own->account.common;
    enum account_granularity ignored;
    *own = c->own->account;
    own->zone = first->zone;
    int granularity = name_index(account_granularity_names, first->granularity, strlen(first->granularity));
    if (granularity < 0)
        return error_set(err, ERROR_FORMAT, "the closed statement has periods that are not known");
    own->granularity = (enum account_granularity)granularity;
    if (account_reading_begin(&c->reading, own, o->inputs, o->inputs_n, err) != 0 ||
        account_closing_period(c->own->into, &c->now.period, &ignored, err) != 0 || take_money(x, err) != 0)
        return -1;
    if (c->now.period.begin_utc_ns < first->closed_period.end_utc_ns)
        return error_set(err, ERROR_USAGE, "--into %.60s: does not begin after %.40s, which is closed",
                         c->own->into, first->label);
    c->now.closed_period = first->closed_period;
    c->now.label = c->own->into;
    c->now.closed_label = first->label;
    c->now.program = "xenmeter " XENMETER_VERSION;
    c->now.reason = c->own->reason;
    return account_closing_read(c, err);
}

/* The correction: all that `now` says of itself, but for its entries. */
static int make(struct correcting *x, struct error *err)
{
    struct closed *now = &x->closing.now, *c = &x->correction;
    *c = *now;
    c->entries = (struct entries){.n = 0};
    c->archives = NULL; /* each has its own list */
    c->archives_n = 0;
    snprintf(c->kind, sizeof c->kind, "correction");
    closed_cause(&x->cause, &x->set.at[x->set.n - 1], now);
    buffer_add(&x->cause, "", 1);
    c->cause = x->cause.at;
    c->corrects = calloc(x->set.n, sizeof *c->corrects);
    c->archives = malloc(now->archives_n * sizeof *now->archives + 1);
    if (x->cause.failed || !c->corrects || !c->archives)
        return error_no_memory(err, "the correction");
    if (now->archives_n > 0)
        memcpy(c->archives, now->archives, now->archives_n * sizeof *now->archives);
    c->archives_n = now->archives_n;
    for (size_t i = 0; i < x->set.n; i++) {
        c->corrects[i] = (struct closed_file){.file = x->set.at[i].label};
        memcpy(c->corrects[i].digest, x->set.at[i].seal, DIGEST_BYTES);
    }
    c->corrects_n = x->set.n;
    return closed_correct(&c->entries, &x->old, &now->entries, err);
}

static int finish(struct correcting *x)
{
    if (x->correction.entries.n > 0)
        return account_closing_write(&x->closing, &x->correction);
    complain("nothing to correct in %s: no file is written", x->set.at[0].label);
    return EXIT_DONE;
}

static int run(const struct options *o)
{
    struct correcting x = {.closing = {.own = (const struct account_closing_command *)o}};
    struct account_command own; /* with the zone and granularity of the statement */
    struct error err = {0};
    money_watch_memory();
    int status = read_closed(&x, &err) == 0 && begin(&x, &own, &err) == 0 && make(&x, &err) == 0
                     ? finish(&x)
                     : account_closing_failed(&x.closing, &err);
    progress_end(&x.closing.reading.progress);
    if (status == EXIT_DONE)
        status = account_findings_end(&x.closing.reading.findings);
    for (size_t i = 0; i < x.files_n; i++)
        free(x.files[i]);
    free(x.files);
    closed_free(&x.correction);
    entries_free(&x.old);
    account_closing_free(&x.closing);
    closed_set_free(&x.set);
    buffer_free(&x.cause);
    return status;
}

static int check(struct options *o, struct error *err)
{
    const struct account_closing_command *own = (const struct account_closing_command *)o;
    if (!own->closed || !own->into)
        return error_set(err, ERROR_USAGE,
                         "wants --closed FILE, what was closed, and --into PERIOD, the open one");
    if (o->inputs_n == 0)
        return error_set(err, ERROR_USAGE, "which archives? give files, or folders that hold them");
    return account_closing_check_output(o, err);
}

#define OWN(MEMBER) .offset = offsetof(struct account_closing_command, MEMBER)

static const struct option_spec options[] = {
    OPTIONS_HEADING("What to correct"),
    OPTION(0, "closed", "LIST",
           "the closed statement, and all corrections of it so far: 2026-11.closed,2026-11-1.closed",
           .set = set_text, OWN(closed), .choices = ":list\n:file"),
    OPTION(0, "into", "PERIOD", "the open period to which the correction belongs: 2026-12", .set = set_text,
           OWN(into)),
    OPTION(0, "reason", "TEXT", "why it is corrected, in words", .set = set_text, OWN(reason)),
    OPTIONS_HEADING("Who pays; default: as in the closed statement"),
    OPTIONS_MONEY,
    OPTIONS_HEADING("Where to"),
    OPTION_OUTPUT_AS("FILE", "the correction; it must not be there yet", ":file"),
    OPTIONS_ACCOUNT_READING,
    OPTIONS_ALL,
};

static const struct command command = {
    .order = 2,
    .name = "account correct",
    .summary = "what has to be added to a closed statement",
    .usage = "[OPTIONS] --closed LIST --into PERIOD -o FILE FOLDER|ARCHIVE...",
    .text = "Makes the statement of the closed period again, from what the archives say now, and writes what "
            "differs: "
            "rows that take back the old ones, and new ones, with the old period, the reason and the cause. "
            "The closed "
            "file stays as it is. Statement and corrections, added up, are the new statement (xenmeter "
            "account replay).",
    .status = "0 done, 1 done, but archives were left out or a VM was on two hosts at once, 2 error",
    .examples =
        "xenmeter account correct --closed 2026-11.closed --into 2026-12 --reason 'late archives of xen2' "
        "-o 2026-11-1.closed /var/lib/xenmeter",
    .options = options,
    .operands = OPERANDS_FILE,
    .options_size = sizeof(struct account_closing_command),
    .check = check,
    .run = run,
};
COMMAND(command);
