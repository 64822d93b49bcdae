/* xenmeter guard: ShareGuard. */
#include <stdlib.h>
#include <string.h>

#include "controlling.h"
#include "guard_apply.h"
#include "guard_log.h"
#include "guard_options.h"
#include "metrics/array.h"
#include "metrics/control/guard.h"
#include "metrics/relation/guards.h"

struct guard_arguments {
    struct controlling_options controlling;
    struct guard_settings given; /* by single options, but for the window */
    enum guard_traffic traffic;
};

struct guard_run {
    struct controlling controlling;
    struct guard_policy policy;
    struct guard *guard;
    struct guard_actions actions; /* of the policy, for what the hooks reach */
    void *chosen;                 /* rows of the window at hand */
    size_t chosen_capacity;
};

static const struct guard_arguments *arguments_of(const struct guard_run *g)
{
    return (const struct guard_arguments *)g->controlling.reading.options;
}

/* ---- rows on their way to the writer ---- */

/* The rows that are asked for: all, or those with an action. -1: no memory. */
static int choose_rows(struct guard_run *g, const void *rows, size_t *n)
{
    const struct controlling *c = &g->controlling;
    size_t size = c->relation->row_size, kept = 0;
    void *chosen = array_reserve(g->chosen, &g->chosen_capacity, *n + 1, size);
    if (!chosen)
        return -1;
    g->chosen = chosen;
    for (size_t i = 0; i < *n; i++) {
        const struct guard_row *row = (const void *)((const char *)rows + i * size);
        if (c->over & OVER_INTERVALS || *row->action)
            memcpy((char *)chosen + kept++ * size, row, size);
    }
    *n = kept;
    return 0;
}

/* With --hook: carries out what the rows say. NULL: no memory. */
static const void *apply_rows(struct guard_run *g, const struct interval *interval,
                              const struct guard_row *rows, size_t n)
{
    struct acting *acting = &g->controlling.acting;
    struct guard_action_row *all = acting_rows(acting, g->controlling.kind->relations, rows, n);
    if (!all || guard_apply_rows(acting, &g->actions, interval, all, n) != 0)
        return NULL;
    if (acting->options->log && n > 0)
        act_note(acting->act, guard_log_write(interval, rows, n, acting_name, acting));
    return all;
}

static int take_rows(void *context, const struct interval *interval, const struct guard_row *rows, size_t n)
{
    struct guard_run *g = context;
    struct controlling *c = &g->controlling;
    const void *all = rows;
    if (c->acts && !(all = apply_rows(g, interval, rows, n)))
        return reading_no_memory(&c->reading, n);
    if (!(c->over & (OVER_INTERVALS | OVER_ACTIONS)))
        return 0;
    if (choose_rows(g, all, &n) != 0)
        return reading_no_memory(&c->reading, n);
    return controlling_write(c, interval, g->chosen, n);
}

static const struct subject *missing(const struct controlling *c)
{
    return guard_missing(((const struct guard_run *)c)->guard);
}

static const void *totals(struct controlling *c, struct interval *whole, size_t *n)
{
    return guard_totals(((struct guard_run *)c)->guard, whole, n);
}

static size_t memory(const void *controlling)
{
    return guard_memory(((const struct guard_run *)controlling)->guard);
}

/* ---- the work ---- */

static int resolve(const struct guard_run *g, struct guard_policy *policy, struct error *err)
{
    const struct acting *acting = &g->controlling.acting;
    return guard_policy_resolve(policy, acting_name_of(acting), acting, err);
}

/* Before limits of names are resolved: the host may know them. */
static int begin_to_act(struct guard_run *g, struct error *err)
{
    struct controlling *c = &g->controlling;
    return c->acts ? guard_apply_begin(&c->acting, &g->policy, arguments_of(g)->traffic, &g->actions, err)
                   : 0;
}

/* What single options say, the window included. */
static struct guard_settings given(const struct guard_arguments *a)
{
    struct guard_settings s = a->given;
    s.window_ns = a->controlling.length_ns;
    return s;
}

static int read_policy(struct guard_run *g, struct error *err)
{
    const struct controlling_options *a = controlling_options(&g->controlling);
    const struct guard_settings s = given(arguments_of(g));
    struct error why = {0};
    int status = a->policy ? guard_read_file(&g->policy, a->policy, &s, &why)
                           : guard_read_list(&g->policy, a->rules, &s, &why);
    if (status == 0 && begin_to_act(g, err) != 0)
        return -1;
    if (status == 0)
        status = resolve(g, &g->policy, &why);
    return status == 0 ? 0 : controlling_policy_wrong(&g->controlling, &why, err);
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

/* Reads the file again; the policy stays as it was if something is wrong with it. */
static int reload(struct controlling *c, struct error *err)
{
    struct guard_run *g = (struct guard_run *)c;
    const struct guard_settings s = given(arguments_of(g));
    struct guard_policy policy = {0}, before = g->policy;
    int status = guard_read_file(&policy, controlling_options(c)->policy, &s, err);
    if (status == 0)
        status = resolve(g, &policy, err);
    if (status == 0)
        status = check_same(&policy, &before, err);
    g->policy = status == 0 ? policy : before;
    if (status == 0 && !guard_take_policy(g->guard, &g->policy)) {
        g->policy = before;
        status = error_no_memory(err, "the guard");
    }
    guard_policy_free(status == 0 ? &before : &policy);
    return status;
}

static int prepare(struct controlling *c, struct error *err)
{
    struct guard_run *g = (struct guard_run *)c;
    if (read_policy(g, err) != 0)
        return -1;
    const struct guard_options guard = {.policy = &g->policy,
                                        .name_of = acting_name_of(&c->acting),
                                        .names = &c->acting,
                                        .context = g,
                                        .rows = take_rows};
    if (!(g->guard = guard_new(&guard)))
        return error_no_memory(err, "the guard");
    guard_wants(g->guard, &c->reading.meter);
    return controlling_begin(c, g->policy.window_ns, err);
}

static const struct controlling_kind kind = {.controller = &guard_controller,
                                             .relations = {&relation_guards, &relation_guard_actions},
                                             .length = "window",
                                             .length_option = "window",
                                             .no_rows =
                                                 "no guest that was chosen has a limit, and I/O or an action",
                                             .prepare = prepare,
                                             .missing = missing,
                                             .totals = totals,
                                             .memory = memory,
                                             .reload = reload};

static int run(const struct options *o)
{
    const struct guard_arguments *a = (const struct guard_arguments *)o;
    struct guard_run g = {.controlling = {.kind = &kind, .acts = a->controlling.acting.hook != NULL}};
    int status = controlling_command(&g.controlling, o);
    if (status == EXIT_DONE && g.guard && guard_blocks(g.guard) > 0)
        status = EXIT_FINDING;
    guard_free(g.guard);
    guard_policy_free(&g.policy);
    controlling_free(&g.controlling);
    free(g.chosen);
    return status;
}

/* ---- options ---- */

static int set_window(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    (void)s;
    return guard_length("--window", text, &((struct controlling_options *)o)->length_ns, err);
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

static int set_over(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    static const char *const words[] = {"interval", "total", "action", NULL}; /* by enum over */
    (void)s;
    return controlling_set_over(
        o, text, words,
        "neither interval (each window, which --window sets), action (windows with an action), nor total",
        err);
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

static int check(struct options *o, struct error *err)
{
    struct guard_arguments *a = (struct guard_arguments *)o;
    const struct acting_options *acting = &a->controlling.acting;
    const char *given = acting_given(acting);
    if (acting->restore && (a->controlling.rules || a->controlling.policy || o->inputs_n))
        return error_set(err, ERROR_USAGE, "--restore gives back and ends: no FILE and no limits");
    if (!acting->restore && !acting->hook && given)
        return error_set(err, ERROR_USAGE, "%s wants --hook CMD, such as nft: see xenmeter-hooks(7)", given);
    return controlling_check(&a->controlling, &kind, "--limit 3=5%,web=2%", err);
}

static const struct option_spec options[] = {
    OPTIONS_HEADING("What guests may cost"),
    OPTION_RULES("limit",
                 "limits by the id or the name of a guest: 3=5%,web=2% (of one pCPU, at each driver domain), "
                 "3@2=10% (at driver domain 2); *: every other guest"),
    OPTION_POLICY,
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
    OPTION_ACTING_HOOK(struct controlling_options, acting,
                       "carry decisions out by this hook: see xenmeter-hooks(7); words are divided by "
                       "blanks, several hooks by +"),
    OPTION(0, "traffic", "WHICH", "what the hook must reach: both (default), from (what a guest sends), to",
           .set = set_traffic, .choices = "both\nfrom\twhat a guest sends\nto\twhat it receives"),
    OPTIONS_ACTING(struct controlling_options, acting),
    OPTIONS_HEADING("How to charge"),
    OPTIONS_CHARGE,
    OPTION_DOM0_TRACE,
    OPTIONS_HEADING("What to report"),
    OPTION('g', "granularity", "LIST",
           "interval (default: each window), action (windows with an action), total (the whole trace)",
           .set = set_over,
           .choices = ":list\ninterval\teach window\naction\twindows with an action\ntotal\tthe whole trace"),
    OPTION_LIVE,
    OPTION_DOMAINS("only these guests: 1,3-5,web*"),
    OPTION_SORT("order the rows of a window, largest first"),
    OPTION_LIMIT("at most N rows of a window; without -s those that are charged most"),
    OPTION_TIME,
    OPTIONS_SHOWING,
    OPTIONS_READING("more about the data on standard error"),
    OPTIONS_ALL,
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
    .relations = kind.relations,
    .options_size = sizeof(struct guard_arguments),
    .check = check,
    .run = run,
};
COMMAND(command);
