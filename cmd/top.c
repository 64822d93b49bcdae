/* xenmeter top: a host on a screen, as it happens or replayed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "metrics/measure/delays.h"
#include "reading_parts.h"
#include "top.h"
#include "top_folder.h"
#include "top_settings.h"

#define LEAD_NS  (60 * (uint64_t)SECOND_NS) /* by which a replay is read ahead */
#define LEAVE_NS 500000000u
#define SPEEDS   "from 0.125x to 64x"

/* ---- the source ---- */

enum source_kind { SOURCE_PIPE, SOURCE_FILE, SOURCE_DEMO, SOURCE_XENTRACE };

static enum source_kind kind_of(const struct top_options *o, const char *path)
{
    struct stat s;
    bool standard = strcmp(path, "-") == 0;
    if (o->demo)
        return SOURCE_DEMO;
    if (o->common.inputs_n == 0 && (o->xentrace || isatty(STDIN_FILENO)))
        return SOURCE_XENTRACE;
    return (standard ? fstat(STDIN_FILENO, &s) : stat(path, &s)) == 0 && !S_ISREG(s.st_mode) &&
                   !S_ISDIR(s.st_mode)
               ? SOURCE_PIPE
               : SOURCE_FILE;
}

/* Of a recorder's folder the archive. */
static int find_archive(struct top *t)
{
    struct error err = {0};
    struct stat s;
    struct top_reader *r = &t->reader;
    if (stat(r->options.input, &s) != 0 || !S_ISDIR(s.st_mode))
        return EXIT_DONE;
    if (top_folder_archive(r->options.input, &r->options.span.from, t->archive, &err) != 0)
        return fail(r->options.input, &err);
    r->options.input = t->archive;
    return EXIT_DONE;
}

/*
 * What is known of the host beside the trace. A pipe is not looked at, as that could wait: it is a capture.
 */
static int find(struct top *t, enum source_kind kind)
{
    struct top_reader *r = &t->reader;
    if (kind == SOURCE_FILE && find_archive(t) != EXIT_DONE)
        return EXIT_ERROR;
    const char *input = r->options.input;
    if (kind != SOURCE_FILE)
        r->options.input = "/dev/null";
    int status = trace_run_find(&r->run, &r->options);
    r->options.input = input;
    if (status != EXIT_DONE)
        return status;
    if (r->run.options != &r->options) { /* a time of day was made ns of */
        r->options = *r->run.options;
        r->options.input = input;
    }
    r->run.options = r->run.archived.options = &r->options;
    t->start_ns = r->options.from_ns;
    return EXIT_DONE;
}

static void set_names(struct top *t)
{
    t->screen.name_of = t->reader.run.names ? names_lookup : NULL;
    t->screen.names = t->reader.run.names;
}

/* --sort */
static int set_order(struct top *t)
{
    enum view view = t->screen.settings.view;
    const char *name = t->options->common.sort;
    const struct column *column = column_find(view_kinds[view].relation, name);
    if (column)
        t->screen.settings.choices[view].sort = column;
    else
        complain("--sort %s: this is no column of --view %s", name, view_kinds[view].name);
    return column ? EXIT_DONE : EXIT_ERROR;
}

/* --columns: of rows the writer chooses, of those of the relation; a table has fewer. */
static int set_columns(struct top *t)
{
    enum view view = t->screen.settings.view;
    const char *given = t->options->common.columns, *list = given;
    char name[64];
    if (strcmp(t->options->common.format, "table") != 0)
        return EXIT_DONE;
    while (view_list_next(&list, name, sizeof name)) {
        const struct column *column = column_find(view_kinds[view].relation, name);
        if (!column || (!view_offers(view, column) && !view_shows_always(view, name))) {
            complain("--columns %s: the table of --view %s has no such column", name, view_kinds[view].name);
            return EXIT_ERROR;
        }
    }
    if (!view_choose(&t->screen.settings.choices[view], view, given)) {
        complain("--columns %s: none of these is a column of --view %s", given, view_kinds[view].name);
        return EXIT_ERROR;
    }
    return EXIT_DONE;
}

/* The views whose command has the option, too. Those with a letter say what is shown, and how; the screen knows that better. */
static unsigned views_with(const struct option_spec *option)
{
    unsigned views = 0;
    if (option->letter || strcmp(option->name, "color") == 0)
        return 0;
    for (unsigned v = 0; v < VIEWS; v++) {
        char word[32] = "";
        snprintf(word, sizeof word, "%.*s", (int)strcspn(view_kinds[v].command, " "), view_kinds[v].command);
        const struct command *c = command_find(&xenmeter, word);
        views |= c && command_option(c, option->name) ? 1u << v : 0;
    }
    return views;
}

/* False: no memory. */
static bool note_options(struct top *t)
{
    const struct options *o = &t->options->common;
    t->given = calloc(o->given_n + 1, sizeof *t->given);
    for (size_t i = 0; t->given && i < o->given_n; i++)
        t->given[i] =
            (struct screen_option){o->given[i].spec->name, o->given[i].value, views_with(o->given[i].spec)};
    t->screen.options = t->given;
    t->screen.options_n = o->given_n;
    return t->given != NULL;
}

static int set_up(struct top *t, enum source_kind kind, struct top_demo *demo)
{
    static const char *const titles[] = {"standard input", NULL, "a simulated host", "xentrace"};
    struct screen *s = &t->screen;
    struct top_reader *r = &t->reader;
    const char *input = r->options.input, *slash = strrchr(input, '/');
    if ((demo && !top_demo_names(demo, &r->run.names)) || !note_options(t)) {
        complain("not enough memory");
        return EXIT_ERROR;
    }
    s->history = r->history = t->history;
    s->source = kind == SOURCE_FILE ? FROM_REPLAY : FROM_LIVE;
    s->title = kind >= SOURCE_DEMO || strcmp(input, "-") == 0 ? titles[kind == SOURCE_FILE ? 0 : kind]
               : slash                                        ? slash + 1
                                                              : input;
    if (!t->options->batch && !t->options->common.no_config)
        top_settings_read(&s->settings);
    s->input = kind == SOURCE_FILE && strcmp(input, "-") != 0 ? input : NULL;
    if (t->options->speed > 0)
        s->speed = t->options->speed;
    if (t->options->view)
        s->settings.view = view_named(t->options->view);
    if (t->options->common.columns && set_columns(t) != EXIT_DONE)
        return EXIT_ERROR;
    if (t->options->common.sort && set_order(t) != EXIT_DONE)
        return EXIT_ERROR;
    r->paced = kind == SOURCE_FILE;
    r->lead_ns = LEAD_NS;
    set_names(t);
    return EXIT_DONE;
}

/* Of xentrace: how it ended says more than that nothing came. */
int top_source_failed(struct top *t, const char *why)
{
    char failure[SCREEN_TEXT];
    struct error err = {0};
    const struct timespec pause = {.tv_nsec = 20000000};
    for (int i = 0; t->tracer && i < 50 && !top_tracer_failure(t->tracer, failure, sizeof failure); i++)
        nanosleep(&pause, NULL);
    if (t->tracer && top_tracer_failure(t->tracer, failure, sizeof failure))
        why = failure;
    error_set(&err, ERROR_IO, "%s", why);
    return fail(t->tracer || t->options->demo ? NULL : t->reader.options.input, &err);
}

/* What works beside the reader: the simulated host, xentrace, the names of domains. */
static int start_helpers(struct top *t, enum source_kind kind, struct top_demo **demo, struct error *err)
{
    const struct top_options *o = t->options;
    if (kind == SOURCE_DEMO && !(*demo = top_demo_new(o, &t->reader.stop, err)))
        return -1;
    if (kind == SOURCE_XENTRACE) {
        t->tracer = top_tracer_new(o->xentrace, o->purpose_given ? o->purpose : FOR_CHARGES, err);
        if (!t->tracer)
            return -1;
        t->reader.options.input = top_tracer_input(t->tracer);
    }
    bool ask = o->domain_info || (kind == SOURCE_XENTRACE && !o->common.names);
    if (ask && !(t->names = top_names_new(o->domain_info, err)))
        return -1;
    return 0;
}

/* xentrace is to be read until it has ended. */
static void end_helpers(struct top *t, struct top_demo *demo)
{
    top_tracer_free(t->tracer);
    if (!top_reader_stop(&t->reader, LEAVE_NS)) {
        fflush(stdout);
        _exit(t->status); /* the reader hangs in a call, and cannot be waited for */
    }
    top_names_free(t->names);
    top_demo_free(demo);
}

static void run_source(struct top *t, enum source_kind kind)
{
    struct error err = {0};
    struct top_demo *demo = NULL;
    struct feed feed;
    if (start_helpers(t, kind, &demo, &err) != 0) {
        t->status = fail(kind == SOURCE_XENTRACE ? "xentrace" : NULL, &err);
        end_helpers(t, demo);
        return;
    }
    if (demo) {
        feed = top_demo_feed(demo);
        t->reader.feed = &feed;
    }
    t->status = find(t, kind);
    if (t->status == EXIT_DONE)
        t->status = set_up(t, kind, demo);
    if (t->status == EXIT_DONE)
        t->status = t->options->batch ? top_batch(t) : top_interactive(t);
    end_helpers(t, demo);
}

static int run(const struct options *o)
{
    if (options_list_columns(o))
        return reading_list_columns(o);
    struct top t = {.options = (const struct top_options *)o};
    t.reader.options = *o;
    t.reader.options.jobs = 1;
    t.reader.options.inputs = NULL;
    t.reader.options.inputs_n = 0;
    screen_init(&t.screen);
    t.history = history_new(HISTORY_BYTES);
    if (!t.history) {
        complain("not enough memory");
        return EXIT_ERROR;
    }
    top_reader_install_signal();
    run_source(&t, kind_of(t.options, o->input));
    trace_run_close(&t.reader.run);
    screen_free(&t.screen);
    canvas_free(&t.canvas);
    free(t.given);
    history_free(t.history);
    return t.status;
}

/* ---- options ---- */

/* "4x" "0.5" */
static int set_speed(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    char *end;
    double speed = *text >= '0' && *text <= '9' ? strtod(text, &end) : 0;
    bool decimal = speed > 0 && end == text + strspn(text, "0123456789.");
    if (!decimal || speed < 0.125 || speed > 64 || (strcmp(end, "x") != 0 && *end))
        return error_set(err, ERROR_USAGE, "--%s %.40s: wants a speed " SPEEDS ", for example 4x", s->name,
                         text);
    ((struct top_options *)o)->speed = speed;
    return 0;
}

static int set_at(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    o->span.option = "--at";
    o->span.text = text;
    return strchr(text, ':') ? clock_time_parse(&o->span.from, o->span.option, text, strlen(text), err)
                             : parse_duration(s->name, text, strlen(text), &o->from_ns, err);
}

static int set_purpose(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    static const char *const words[] = {"cpu", "charges", "all", NULL};
    static const enum tracer_purpose purposes[] = {FOR_CPU, FOR_CHARGES, FOR_ALL};
    struct top_options *own = (struct top_options *)o;
    int at = name_index(words, text, strlen(text));
    if (at < 0)
        return error_set(err, ERROR_USAGE, "--%s %.40s: wants cpu, charges or all", s->name, text);
    own->purpose = purposes[at];
    own->purpose_given = true;
    return 0;
}

static int set_view(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    if (view_named(text) == VIEWS)
        return error_set(err, ERROR_USAGE,
                         "--%s %.40s: wants domains, vcpus, pcpus, executions, blame or charges", s->name,
                         text);
    ((struct top_options *)o)->view = text;
    return 0;
}

static int check(struct options *o, struct error *err)
{
    const struct top_options *own = (const struct top_options *)o;
    if (o->inputs_n > 1)
        return error_set(err, ERROR_USAGE, "one FILE at a time: '%s' and '%s' were given", o->inputs[0],
                         o->inputs[1]);
    if (own->demo && o->inputs_n > 0)
        return error_set(err, ERROR_USAGE, "--demo has a simulated host: it takes no FILE");
    if (o->inputs_n > 0)
        o->input = o->inputs[0];
    if (!*o->input)
        return error_set(err, ERROR_USAGE, "the name of a FILE is empty; \"-\" is standard input");
    if (o->inputs_n > 0 && strcmp(o->input, "-") == 0 && isatty(STDIN_FILENO))
        return error_set(err, ERROR_USAGE, "standard input is a terminal: a binary trace is wanted there");
    if (own->xentrace && (own->demo || o->inputs_n > 0))
        return error_set(err, ERROR_USAGE, "--xentrace starts a program: it takes no FILE and no --demo");
    if (!own->batch && strcmp(o->format, "table") != 0)
        return error_set(err, ERROR_USAGE, "--format %s wants --batch", o->format);
    if (!own->batch && o->limit)
        return error_set(err, ERROR_USAGE, "--limit wants --batch");
    return 0;
}

#define OWN_FIELD(MEMBER) .offset = offsetof(struct top_options, MEMBER)

static const char *const formats[] = {"table", "jsonl", "csv", NULL};
static const struct relation *const relations[] = {&relation_rows, &relation_executions, &relation_delays,
                                                   NULL};

static const struct option_spec options[] = {
    OPTIONS_HEADING("Where from"),
    OPTION(0, "demo", NULL, "a simulated host, in real time: to see it without Xen", .set = set_flag,
           OWN_FIELD(demo)),
    OPTION(0, "xentrace", "PROGRAM", "start this one (default: xentrace, where there is no input)",
           .set = set_text, OWN_FIELD(xentrace), .choices = ":file"),
    OPTION(0, "for", "PURPOSE",
           "of the xentrace that is started: cpu: who ran; charges: and what driver domains did for whom "
           "(default); all: what there is",
           .set = set_purpose, .choices = "cpu\ncharges\nall"),
    OPTION(0, "domain-info", "COMMAND",
           "who the domains are, in place of \"xl list -l\"; or a file; also beside a pipe", .set = set_text,
           OWN_FIELD(domain_info), .choices = ":file"),
    OPTION(0, "at", "TIME", "begin there: 90s from the trace's start, or a time of day: 07:00",
           .set = set_at),
    OPTION(0, "replay", "SPEED", "of a trace that was recorded (default 1x; " SPEEDS ")", .set = set_speed,
           .choices = "1x\n4x\n16x"),
    OPTIONS_HEADING("What to show"),
    OPTION(0, "view", "NAME", "domains (default), vcpus, pcpus, executions, blame, charges", .set = set_view,
           .choices = "domains\nvcpus\npcpus\nexecutions\nblame\ncharges"),
    OPTION('c', "columns", "LIST", "these columns of that view, in this order (\"help\" lists them)",
           .set = set_text, OPTION_FIELD(columns)),
    OPTION_SORT("order the rows by this column, largest first"),
    OPTION_NAMES("domain names"),
    OPTION_HOST_FACTS(HOST_FACTS_HELP),
    OPTION(0, "ascii", NULL, "no other characters, whatever the locale is", .set = set_flag,
           OWN_FIELD(ascii)),
    OPTION(0, "no-mouse", NULL, "leave the mouse to the terminal, to select text", .set = set_flag,
           OWN_FIELD(no_mouse)),
    OPTION_COLOR,
    OPTIONS_HEADING("Without a terminal"),
    OPTION('b', "batch", NULL, "print each second on standard output", .set = set_flag, OWN_FIELD(batch)),
    OPTION_FORMAT("of --batch: table (default), jsonl, csv"),
    OPTION_LIMIT("of --batch: N seconds, then end"),
    OPTION_RAW_NAMES,
    OPTIONS_HEADING("Driver domains"),
    OPTIONS_CHARGE_TRACE,
    OPTIONS_HEADING("How to read it"),
    OPTION_HOST("of an archive with several hosts: this one; N: its Nth timeline"),
    OPTION(0, "cpu-hz", "HZ", "frequency of the tsc (2.4GHz); default: measured from the trace",
           .set = set_cpu_hz),
    OPTION(0, "max-memory", "SIZE", "give up rather than use more (default 1G)", .set = set_max_memory,
           .choices = "256M\n1G\n4G"),
    OPTION_QUIET,
    OPTIONS_ALL,
};

static const struct command command = {
    .order = 15,
    .name = "top",
    .summary = "a host on a screen: live from xentrace, or a recorded trace replayed",
    .usage = "[OPTIONS] [FILE]",
    .text =
        "FILE is a capture of xentrace, plain or compressed, or an archive: it is replayed; or a recorder's "
        "folder: its newest archive, or the one that has the time of --at. \"-\" or nothing: the trace on "
        "standard input, as it comes; where that is a terminal, xentrace is started. "
        "Keys are read from the terminal: h lists them, q quits.",
    .examples = "xenmeter top\n"
                "xentrace -D -e 0x32f000 /dev/stdout | xenmeter top -\n"
                "xenmeter top --replay 4x --at 60s capture.xt.zst\n"
                "xenmeter top --demo\n"
                "xentrace -D -e 0x32f000 /dev/stdout | xenmeter top -b -f jsonl - | jq .running_pct",
    .options = options,
    .options_size = sizeof(struct top_options),
    .operands = OPERANDS_FILE,
    .formats = formats,
    .relations = relations,
    .check = check,
    .run = run,
};
COMMAND(command);
