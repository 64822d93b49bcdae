#include "account_closing.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "account/decimal.h"
#include "account_options.h"
#include "formats/output.h"
#include "formats/safe_text.h"
#include "metrics/array.h"

/* ---- which period ---- */

int account_closing_period(const char *text, struct account_period *period,
                           enum account_granularity *granularity, struct error *err)
{
    size_t n = strlen(text);
    int64_t begin_ns;
    if (account_moment("period", text, &begin_ns, err) != 0)
        return -1;
    *granularity = n == 7 ? ACCOUNT_MONTH : n == 10 ? ACCOUNT_DAY : ACCOUNT_HOUR;
    *period = account_period_of(*granularity, begin_ns);
    return 0;
}

/* ---- what archives say of it ---- */

static int take_statement(void *context, const struct account_statement *s)
{
    struct account_closing *c = context;
    struct account_billing *b = &c->reading.billing;
    if (c->why.code != ERROR_NONE || account_billing_make(b, s, &c->why) != 0)
        return -1;
    for (size_t i = 0; i < b->bill.n; i++)
        if (!entries_add_row(&c->now.entries, &b->bill.rows[i], b->money.bill.tags))
            return error_no_memory(&c->why, "the statement");
    return 0;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The digest of each archive, once. */
static int add_archives(struct account_closing *c, struct error *err)
{
    struct account_reading *r = &c->reading;
    if (r->used_failed)
        return error_no_memory(err, "the archives");
    if (r->used_n > 0)
        qsort(r->used, r->used_n, sizeof *r->used, by_path);
    for (size_t i = 0; i < r->used_n; i++) {
        if (i > 0 && r->used[i] == r->used[i - 1])
            continue;
        if (closed_add_archive(&c->now, &c->archives_capacity, r->used[i], err) != 0) {
            fail(r->used[i], err);
            r->said = true;
            return -1;
        }
    }
    return 0;
}

/* NULL for no text. */
static const char *text_of(struct buffer *b, bool given)
{
    buffer_add(b, "", given ? 1 : 0);
    return given ? b->at : NULL;
}

static int describe(struct account_closing *c, struct error *err)
{
    struct money *m = &c->reading.billing.money;
    struct closed *now = &c->now;
    const struct sharing *how = &m->bill.sharing;
    now->zone = c->reading.own->zone;
    snprintf(now->granularity, sizeof now->granularity, "%s",
             account_granularity_names[c->reading.run.granularity]);
    snprintf(now->share_idle, sizeof now->share_idle, "%s", share_by_names[how->idle]);
    snprintf(now->share_overhead, sizeof now->share_overhead, "%s", share_by_names[how->overhead]);
    snprintf(now->basis, sizeof now->basis, "%s", share_basis_names[how->basis]);
    now->currency = m->bill.rates ? m->rates.currency : NULL;
    now->digits = m->rates.digits;
    now->rounding = m->bill.rates ? DECIMAL_RULE : NULL;
    now->rates = text_of(&m->rates_text, m->bill.rates);
    now->tags = text_of(&m->tags_text, m->bill.tags);
    return m->rates_text.failed || m->tags_text.failed ? error_no_memory(err, "the statement") : 0;
}

/* A VM or host of the rates is not there. Returns -1. */
static int wrong_rates(struct account_closing *c, const struct error *err)
{
    const char *rates = c->reading.own->money.rates;
    c->reading.said = rates != NULL;
    if (rates)
        fail(rates, err);
    return -1;
}

int account_closing_read(struct account_closing *c, struct error *err)
{
    struct account_options *run = &c->reading.run;
    run->from_utc_ns = c->now.closed_period.begin_utc_ns;
    run->to_utc_ns = c->now.closed_period.end_utc_ns;
    run->used = account_reading_note;
    int status = account_run(run, take_statement, c, err);
    progress_end(&c->reading.progress);
    if (status != 0 && c->why.code != ERROR_NONE)
        *err = c->why;
    if (status == 0 && account_billing_end(&c->reading.billing, err) != 0)
        status = wrong_rates(c, err);
    if (status == 0)
        status = add_archives(c, err);
    return status == 0 ? describe(c, err) : -1;
}

void account_closing_free(struct account_closing *c)
{
    closed_free(&c->now);
    account_reading_free(&c->reading);
}

/* ---- files ---- */

int account_closing_check_output(const struct options *o, struct error *err)
{
    if (!o->output || strcmp(o->output, "-") == 0)
        return error_set(err, ERROR_USAGE, "where to? -o FILE");
    if (access(o->output, F_OK) == 0)
        return error_set(err, ERROR_USAGE, "-o %.120s: is there already, and what was closed is not replaced",
                         o->output);
    return 0;
}

int account_closing_write(struct account_closing *c, struct closed *closed)
{
    const struct options *o = &c->own->account.common;
    struct error err = {0};
    struct buffer text = {0};
    char hex[CLOSED_HEX], name[512];
    struct output *out = output_open(o->output, &err);
    closed_put(&text, closed);
    int status = out ? EXIT_DONE : fail(o->output, &err);
    if (status == EXIT_DONE && text.failed) {
        error_no_memory(&err, "the statement");
        status = fail(NULL, &err);
    }
    if (status == EXIT_DONE) {
        output_write(out, text.at, text.n);
        status = commit(&out, o->output);
    }
    if (status == EXIT_DONE && !o->quiet)
        complain("%s: %s of %s, %zu entries, %zu archive%s, seal %s", safe_text(name, sizeof name, o->output),
                 closed->kind, closed->closed_label, closed->entries.n, closed->archives_n,
                 closed->archives_n == 1 ? "" : "s", closed_hex(hex, closed->seal));
    output_abort(out);
    buffer_free(&text);
    return status;
}

int account_closing_failed(const struct account_closing *c, const struct error *err)
{
    return c->reading.said ? EXIT_ERROR : fail(NULL, err);
}

int set_closing_granularity(struct options *o, const struct option_spec *s, const char *text,
                            struct error *err)
{
    struct account_closing_command *own = (struct account_closing_command *)o;
    int at = name_index(account_granularity_names, text, strlen(text));
    if (at < 0 || at == ACCOUNT_TOTAL)
        return error_set(err, ERROR_USAGE, "--%s %.40s: wants hour, day or month", s->name, text);
    own->account.granularity = (enum account_granularity)at;
    own->granularity_given = true;
    return 0;
}
