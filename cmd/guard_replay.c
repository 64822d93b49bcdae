/* xenmeter guard replay: what another policy would have decided on the evidence that a log of decisions has kept. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controlling.h"
#include "guard_log.h"
#include "guard_options.h"
#include "metrics/array.h"
#include "metrics/control/guard_replay.h"
#include "metrics/relation/guards.h"
#include "pager.h"
#include "parser/source/input.h"
#include "policy.h"

/* In so long a gap without rows everybody is forgotten: no guest is held, or remembered, for longer. */
#define GAP_MAX_NS (2 * (uint64_t)GUARD_LENGTH_MAX_NS)

struct replay_arguments {
    struct controlling_options controlling;
    struct guard_settings given;
};

/* A guest or a driver domain of the log. */
struct party {
    int32_t domain;
    uint32_t life;
    char name[GUARD_LOG_NAME]; /* "": not known */
};

struct replay {
    const struct replay_arguments *arguments;
    struct party *parties;
    size_t parties_n, parties_space;
    uint64_t window_ns, windows; /* of the log */
    struct guard_policy policy;
    struct guard *guard;
    struct guard_replay *again;
    uint64_t end_ns, offset_ns; /* of the last window; of its run after those before it */
    uint64_t line;
    unsigned over;
    /* what is written */
    struct output *output;
    struct writer *writer;
    struct report_schema schema;
    struct column_choice choice;
    uint64_t lengths_ns[2];
    struct guard_row *chosen;
    size_t chosen_space;
    bool output_failed;
};

/* ---- the lines of the log ---- */

typedef int window_taker(struct replay *r, struct guard_log_window *w, struct error *err);

static int take_line(struct replay *r, const char *line, size_t n, window_taker *take, struct error *err)
{
    struct guard_log_window w;
    struct error why = {0};
    r->line++;
    int status = n == 0 ? 0 : guard_log_read(&w, line, n, &why);
    if (status < 0)
        return error_set(err, why.code, "line %" PRIu64 ": %s", r->line, why.message);
    if (status == 0)
        return 0;
    status = take(r, &w, err);
    guard_log_free(&w);
    return status;
}

/* The length of the line at the beginning of the view; 0 with *whole false: more bytes are needed. */
static size_t line_length(const struct view *view, bool *whole)
{
    const uint8_t *end = memchr(view->data, '\n', view->n);
    *whole = end || view->end;
    return end ? (size_t)(end - view->data) : view->n;
}

static int walk_lines(struct replay *r, struct input *in, window_taker *take, struct error *err)
{
    size_t need = 1;
    for (;;) {
        struct view view;
        bool whole;
        if (input_view(in, need, &view, err) != 0)
            return -1;
        if (view.n == 0)
            return 0;
        size_t n = line_length(&view, &whole);
        if (n > GUARD_LOG_LINE_MAX)
            return error_set(err, ERROR_FORMAT, "line %" PRIu64 ": is longer than 1 MiB", r->line + 1);
        need = whole ? 1 : view.n + 1;
        if (!whole)
            continue;
        if (take_line(r, (const char *)view.data, n, take, err) != 0)
            return -1;
        input_consume(in, n < view.n ? n + 1 : n);
    }
}

static int walk(struct replay *r, window_taker *take, struct error *err)
{
    struct input *in = input_open(*r->arguments->controlling.common.inputs, err);
    if (!in)
        return -1;
    r->line = 0;
    int status = walk_lines(r, in, take, err);
    input_close(in);
    return status;
}

/* ---- who is in it ---- */

static int know(struct replay *r, int32_t domain, uint32_t life, const char *name, struct error *err)
{
    for (size_t i = 0; i < r->parties_n; i++)
        if (r->parties[i].domain == domain && r->parties[i].life == life) {
            if (*name)
                memcpy(r->parties[i].name, name, GUARD_LOG_NAME);
            return 0;
        }
    if (!array_make_room(&r->parties, &r->parties_space, r->parties_n + 1, sizeof *r->parties))
        return error_no_memory(err, "the domains");
    struct party *p = &r->parties[r->parties_n++];
    *p = (struct party){.domain = domain, .life = life};
    memcpy(p->name, name, GUARD_LOG_NAME);
    return 0;
}

static int take_parties(struct replay *r, struct guard_log_window *w, struct error *err)
{
    static const char nameless[GUARD_LOG_NAME] = "";
    if (r->windows++ > 0 && w->interval.granularity_ns != r->window_ns)
        return error_set(err, ERROR_FORMAT,
                         "line %" PRIu64
                         ": has windows of %.6g ms after windows of %.6g ms: replay each part of "
                         "the log by itself",
                         r->line, (double)w->interval.granularity_ns / 1e6, (double)r->window_ns / 1e6);
    r->window_ns = w->interval.granularity_ns;
    for (size_t i = 0; i < w->n; i++)
        if (know(r, w->rows[i].domain, w->rows[i].life, w->names[i], err) != 0 ||
            know(r, w->rows[i].driver_domain, w->rows[i].driver_life, nameless, err) != 0)
            return -1;
    return 0;
}

static const char *name_of(const void *replay, int32_t domain, uint32_t life)
{
    const struct replay *r = replay;
    for (size_t i = 0; i < r->parties_n; i++)
        if (r->parties[i].domain == domain && r->parties[i].life == life)
            return *r->parties[i].name ? r->parties[i].name : NULL;
    return NULL;
}

static bool is_there(const struct replay *r, const struct subject *who)
{
    for (size_t i = 0; i < r->parties_n; i++)
        if (subject_is(who, (uint16_t)r->parties[i].domain, r->parties[i].name))
            return true;
    return false;
}

/* ---- the policy ---- */

/* By what was logged, nobody can say what other windows would have shown. */
static int check_window(const struct replay *r, struct error *err)
{
    if (r->policy.window_ns == r->window_ns)
        return 0;
    return error_set(err, ERROR_USAGE,
                     "window: the windows of the log are %.6g ms long: give this \"window\"",
                     (double)r->window_ns / 1e6);
}

static int check_parties(const struct replay *r, struct error *err)
{
    for (size_t i = 0; i < r->policy.n; i++) {
        const struct guard_limit *l = &r->policy.limits[i];
        const struct subject *missing = !l->every_guest && !is_there(r, &l->guest)     ? &l->guest
                                        : !l->every_driver && !is_there(r, &l->driver) ? &l->driver
                                                                                       : NULL;
        if (missing)
            return error_set(err, ERROR_USAGE, "%s: this domain is not in the log", missing->where);
    }
    return 0;
}

static int read_policy(struct replay *r, struct error *err)
{
    const struct controlling_options *o = &r->arguments->controlling;
    struct guard_settings given = r->arguments->given;
    struct error why = {0};
    given.window_ns = o->policy ? 0 : r->window_ns;
    int status = o->policy ? guard_read_file(&r->policy, o->policy, &given, &why)
                           : guard_read_list(&r->policy, o->rules, &given, &why);
    if (status == 0 && check_window(r, &why) == 0 &&
        guard_policy_resolve(&r->policy, name_of, r, &why) == 0 && check_parties(r, &why) == 0)
        return 0;
    return error_set(err, why.code, "%s%s%s", o->policy ? policy_name(o->policy) : "", o->policy ? ": " : "",
                     why.message);
}

/* ---- deciding anew ---- */

static int write_rows(struct replay *r, const struct interval *interval, const struct guard_row *rows,
                      size_t n)
{
    const struct rows all = {.relation = &relation_guards, .interval = interval, .at = rows, .n = n};
    int status = writer_rows(r->writer, &all);
    r->output_failed |= status != 0;
    return status;
}

static int take_rows(void *context, const struct interval *interval, const struct guard_row *rows, size_t n)
{
    struct replay *r = context;
    size_t kept = 0;
    if (!(r->over & (OVER_INTERVALS | OVER_ACTIONS)))
        return 0;
    if (!array_make_room(&r->chosen, &r->chosen_space, n + 1, sizeof *r->chosen))
        return -1;
    for (size_t i = 0; i < n; i++)
        if (r->over & OVER_INTERVALS || *rows[i].action)
            r->chosen[kept++] = rows[i];
    return kept > 0 ? write_rows(r, interval, r->chosen, kept) : 0;
}

static int decide(struct replay *r, uint64_t start_ns, uint64_t end_ns, const struct guard_log_window *w,
                  struct error *err)
{
    const struct interval interval = {
        .granularity_ns = r->window_ns, .start_ns = start_ns, .end_ns = end_ns, .by = BY_DOMAIN};
    r->end_ns = end_ns;
    if (guard_replay_window(r->again, &interval, w ? w->rows : NULL, w ? w->n : 0) == 0)
        return 0;
    return r->output_failed ? -1 : error_no_memory(err, "a window");
}

/* Windows in which nobody had a row are not in the log. */
static int fill_gap(struct replay *r, uint64_t until_ns, struct error *err)
{
    uint64_t end_ns = r->end_ns;
    if (until_ns - end_ns > GAP_MAX_NS)
        end_ns = until_ns - GAP_MAX_NS;
    for (; until_ns - end_ns >= r->window_ns; end_ns += r->window_ns)
        if (decide(r, end_ns, end_ns + r->window_ns, NULL, err) != 0)
            return -1;
    return 0;
}

/* A trace that begins again follows the one before. */
static int take_window(struct replay *r, struct guard_log_window *w, struct error *err)
{
    if (w->interval.start_ns + r->offset_ns < r->end_ns)
        r->offset_ns = r->end_ns;
    uint64_t start_ns = w->interval.start_ns + r->offset_ns, end_ns = w->interval.end_ns + r->offset_ns;
    if (end_ns > INT64_MAX)
        return error_set(err, ERROR_FORMAT, "line %" PRIu64 ": the log is longer than time can be", r->line);
    if (r->end_ns > 0 && fill_gap(r, start_ns, err) != 0)
        return -1;
    return decide(r, start_ns, end_ns, w, err);
}

/* ---- what is written ---- */

static int open_rows(struct replay *r, struct error *err)
{
    const struct options *o = &r->arguments->controlling.common;
    static const struct relation *const relations[] = {&relation_guards};
    size_t n = 0;
    if (r->over & (OVER_INTERVALS | OVER_ACTIONS))
        r->lengths_ns[n++] = r->window_ns;
    if (r->over & OVER_TOTAL)
        r->lengths_ns[n++] = 0;
    if (!(r->output = output_open(o->output, err)) ||
        choice_make(&r->choice, relations, 1, o->columns, o->sort, false, err) != 0)
        return -1;
    r->schema = (struct report_schema){.name = "guard",
                                       .choice = &r->choice,
                                       .granularities_ns = r->lengths_ns,
                                       .granularities = n,
                                       .name_of = name_of,
                                       .names = r};
    reading_look(&r->schema, o, r->output);
    pager_offer(r->output, o);
    r->writer = writer_new(o->format, r->output, &r->schema, err);
    return r->writer ? 0 : -1;
}

static int write_totals(struct replay *r, struct error *err)
{
    struct interval whole;
    size_t n;
    uint64_t rows;
    const struct guard_row *totals = guard_totals(r->guard, &whole, &n);
    if (!totals)
        return error_no_memory(err, "the totals");
    if (r->over & OVER_TOTAL && n > 0 && write_rows(r, &whole, totals, n) != 0)
        return -1;
    r->output_failed |= writer_rest(r->writer, &rows) != 0;
    return r->output_failed ? -1 : 0;
}

/* ---- the work ---- */

static int replay(struct replay *r, struct error *err)
{
    const struct guard_options guard = {
        .policy = &r->policy, .name_of = name_of, .names = r, .context = r, .rows = take_rows};
    if (walk(r, take_parties, err) != 0)
        return -1;
    if (r->windows == 0)
        return error_set(err, ERROR_FORMAT, "no window is in it: it is no log of \"xenmeter guard --log\"");
    if (read_policy(r, err) != 0)
        return -1;
    if (!(r->guard = guard_new(&guard)) || !(r->again = guard_replay_new(r->guard)))
        return error_no_memory(err, "the guard");
    return open_rows(r, err) == 0 && walk(r, take_window, err) == 0 ? write_totals(r, err) : -1;
}

static int run(const struct options *o)
{
    struct replay r = {.arguments = (const struct replay_arguments *)o};
    struct error err = {0};
    r.over = r.arguments->controlling.over ? r.arguments->controlling.over : OVER_INTERVALS;
    int status = replay(&r, &err), code;
    writer_free(r.writer);
    if (status == 0 || r.output_failed)
        code = commit(&r.output, o->output);
    else
        code = fail(*o->inputs, &err);
    if (code == EXIT_DONE && guard_blocks(r.guard) > 0)
        code = EXIT_FINDING;
    output_abort(r.output);
    guard_replay_free(r.again);
    guard_free(r.guard);
    guard_policy_free(&r.policy);
    choice_free(&r.choice);
    free(r.parties);
    free(r.chosen);
    return code;
}

/* ---- options ---- */

static int set_over(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    static const char *const words[] = {"interval", "total", "action", NULL}; /* by enum over */
    (void)s;
    return controlling_set_over(o, text, words, "neither interval (each window), action, nor total", err);
}

static int check(struct options *o, struct error *err)
{
    const struct controlling_options *c = (const struct controlling_options *)o;
    if (!c->rules == !c->policy)
        return error_set(err, ERROR_USAGE, "wants %s--limit '*=5%%' or --policy FILE",
                         c->rules ? "only one of " : "");
    if (o->inputs_n != 1 || strcmp(*o->inputs, "-") == 0)
        return error_set(err, ERROR_USAGE, "wants one LOG, a file: it is read twice");
    if (o->output && (same_file(*o->inputs, o->output) || (c->policy && same_file(c->policy, o->output))))
        return error_set(err, ERROR_USAGE, "--output %s is a file that is read: it would be lost", o->output);
    return 0;
}

static const char *const formats[] = {"table", "csv", "tsv", "jsonl", NULL};
static const struct relation *const relations[] = {&relation_guards, NULL};

static const struct option_spec options[] = {
    OPTION_RULES("limit", "limits by the id or the name of a guest: 3=5%,web=2%,'*=10%'"),
    OPTION_POLICY,
    OPTION(0, "protect", "LIST", "these guests are never held: ids or names", .set = set_text,
           .offset = offsetof(struct replay_arguments, given.protect)),
    OPTION('g', "granularity", "LIST",
           "interval (default: each window), action (windows with an action), total (all of the log)",
           .set = set_over,
           .choices = ":list\ninterval\teach window\naction\twindows with an action\ntotal\tall of the log"),
    OPTION_FORMAT("table, csv, tsv, jsonl; default: by the ending of -o, else table"),
    OPTION_OUTPUT,
    OPTION_COLUMNS,
    OPTION_RAW_NAMES,
    OPTION_COLOR,
    OPTION_NO_PAGER,
    OPTION_QUIET,
    OPTIONS_ALL,
};

static const struct command command = {
    .order = 5,
    .name = "guard replay",
    .summary = "what another policy would have decided",
    .usage = "(--limit LIST | --policy FILE) [OPTIONS] LOG",
    .text = "Decides anew on the evidence that a log of decisions (--log of guard) has of each window. What "
            "was done "
            "on the host then is part of that evidence: a log of --mode observe shows what guests would do.",
    .status = "0 no guest was to be held, 1 one was, 2 error",
    .examples = "xenmeter guard replay --limit '*=10%' -g action,total guard.jsonl\n"
                "xenmeter guard replay --policy stricter.json -f csv guard.jsonl.zst",
    .options = options,
    .operands = OPERANDS_FILE,
    .no_executions = true,
    .formats = formats,
    .relations = relations,
    .options_size = sizeof(struct replay_arguments),
    .check = check,
    .run = run,
};
COMMAND(command);
