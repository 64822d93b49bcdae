/* xenmeter guard: ShareGuard. */
#include <stdlib.h>
#include <string.h>

#include "guard_apply.h"
#include "guard_policy.h"
#include "metrics/array.h"
#include "metrics/control/guard.h"
#include "metrics/relation/guards.h"
#include "nothing.h"
#include "policy.h"
#include "reading.h"
#include "waiting_rows.h"

struct guard_arguments {
    struct options options;
    const char *limit, *policy;  /* NULL: not given */
    struct guard_settings given; /* by single options */
    unsigned over;               /* enum over, or-ed; 0: not given */
    struct acting_options acting;
    enum guard_traffic traffic;
};

/* What rows are over. */
enum over { OVER_WINDOWS = 1 << 0, OVER_ACTIONS = 1 << 1, OVER_TOTAL = 1 << 2 };

struct guard_run {
    struct reading reading;
    struct charge_schema charges;
    struct guard_policy policy;
    struct guard *guard;
    unsigned over;          /* enum over, or-ed */
    uint64_t lengths_ns[2]; /* of these intervals */
    struct guard_apply apply;
    struct waiting_rows waiting;   /* until every guest with a limit of its own has appeared */
    volatile sig_atomic_t *reload; /* a signal asks for the policy to be read again; NULL: it cannot */
    void *chosen;                  /* rows of the window at hand */
    size_t chosen_capacity;
};

static const struct guard_arguments *arguments_of(const struct guard_run *g)
{
    return (const struct guard_arguments *)g->reading.options;
}

/* ---- rows on their way to the writer ---- */

static bool acts(const struct guard_run *g)
{
    return arguments_of(g)->acting.hook != NULL;
}

static const struct relation *relation_of(const struct guard_run *g)
{
    return acts(g) ? &relation_guard_actions : &relation_guards;
}

/* Rows of relation_of. */
static int write_rows(struct guard_run *g, const struct interval *interval, const void *rows, size_t n)
{
    const struct rows all = {.relation = relation_of(g), .interval = interval, .at = rows, .n = n};
    return reading_write(&g->reading, &all);
}

/* The rows that are asked for: all, or those with an action. -1: no memory. */
static int choose_rows(struct guard_run *g, const void *rows, size_t *n)
{
    size_t size = relation_of(g)->row_size, kept = 0;
    void *chosen = array_reserve(g->chosen, &g->chosen_capacity, *n + 1, size);
    if (!chosen)
        return reading_no_memory(&g->reading, *n);
    g->chosen = chosen;
    for (size_t i = 0; i < *n; i++) {
        const struct guard_row *row = (const void *)((const char *)rows + i * size);
        if (g->over & OVER_WINDOWS || *row->action)
            memcpy((char *)chosen + kept++ * size, row, size);
    }
    *n = kept;
    return 0;
}

/* With --hook: the rows with what is done by them; NULL: the work ends. */
static const void *apply_rows(struct guard_run *g, const struct interval *interval,
                              const struct guard_row *rows, size_t n)
{
    const void *all = acts(g) ? (const void *)guard_apply_rows(&g->apply, interval, rows, n) : rows;
    if (!all && n > 0)
        reading_no_memory(&g->reading, n);
    return all;
}

static int take_rows(void *context, const struct interval *interval, const struct guard_row *rows, size_t n)
{
    struct guard_run *g = context;
    const struct subject *missing = guard_missing(g->guard);
    const void *all = apply_rows(g, interval, rows, n);
    if (!all && n > 0)
        return -1;
    if (!(g->over & (OVER_WINDOWS | OVER_ACTIONS)))
        return 0;
    if (choose_rows(g, all, &n) != 0)
        return -1;
    if (!g->reading.options->live_ns && missing)
        return waiting_rows_keep(&g->waiting, &g->reading, interval, g->chosen, n, missing->where);
    return waiting_rows_write(&g->waiting, &g->reading) == 0 ? write_rows(g, interval, g->chosen, n) : -1;
}

/* A limit of a domain that never appeared is an error, or a warning where rows were written at once. */
static int check_missing(const struct guard_run *g, struct error *err)
{
    const struct reading *r = &g->reading;
    const struct guard_arguments *a = arguments_of(g);
    const struct subject *missing = guard_missing(g->guard);
    if (!missing)
        return 0;
    error_set(err, ERROR_USAGE, "%s%s%s: this domain never appears; \"xenmeter info\" lists those that do",
              a->policy ? policy_name(a->policy) : "", a->policy ? ", " : "", missing->where);
    if (!r->options->live_ns)
        return -1;
    if (!r->options->quiet)
        complain("%s", err->message);
    return 0;
}

/* The totals as rows of relation_of. */
static int write_totals(struct guard_run *g, struct error *err)
{
    struct interval whole;
    size_t n;
    const struct guard_row *rows = guard_totals(g->guard, &whole, &n);
    if (!rows)
        return error_no_memory(err, "the totals");
    if (n == 0 || !acts(g))
        return n > 0 ? write_rows(g, &whole, rows, n) : 0;
    struct guard_action_row *all = calloc(n, sizeof *all);
    for (size_t i = 0; all && i < n; i++)
        all[i].decided = rows[i];
    int status = all ? write_rows(g, &whole, all, n) : error_no_memory(err, "the totals");
    free(all);
    return status;
}

/* Everybody is released before anything else is done, which could wait. */
static int finish(struct reading *r, struct error *err)
{
    struct guard_run *g = (struct guard_run *)r;
    const struct trace_run *run = &r->run;
    struct quality quality;
    const char *why = trace_run_stopped(run) ? "stopped by a signal" : "the trace has ended";
    if (acting_end(&g->apply.acting, why, err) != 0)
        return -1;
    if (run->archived.archive)
        quality = run->archived.summary.quality;
    else
        pipeline_quality(run->pipeline, run->trace, &quality);
    if (!records_show_states(&quality))
        return 0; /* there is nothing to report */
    if (check_missing(g, err) != 0)
        return -1;
    return g->over & OVER_TOTAL ? write_totals(g, err) : 0;
}

/* ---- the work ---- */

static int resolve(struct guard_run *g, struct guard_policy *policy, struct error *err)
{
    const struct acting *acting = &g->apply.acting;
    return guard_policy_resolve(policy, acting_knows_names(acting) ? acting_name : NULL, acting, err);
}

/* Before limits of names are resolved: the host may know them. */
static int begin_to_act(struct guard_run *g, struct error *err)
{
    const struct guard_arguments *a = arguments_of(g);
    g->apply.acting.options = &a->acting;
    g->apply.acting.common = g->reading.options;
    g->apply.acting.names = g->reading.run.names;
    g->reading.stoppable = acting_enforces(&a->acting);
    return acts(g) ? guard_apply_begin(&g->apply, &g->policy, a->traffic, err) : 0;
}

static int read_policy(struct guard_run *g, struct error *err)
{
    const struct guard_arguments *a = arguments_of(g);
    struct error why = {0};
    int status = a->policy ? guard_read_file(&g->policy, a->policy, &a->given, &why)
                           : guard_read_list(&g->policy, a->limit, &a->given, &why);
    if (status == 0 && begin_to_act(g, err) != 0)
        return -1;
    if (status == 0)
        status = resolve(g, &g->policy, &why);
    if (status != 0)
        error_set(err, why.code, "%s%s%s", a->policy ? policy_name(a->policy) : "", a->policy ? ": " : "",
                  why.message);
    return status;
}

/* What holds for the hook was settled at the beginning. */
static int check_same(const struct guard_policy *policy, const struct guard_policy *before, struct error *err)
{
    if (policy->window_ns != before->window_ns)
        return error_set(err, ERROR_USAGE, "another window needs a new start");
    if (memcmp(policy->actions, before->actions, sizeof policy->actions) != 0)
        return error_set(err, ERROR_USAGE, "other actions need a new start");
    return 0;
}

/* Reports what is wrong with the file; the policy stays as it was then. */
static void reload_policy(struct guard_run *g)
{
    const struct guard_arguments *a = arguments_of(g);
    struct guard_policy policy = {0}, before = g->policy;
    struct error why = {0};
    *g->reload = 0;
    int status = guard_read_file(&policy, a->policy, &a->given, &why);
    if (status == 0)
        status = resolve(g, &policy, &why);
    if (status == 0)
        status = check_same(&policy, &before, &why);
    g->policy = status == 0 ? policy : before;
    if (status == 0 && !guard_take_policy(g->guard, &g->policy)) {
        g->policy = before;
        status = error_no_memory(&why, "the guard");
    }
    guard_policy_free(status == 0 ? &before : &policy);
    policy_report_reload(a->policy, status != 0 ? &why : NULL, g->reading.options->quiet);
}

static size_t memory(const void *context)
{
    const struct guard_run *g = context;
    return guard_memory(g->guard);
}

/* Records have come: whoever acts on the host must know. */
static int settled(void *context, const struct pass *pass, uint64_t settled_ns, struct error *err)
{
    struct guard_run *g = context;
    (void)pass, (void)settled_ns, (void)err;
    if (g->apply.acting.act)
        act_alive(g->apply.acting.act);
    if (g->reload && *g->reload)
        reload_policy(g);
    return CONSUMER_GOES_ON;
}

/* The first one is for rows without --hook, the second one for those with it. */
static const struct relation *const relations[] = {&relation_guards, &relation_guard_actions, NULL};

static int prepare(struct reading *r, struct error *err)
{
    struct guard_run *g = (struct guard_run *)r;
    const struct options *o = r->options;
    if (read_policy(g, err) != 0)
        return -1;
    const bool named = acting_knows_names(&g->apply.acting);
    const struct guard_options guard = {.policy = &g->policy,
                                        .name_of = named ? acting_name : NULL,
                                        .names = &g->apply.acting,
                                        .context = g,
                                        .rows = take_rows};
    if (!(g->guard = guard_new(&guard)))
        return error_no_memory(err, "the guard");
    guard_wants(g->guard, &r->meter);
    g->over = arguments_of(g)->over ? arguments_of(g)->over : OVER_WINDOWS;
    if (g->over & (OVER_WINDOWS | OVER_ACTIONS))
        g->lengths_ns[r->schema.granularities++] = g->policy.window_ns;
    if (g->over & OVER_TOTAL)
        g->lengths_ns[r->schema.granularities++] = 0;
    r->schema.granularities_ns = g->lengths_ns;
    g->charges = (struct charge_schema){.options = &r->meter.charge,
                                        .io_counts = reading_io_counts(r),
                                        .dom0_trace = o->dom0_trace,
                                        .own_baseline = o->own_baseline};
    r->consumer = (struct consumer){.context = g, .memory = memory, .settled = settled};
    if (named) {
        r->schema.name_of = acting_name;
        r->schema.names = &g->apply.acting;
    }
    if (r->stoppable && arguments_of(g)->policy && strcmp(arguments_of(g)->policy, "-") != 0)
        g->reload = signals_reload_flag();
    g->waiting.relation = relation_of(g);
    r->schema.charge = &g->charges;
    r->no_rows = "no guest that was chosen has a limit, and I/O or an action";
    r->finish = finish;
    return reading_choose(r, &relations[acts(g)], 1, o->sort ? o->sort : o->limit ? "charged_ns" : NULL, err);
}

/* What an error left acting is ended. */
static int end_acting(struct guard_run *g, int status)
{
    struct error err = {0};
    return acting_end(&g->apply.acting, "an error ended the work", &err) == 0 ? status : fail(NULL, &err);
}

static int run(const struct options *o)
{
    const struct guard_arguments *a = (const struct guard_arguments *)o;
    if (a->acting.restore)
        return acting_restore(&guard_controller, &a->acting, o->quiet);
    struct guard_run g = {.reading.options = o};
    int status = end_acting(&g, reading_command(&g.reading, o, prepare));
    if (status == EXIT_DONE && g.guard && guard_blocks(g.guard) > 0)
        status = EXIT_FINDING;
    guard_free(g.guard);
    guard_policy_free(&g.policy);
    waiting_rows_free(&g.waiting);
    guard_apply_free(&g.apply);
    free(g.chosen);
    return status;
}

/* ---- options ---- */

static int set_window(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    (void)s;
    return guard_length("--window", text, &((struct guard_arguments *)o)->given.window_ns, err);
}

static int set_max_hold(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    (void)s;
    return guard_length("--max-hold", text, &((struct guard_arguments *)o)->given.max_hold_ns, err);
}

static int set_min_certain(struct options *o, const struct option_spec *s, const char *text,
                           struct error *err)
{
    (void)s;
    return guard_part("--min-certain", text, &((struct guard_arguments *)o)->given.min_certain, err);
}

static int take_over_word(void *context, const char *item, size_t n, struct error *err)
{
    static const char *const words[] = {"interval", "action", "total", NULL};
    int word = name_index(words, item, n);
    if (word < 0)
        return error_set(
            err, ERROR_USAGE,
            "--granularity: '%.*s' is neither interval (each window, which --window sets), action "
            "(windows with an action), nor total",
            n < 40 ? (int)n : 40, item);
    *(unsigned *)context |= 1u << word;
    return 0;
}

static int set_over(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    (void)s;
    return each_item(text, take_over_word, &((struct guard_arguments *)o)->over, err);
}

static int set_traffic(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    int which = name_index(guard_traffic_names, text, strlen(text));
    if (which < 0)
        return error_set(err, ERROR_USAGE, "--%s %.40s: wants both, from (what a guest sends) or to", s->name,
                         text);
    ((struct guard_arguments *)o)->traffic = (enum guard_traffic)which;
    return 0;
}

static int check_acting(const struct guard_arguments *a, struct error *err)
{
    const char *given = acting_given(&a->acting);
    if (a->acting.restore && (a->limit || a->policy || a->options.inputs_n))
        return error_set(err, ERROR_USAGE, "--restore gives back and ends: no FILE and no limits");
    if (!a->acting.restore && !a->acting.hook && given)
        return error_set(err, ERROR_USAGE, "%s wants --hook CMD, such as nft: see xenmeter-hooks(7)", given);
    return acting_check(&a->acting, err);
}

/* The length of --live is that of the window. */
static int check_live(struct guard_arguments *a, struct error *err)
{
    uint64_t live_ns = a->options.live_ns;
    if (!live_ns)
        return 0;
    if (live_ns < GUARD_LENGTH_MIN_NS || live_ns > GUARD_LENGTH_MAX_NS)
        return error_set(err, ERROR_USAGE, "--live: windows are 1ms to 1h long");
    if (a->given.window_ns && a->given.window_ns != live_ns)
        return error_set(err, ERROR_USAGE,
                         "--live and --window have different lengths: --live alone sets the window");
    a->given.window_ns = live_ns;
    a->over |= a->over & OVER_ACTIONS ? 0 : OVER_WINDOWS;
    return 0;
}

static int check(struct options *o, struct error *err)
{
    struct guard_arguments *a = (struct guard_arguments *)o;
    if (o->columns && strcmp(o->columns, "help") == 0)
        return 0;
    if (check_acting(a, err) != 0)
        return -1;
    if (a->acting.restore)
        return 0;
    if (!a->limit == !a->policy)
        return error_set(err, ERROR_USAGE, "wants %s--limit 3=5%%,web=2%% or --policy FILE",
                         a->limit ? "only one of " : "");
    if (a->policy && strcmp(a->policy, "-") == 0 && strcmp(o->input, "-") == 0)
        return error_set(err, ERROR_USAGE, "the trace and the policy cannot both be standard input");
    if (a->policy && same_file(a->policy, o->output))
        return error_set(err, ERROR_USAGE, "--output %s is the file of --policy: it would be lost",
                         o->output);
    return check_live(a, err);
}

static const struct option_spec options[] = {
    OPTIONS_HEADING("What guests may cost"),
    OPTION(0, "limit", "LIST",
           "limits by the id or the name of a guest: 3=5%,web=2% (of one pCPU, at each driver domain), "
           "3@2=10% (at "
           "driver domain 2); *: every other guest",
           .set = set_text, .offset = offsetof(struct guard_arguments, limit)),
    OPTION(0, "policy", "FILE", "the same from a file: see xenmeter-policy(5)", .set = set_text,
           .offset = offsetof(struct guard_arguments, policy), .choices = ":file"),
    OPTION(0, "window", "LEN", "a charge is compared with its limit over so long (default 200ms)",
           .set = set_window, .choices = "200ms\n500ms\n1s"),
    OPTION(0, "max-hold", "LEN", "no guest is held for longer at a time (default 30s)", .set = set_max_hold,
           .choices = "10s\n30s\n1m"),
    OPTION(0, "min-certain", "PERCENT",
           "no guest is held if less of its charge is measured or certain (default 0%)",
           .set = set_min_certain, .choices = "50%\n90%"),
    OPTION(0, "protect", "LIST", "these guests are never held: ids or names", .set = set_text,
           .offset = offsetof(struct guard_arguments, given.protect)),
    OPTIONS_HEADING("How to act on a host"),
    OPTION_ACTING_HOOK(
        struct guard_arguments, acting,
        "carry decisions out by this hook: see xenmeter-hooks(7); words are divided by blanks"),
    OPTION(0, "traffic", "WHICH", "what the hook must reach: both (default), from (what a guest sends), to",
           .set = set_traffic, .choices = "both\nfrom\twhat a guest sends\nto\twhat it receives"),
    OPTIONS_ACTING(struct guard_arguments, acting),
    OPTIONS_HEADING("How to charge"),
    OPTIONS_CHARGE,
    OPTION_DOM0_TRACE,
    OPTIONS_HEADING("What to report"),
    OPTION('g', "granularity", "LIST",
           "interval (default: each window), action (windows with an action), total (the whole trace)",
           .set = set_over,
           .choices = ":list\ninterval\teach window\naction\twindows with an action\ntotal\tthe whole trace"),
    OPTION_LIVE,
    OPTION_DOMAINS("only these guests: 1,3-5"),
    OPTION_SORT("order the rows of a window, largest first"),
    OPTION_LIMIT("at most N rows of a window; without -s those that are charged most"),
    OPTION_TIME,
    OPTIONS_SHOWING,
    OPTIONS_READING("more about the data on standard error"),
    OPTIONS_END,
};

static const struct command command = {
    .order = 43,
    .name = "guard",
    .summary = "ShareGuard: guests that cost driver domains too much, and when to stop them",
    .usage = "(--limit LIST | --policy FILE) [OPTIONS] [FILE]\n--restore [OPTIONS]",
    .text = TRACE_TEXT "\nA guest that costs a driver domain more than its limit in a window is to be held, "
                       "which means that its I/O stops, until "
                       "what it cost since then is its limit on average. The decisions are those that "
                       "would be taken; --hook says by which calls, and --exec makes them.",
    .status = "0 no guest was to be held, 1 one was, 2 error",
    .examples =
        "xenmeter guard --limit 3=5%,4=20% capture.xt\n"
        "xenmeter guard --policy guard.json --names names.txt -g action,total capture.xt\n"
        "xentrace -D -e 0x32f000 /dev/stdout | xenmeter guard --limit '*=10%' --live 200ms -f jsonl -\n"
        "xentrace -D -e 0x32f000 /dev/stdout | xenmeter guard --limit '*=10%' --hook share/hooks/nft --exec "
        "--live 200ms -\n"
        "xenmeter guard --restore",
    .options = options,
    .operands = OPERANDS_TRACE,
    .no_executions = true,
    .formats = writer_formats,
    .relations = relations,
    .options_size = sizeof(struct guard_arguments),
    .check = check,
    .run = run,
};
COMMAND(command);
