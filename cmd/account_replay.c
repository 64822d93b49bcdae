/* xenmeter account replay: what closed statements and their corrections say together. */
#include <stdlib.h>
#include <string.h>

#include "account/decimal.h"
#include "account/entry_line.h"
#include "account/focus.h"
#include "account_closing.h"
#include "formats/writer.h"
#include "metrics/array.h"
#include "pager.h"
#include "reading.h"
#include "reading_parts.h"

struct replaying {
    const struct account_closing_command *own;
    struct closed_set set;
    struct entries entries; /* that are shown */
    struct texts texts;     /* of amounts */
    struct column_choice choice;
    struct output *output;
    struct writer *writer;
};

static const struct relation *const relations[] = {&relation_entries, NULL};

/* A table without reversals has these. */
#define SUMS_COLUMNS "period_start,host,vm,used_ns,charged_ns,capacity_ns,amount,currency,verdict"

static bool is_focus(const struct replaying *x)
{
    return strcmp(x->own->account.common.format, "focus") == 0;
}

/* The file that has the entry. */
static const struct closed *file_of(const struct replaying *x, const struct entry *e)
{
    return &x->set.at[e->round];
}

/* ---- what is shown ---- */

/* All entries, or what they are together. */
static int choose(struct replaying *x, struct error *err)
{
    struct entries all = {.n = 0};
    if (x->own->entries || is_focus(x))
        return closed_set_entries(&x->set, &x->entries) ? 0 : error_no_memory(err, "the entries");
    int status = closed_set_entries(&x->set, &all) ? closed_replay(&x->entries, &all, err)
                                                   : error_no_memory(err, "the entries");
    entries_free(&all);
    return status;
}

static const char *amount_text(struct replaying *x, const struct entry *e)
{
    struct buffer b = {0};
    decimal_put(&b, e->amount, file_of(x, e)->digits);
    buffer_add(&b, "", 1);
    const char *kept = b.failed ? NULL : texts_keep(&x->texts, b.at);
    buffer_free(&b);
    return kept;
}

static int write_lines(struct replaying *x, struct error *err)
{
    struct entry_line *lines = calloc(x->entries.n + 1, sizeof *lines);
    if (!lines)
        return error_no_memory(err, "the rows");
    int status = 0;
    for (size_t i = 0; i < x->entries.n && status == 0; i++) {
        const struct entry *e = &x->entries.at[i];
        const struct closed *of = file_of(x, e);
        lines[i] = (struct entry_line){.of = of, .summed = !x->own->entries};
        memcpy(&lines[i].entry, e, sizeof *e);
        lines[i].amount = of->currency ? amount_text(x, e) : NULL;
        if (of->currency && !lines[i].amount)
            status = error_no_memory(err, "the amounts");
    }
    const struct rows rows = {.relation = &relation_entries, .at = lines, .n = x->entries.n};
    if (status == 0 && rows.n > 0)
        writer_rows(x->writer, &rows); /* a failure is the output's, and commit says it */
    free(lines);
    return status;
}

static int write_table(struct replaying *x, struct error *err)
{
    const struct options *o = &x->own->account.common;
    const struct report_summary summary = {.quality = NULL};
    struct report_schema schema = {.name = "account",
                                   .choice = &x->choice,
                                   .selection = {.limit = o->limit, .memory_limit = o->max_memory},
                                   .bys = 1};
    reading_look(&schema, o, x->output);
    pager_offer(x->output, o);
    x->writer = writer_new(o->format, x->output, &schema, err);
    if (!x->writer || write_lines(x, err) != 0)
        return -1;
    writer_end(x->writer, &summary);
    x->writer = NULL;
    return 0;
}

/* ---- FOCUS ---- */

static int write_focus_of(struct replaying *x, const struct closed *c, uint32_t round, struct error *err)
{
    const struct account_command *own = &x->own->account;
    const struct money_options none = {.rates = NULL};
    const struct sharing unused = {SHARE_NONE, SHARE_NONE, BASIS_USED};
    struct money m = {.tag = -1};
    struct buffer text = {0};
    const char *file;
    int status = money_read(&m, &none, &unused, c->rates, c->tags, &file, err);
    if (status == 0 && (!c->currency || !m.rates.provider || !m.rates.billing_account))
        status = error_set(
            err, ERROR_USAGE,
            "--format focus wants \"provider\" and \"billing_account\" in the rates that were closed");
    const struct focus f = {.provider = m.rates.provider,
                            .billing_account = m.rates.billing_account,
                            .currency = c->currency,
                            .digits = c->digits,
                            .basis = c->basis,
                            .share_idle = c->share_idle,
                            .share_overhead = c->share_overhead,
                            .billing = round ? &c->period : NULL,
                            .raw_names = own->common.raw_names};
    for (size_t i = 0; i < x->entries.n && status == 0; i++)
        if (x->entries.at[i].round == round)
            focus_put(&text, &f, &x->entries.at[i]);
    if (status == 0 && text.failed)
        status = error_no_memory(err, "the rows");
    if (status == 0)
        output_write(x->output, text.at ? text.at : "", text.n);
    buffer_free(&text);
    money_free(&m);
    return status;
}

static int write_focus(struct replaying *x, struct error *err)
{
    struct buffer header = {0};
    focus_put_header(&header);
    int status = header.failed ? error_no_memory(err, "the columns") : 0;
    if (status == 0)
        output_write(x->output, header.at, header.n);
    buffer_free(&header);
    for (size_t i = 0; i < x->set.n && status == 0; i++)
        status = write_focus_of(x, &x->set.at[i], (uint32_t)i, err);
    return status;
}

/* ---- the command ---- */

static int replay(struct replaying *x, const char **file, struct error *err)
{
    const struct options *o = &x->own->account.common;
    const bool plain_table = !o->columns && !x->own->entries && strcmp(o->format, "table") == 0;
    const char *columns = plain_table ? SUMS_COLUMNS : o->columns;
    if (choice_make(&x->choice, relations, 1, columns, o->sort, 0, err) != 0 ||
        closed_set_read(&x->set, o->inputs, o->inputs_n, file, err) != 0)
        return -1;
    *file = NULL;
    const char *zone = x->set.at[0].zone;
    if (account_zone_set(zone ? zone : "UTC", err) != 0 || choose(x, err) != 0)
        return -1;
    *file = o->output;
    x->output = output_open(o->output, err);
    if (!x->output)
        return -1;
    *file = NULL;
    return is_focus(x) ? write_focus(x, err) : write_table(x, err);
}

static int run(const struct options *o)
{
    struct replaying x = {.own = (const struct account_closing_command *)o};
    struct error err = {0};
    const char *file = NULL;
    if (o->columns && strcmp(o->columns, WORD_HELP) == 0)
        return reading_list_columns(o);
    money_watch_memory();
    int status = replay(&x, &file, &err) == 0 ? commit(&x.output, o->output) : fail(file, &err);
    writer_free(x.writer);
    output_abort(x.output);
    choice_free(&x.choice);
    entries_free(&x.entries);
    texts_free(&x.texts);
    closed_set_free(&x.set);
    return status;
}

static int check(struct options *o, struct error *err)
{
    const struct account_closing_command *own = (const struct account_closing_command *)o;
    if (o->columns && strcmp(o->columns, WORD_HELP) == 0)
        return 0;
    if (o->inputs_n == 0)
        return error_set(err, ERROR_USAGE, "wants a closed statement, and the corrections of it");
    if (strcmp(o->format, "focus") == 0 && (own->entries || o->columns || o->sort || o->limit))
        return error_set(
            err, ERROR_USAGE,
            "--format focus has all entries, and columns of its own: no --entries, --columns, --sort "
            "and --limit");
    return 0;
}

static const char *const formats[] = {"table", "csv", "tsv", "json", "jsonl", "sqlite", "focus", NULL};

static const struct option_spec options[] = {
    OPTIONS_HEADING("What to show"),
    OPTION(0, "entries", NULL, "all entries, reversals too, not what they are together", .set = set_flag,
           .offset = offsetof(struct account_closing_command, entries)),
    OPTION_SORT("order the rows, largest first"),
    OPTION_LIMIT("at most N rows"),
    OPTIONS_HEADING("How to show it"),
    OPTION_FORMAT("table, csv, tsv, json, jsonl, sqlite, focus; default: by the ending of -o, else table"),
    OPTION_OUTPUT,
    OPTION_COLUMNS,
    OPTION_RAW_NAMES,
    OPTION_COLOR,
    OPTION_NO_PAGER,
    OPTION_QUIET,
    OPTIONS_ALL,
};

static const struct command command = {
    .order = 3,
    .name = "account replay",
    .summary = "what a closed statement and its corrections say",
    .usage = "[OPTIONS] FILE...",
    .text = "FILE is a closed statement and all corrections of it, in any order. Checks their seals, and "
            "adds up all "
            "entries: what a new statement of the period would say.",
    .examples = "xenmeter account replay 2026-11.closed 2026-11-1.closed\n"
                "xenmeter account replay --entries -f csv 2026-11.closed 2026-11-1.closed",
    .options = options,
    .operands = OPERANDS_FILE,
    .formats = formats,
    .relations = relations,
    .options_size = sizeof(struct account_closing_command),
    .check = check,
    .run = run,
};
COMMAND(command);
