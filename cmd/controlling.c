#include "controlling.h"

#include <stdlib.h>
#include <string.h>

#include "metrics/array.h"
#include "metrics/control/subject.h"
#include "nothing.h"
#include "policy.h"

struct waiting_interval {
    struct interval interval;
    size_t n; /* rows */
};

/* ---- rows on their way to the writer ---- */

static int write_rows(struct controlling *c, const struct interval *interval, const void *rows, size_t n)
{
    const struct rows all = {.relation = c->relation, .interval = interval, .at = rows, .n = n};
    return reading_write(&c->reading, &all);
}

static int write_waiting(struct controlling *c)
{
    const char *at = c->rows;
    int status = 0;
    for (size_t i = 0; i < c->intervals_n && status == 0; i++) {
        status = write_rows(c, &c->intervals[i].interval, at, c->intervals[i].n);
        at += c->intervals[i].n * c->relation->row_size;
    }
    c->intervals_n = c->rows_n = 0;
    return status;
}

/* Keeps the rows of an interval because the domain at `where` has not appeared. */
static int keep_rows(struct controlling *c, const struct interval *interval, const void *rows, size_t n,
                     const char *where)
{
    struct error why;
    size_t size = c->relation->row_size;
    struct waiting_interval *intervals =
        array_reserve(c->intervals, &c->intervals_capacity, c->intervals_n + 1, sizeof *intervals);
    c->intervals = intervals ? intervals : c->intervals;
    void *all = array_reserve(c->rows, &c->rows_capacity, c->rows_n + n + 1, size);
    c->rows = all ? all : c->rows;
    if (!intervals || !all)
        return reading_no_memory(&c->reading, c->rows_n + n);
    c->intervals[c->intervals_n++] = (struct waiting_interval){*interval, n};
    if (n > 0)
        memcpy((char *)c->rows + c->rows_n * size, rows, n * size);
    c->rows_n += n;
    if (c->intervals_capacity * sizeof *c->intervals + c->rows_capacity * size <=
        c->reading.options->max_memory)
        return 0;
    error_set(&why, ERROR_MEMORY,
              "%s: this domain has not appeared yet, and the rows that wait for it need more than the memory "
              "limit (--max-memory)",
              where);
    return reading_fail(&c->reading, &why);
}

int controlling_write(struct controlling *c, const struct interval *interval, const void *rows, size_t n)
{
    const struct subject *missing = c->reading.options->live_ns ? NULL : c->kind->missing(c);
    if (missing)
        return keep_rows(c, interval, rows, n, missing->where);
    return write_waiting(c) == 0 ? write_rows(c, interval, rows, n) : -1;
}

/* ---- the policy ---- */

/* "FILE" and what follows it in messages; "" where the rules were given as a list. */
static const char *policy_file(const struct controlling *c)
{
    const char *policy = controlling_options(c)->policy;
    return policy ? policy_name(policy) : "";
}

int controlling_policy_wrong(const struct controlling *c, const struct error *why, struct error *err)
{
    const char *file = policy_file(c);
    return error_set(err, why->code, "%s%s%s", file, *file ? ": " : "", why->message);
}

/* A rule about a domain that never appeared is an error, or a warning where rows were written at once. */
static int check_missing(const struct controlling *c, struct error *err)
{
    const struct options *o = c->reading.options;
    const char *file = policy_file(c);
    const struct subject *missing = c->kind->missing(c);
    if (!missing)
        return 0;
    error_set(err, ERROR_USAGE, "%s%s%s: this domain never appears; \"xenmeter info\" lists those that do",
              file, *file ? ", " : "", missing->where);
    if (!o->live_ns)
        return -1;
    if (!o->quiet)
        complain("%s", err->message);
    return 0;
}

/* ---- the work ---- */

void controlling_quality(const struct controlling *c, struct quality *quality)
{
    const struct trace_run *run = &c->reading.run;
    if (run->archived.archive)
        *quality = run->archived.summary.quality;
    else
        pipeline_quality(run->pipeline, run->trace, quality);
}

static int write_totals(struct controlling *c, struct error *err)
{
    struct interval whole;
    size_t n;
    const void *rows = c->kind->totals(c, &whole, &n);
    if (rows && c->acts)
        rows = acting_rows(&c->acting, c->kind->relations, rows, n);
    if (!rows)
        return error_no_memory(err, "the totals");
    return n > 0 ? write_rows(c, &whole, rows, n) : 0;
}

/* Everything is given back before anything else is done, which could wait. */
static int finish(struct reading *r, struct error *err)
{
    struct controlling *c = (struct controlling *)r;
    struct quality quality;
    const char *why = trace_run_stopped(&r->run) ? "stopped by a signal" : "the trace has ended";
    if (acting_end(&c->acting, why, err) != 0)
        return -1;
    controlling_quality(c, &quality);
    if (!records_show_states(&quality))
        return 0; /* there is nothing to report */
    if (check_missing(c, err) != 0)
        return -1;
    return c->over & OVER_TOTAL ? write_totals(c, err) : 0;
}

static void reload_policy(struct controlling *c)
{
    const char *file = controlling_options(c)->policy;
    struct error why = {0};
    *c->reload = 0;
    if (c->kind->reload(c, &why) != 0)
        complain("%s: %s: the policy stays as it was", file, why.message);
    else if (!c->reading.options->quiet)
        complain("%s: was read again", file);
}

/* Records have come: whoever acts on the host must know. */
static int settled(void *context, const struct pass *pass, uint64_t settled_ns, struct error *err)
{
    struct controlling *c = context;
    (void)pass, (void)settled_ns, (void)err;
    if (c->acting.act)
        act_alive(c->acting.act);
    if (c->reload && *c->reload)
        reload_policy(c);
    return CONSUMER_GOES_ON;
}

int controlling_begin(struct controlling *c, uint64_t length_ns, struct error *err)
{
    struct reading *r = &c->reading;
    const struct options *o = r->options;
    c->relation = c->kind->relations[c->acts];
    c->over = controlling_options(c)->over ? controlling_options(c)->over : OVER_INTERVALS;
    if (c->over & ~(unsigned)OVER_TOTAL)
        c->lengths_ns[r->schema.granularities++] = length_ns;
    if (c->over & OVER_TOTAL)
        c->lengths_ns[r->schema.granularities++] = 0;
    r->schema.granularities_ns = c->lengths_ns;
    reading_show_charges(r);
    r->schema.name_of = acting_name_of(&c->acting);
    r->schema.names = &c->acting;
    if (r->stoppable && *policy_file(c) && strcmp(controlling_options(c)->policy, "-") != 0)
        c->reload = signals_reload_flag();
    r->consumer =
        (struct consumer){.context = c, .memory = c->kind->memory, .settled = settled, .asks_quality = true};
    r->no_rows = c->kind->no_rows;
    r->finish = finish;
    return reading_choose(r, &c->relation, 1, o->sort ? o->sort : o->limit ? "charged_ns" : NULL, err);
}

static int prepare(struct reading *r, struct error *err)
{
    struct controlling *c = (struct controlling *)r;
    c->acting.names = r->run.names;
    r->stoppable = c->acts && acting_enforces(c->acting.options);
    return c->kind->prepare(c, err);
}

int controlling_command(struct controlling *c, const struct options *o)
{
    const struct controlling_options *a = (const struct controlling_options *)o;
    struct error err = {0};
    if (a->acting.restore)
        return acting_restore(c->kind->controller, &a->acting, o->quiet);
    c->reading.options = o;
    c->acting.options = &a->acting;
    c->acting.common = o;
    int status = reading_command(&c->reading, o, prepare);
    return acting_end(&c->acting, "an error ended the work", &err) == 0 ? status : fail(NULL, &err);
}

void controlling_free(struct controlling *c)
{
    acting_free(&c->acting);
    free(c->intervals);
    free(c->rows);
}

/* ---- options ---- */

struct over_words {
    const char *const *words;
    const char *wrong;
    unsigned over;
};

static int take_over_word(void *context, const char *item, size_t n, struct error *err)
{
    struct over_words *w = context;
    int word = name_index(w->words, item, n);
    if (word < 0)
        return error_set(err, ERROR_USAGE, "--granularity: '%.*s' is %s", n < 40 ? (int)n : 40, item,
                         w->wrong);
    w->over |= 1u << word;
    return 0;
}

int controlling_set_over(struct options *o, const char *text, const char *const *words, const char *wrong,
                         struct error *err)
{
    struct controlling_options *a = (struct controlling_options *)o;
    struct over_words w = {words, wrong, a->over};
    int status = each_item(text, take_over_word, &w, err);
    a->over = w.over;
    return status;
}

/* The length of --live is that of the intervals. */
static int check_live(struct controlling_options *o, const struct controlling_kind *kind, struct error *err)
{
    uint64_t live_ns = o->common.live_ns;
    if (!live_ns)
        return 0;
    if (live_ns < FEEDBACK_MIN_NS || live_ns > FEEDBACK_MAX_NS)
        return error_set(err, ERROR_USAGE, "--live: %ss are 1ms to 1h long", kind->length);
    if (o->length_ns && o->length_ns != live_ns)
        return error_set(err, ERROR_USAGE, "--live and --%s have different lengths: --live alone sets the %s",
                         kind->length_option, kind->length);
    o->length_ns = live_ns;
    o->over |= o->over & OVER_ACTIONS ? 0 : OVER_INTERVALS;
    return 0;
}

int controlling_check(struct controlling_options *o, const struct controlling_kind *kind, const char *rules,
                      struct error *err)
{
    const struct options *common = &o->common;
    if (acting_check(&o->acting, err) != 0)
        return -1;
    if (o->acting.restore || options_list_columns(common))
        return 0;
    if (!o->rules == !o->policy)
        return error_set(err, ERROR_USAGE, "wants %s%s or --policy FILE", o->rules ? "only one of " : "",
                         rules);
    if (o->policy && strcmp(o->policy, "-") == 0 && strcmp(common->input, "-") == 0)
        return error_set(err, ERROR_USAGE, "the policy and the trace cannot both be standard input");
    if (o->policy && same_file(o->policy, common->output))
        return error_set(err, ERROR_USAGE, "--output %s is the file of --policy: it would be lost",
                         common->output);
    return check_live(o, kind, err);
}
