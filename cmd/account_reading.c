#include "account_reading.h"

#include <stdlib.h>

#include "host_time.h"
#include "metrics/array.h"

static void take_finding(void *context, enum account_finding_kind kind, const char *file, const char *what)
{
    struct account_reading *r = context;
    progress_end(&r->progress);
    account_findings_take(&r->findings, kind, file, what);
}

static void take_progress(void *context, uint64_t done, uint64_t all)
{
    progress_show_count(&((struct account_reading *)context)->progress, done, all, "archives");
}

/* A file of the options is wrong: says so. Returns -1. */
static int wrong_file(struct account_reading *r, const char *file, const struct error *err)
{
    fail(file, err);
    r->said = true;
    return -1;
}

static int read_given(struct account_reading *r, struct error *err)
{
    const struct options *o = &r->own->common;
    struct buffer text = {0};
    if (!o->host_facts)
        return 0;
    int status = host_facts_file(o->host_facts, &text, err);
    if (status == 0)
        status = host_facts_read(&r->given, text.at, text.n, err);
    buffer_free(&text);
    return status == 0 ? 0 : wrong_file(r, o->host_facts, err);
}

int account_reading_begin(struct account_reading *r, const struct account_command *own, char *const *paths,
                          size_t paths_n, struct error *err)
{
    const struct options *o = &own->common;
    *r = (struct account_reading){.own = own, .findings = {.quiet = o->quiet}, .billing = {.own = own}};
    r->run = (struct account_options){.paths = (const char *const *)paths,
                                      .paths_n = paths_n,
                                      .given = o->host_facts ? &r->given : NULL,
                                      .granularity = own->granularity,
                                      .peaks = own->peaks,
                                      .from_utc_ns = INT64_MIN,
                                      .to_utc_ns = INT64_MAX,
                                      .jobs = o->jobs ? o->jobs : usable_cpus(),
                                      .memory_limit = o->max_memory,
                                      .context = r,
                                      .finding = take_finding,
                                      .progress = take_progress};
    money_watch_memory();
    progress_begin(&r->progress, o->progress, o->quiet);
    return account_zone_set(own->zone ? own->zone : "UTC", err) == 0 ? read_given(r, err) : -1;
}

int account_reading_money(struct account_reading *r, const struct sharing *sharing, const char *rates,
                          const char *tags, struct error *err)
{
    const char *file;
    if (money_read(&r->billing.money, &r->own->money, sharing, rates, tags, &file, err) != 0)
        return file ? wrong_file(r, file, err) : -1;
    r->run.cuts = r->billing.money.cuts;
    r->run.cuts_n = r->billing.money.cuts_n;
    return 0;
}

void account_reading_note(void *reading, const char *file)
{
    struct account_reading *r = reading;
    const char *kept = texts_keep(&r->paths, file);
    bool room = kept && array_make_room(&r->used, &r->used_capacity, r->used_n + 1, sizeof *r->used);
    r->used_failed |= !room;
    if (room)
        r->used[r->used_n++] = kept;
}

void account_reading_free(struct account_reading *r)
{
    texts_free(&r->paths);
    free(r->used);
    account_billing_free(&r->billing);
    host_facts_free(&r->given);
}
