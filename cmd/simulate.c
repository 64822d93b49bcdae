/* xenmeter simulate: a simulated Xen host writes a trace, and what really happened. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "formats/output.h"
#include "metrics/human.h"
#include "sim/simulated_feed.h"
#include "simulate_control.h"

#define SCENARIO_BYTES_MAX (16u << 20)
#define MOST_BYTES_DEFAULT ((uint64_t)8 << 30)

/* Files that are written beside the trace; those after the truth have the rows of the controllers, in their order. */
enum file { TRUTH, LEDGER, DECISIONS, FILES };
_Static_assert(FILES == LEDGER + CONTROLLERS, "a file for each controller");

static const char *const file_options[FILES] = {"truth", "ledger", "decisions"};
static const char *const controller_names[] = {"debt", "guard", NULL};

struct simulate_options {
    struct options common;
    const char *files[FILES];          /* NULL: not given */
    const char *policies[CONTROLLERS]; /* files, of controllers that act; NULL: it does not */
    uint64_t delay_ns;
    bool delay_given;
    uint64_t duration_ns;
    uint64_t most_bytes; /* of the trace; 0: MOST_BYTES_DEFAULT */
    uint64_t size_bytes; /* of the trace, at which the host's time ends; 0: none */
    size_t seed;         /* 0: that of the scenario */
};

struct simulate {
    const struct simulate_options *options;
    struct scenario *scenario;
    struct simulated_feed host;
    struct simulated_ledger ledger;
    struct simulated_guard guard;
    struct simulated_control control; /* of these two */
    struct output *trace, *files[FILES];
    struct progress progress;
    uint64_t bytes, most_bytes; /* of the trace, uncompressed: written, and possible */
    uint64_t now_ns;            /* how far the host's time is, about */
};

/* ---- the scenario ---- */

static FILE *open_scenario(const char *path)
{
    return strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
}

/* The whole file; the caller frees *text. 0, or -1 with `err` filled. */
static int read_text(const char *path, char **text, size_t *n, struct error *err)
{
    FILE *f = open_scenario(path);
    if (!f)
        return error_set(err, ERROR_IO, "cannot read the scenario: %s", strerror(errno));
    *text = malloc(SCENARIO_BYTES_MAX + 1);
    *n = *text ? fread(*text, 1, SCENARIO_BYTES_MAX + 1, f) : 0;
    int failed = ferror(f) ? errno : 0;
    if (f != stdin)
        fclose(f);
    if (!*text)
        return error_no_memory(err, "the scenario");
    if (failed)
        return error_set(err, ERROR_IO, "cannot read the scenario: %s", strerror(failed));
    if (*n > SCENARIO_BYTES_MAX)
        return error_set(err, ERROR_FORMAT, "a scenario has at most %u bytes", SCENARIO_BYTES_MAX);
    return 0;
}

/* The path up to and with its last slash. */
static const char *folder_of(const char *path, char to[PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    snprintf(to, PATH_MAX, "%.*s", slash ? (int)(slash + 1 - path) : 0, path);
    return to;
}

static int read_scenario(struct simulate *s, struct error *err)
{
    char *text = NULL;
    size_t n = 0;
    char folder[PATH_MAX];
    int status = read_text(s->options->common.inputs[0], &text, &n, err);
    if (status == 0)
        s->scenario = scenario_read(text, n, folder_of(s->options->common.inputs[0], folder),
                                    s->options->duration_ns, err);
    free(text);
    if (!s->scenario)
        return -1;
    if (s->options->seed)
        s->scenario->seed = s->options->seed;
    return 0;
}

/* ---- the simulation ---- */

static int too_large(struct simulate *s)
{
    struct error why = {0};
    char most[HUMAN_BYTES];
    error_set(&why, ERROR_USAGE,
              "the trace has %s bytes at %.3f s of %.10g s: simulate less, record fewer classes "
              "(trace.events), or allow more (--max-size)",
              human_count(most, s->bytes), (double)s->now_ns / 1e9, (double)s->scenario->duration_ns / 1e9);
    return output_fail(s->trace, &why);
}

static int write_trace(void *simulate, const void *bytes, size_t n)
{
    struct simulate *s = simulate;
    if (s->bytes + n > s->most_bytes)
        return too_large(s);
    s->bytes += n;
    if (s->options->size_bytes && s->bytes >= s->options->size_bytes)
        simulation_stop(s->host.simulation);
    return output_write(s->trace, bytes, n);
}

static void show_progress(void *simulate, uint64_t now_ns)
{
    struct simulate *s = simulate;
    s->now_ns = now_ns;
    progress_show_simulated(&s->progress, now_ns, s->scenario->duration_ns, s->bytes);
}

/* EXIT_DONE, or EXIT_ERROR and a message. */
static int open_outputs(struct simulate *s, struct error *err)
{
    const struct simulate_options *o = s->options;
    for (int i = 0; i < FILES; i++)
        if (o->files[i] && !(s->files[i] = output_open(o->files[i], err)))
            return fail(o->files[i], err);
    s->trace = output_open(o->common.output, err);
    return s->trace ? EXIT_DONE : fail(o->common.output, err);
}

static int write_truth(struct simulate *s, struct error *err)
{
    if (!s->files[TRUTH])
        return 0;
    json_t *truth = simulation_truth(s->host.simulation);
    char *text = truth ? json_dumps(truth, JSON_INDENT(1)) : NULL;
    json_decref(truth);
    if (!text)
        return error_no_memory(err, "the truth");
    output_printf(s->files[TRUTH], "%s\n", text);
    free(text);
    return 0;
}

/*
 * The trace takes its place first. The bytes of the others are flushed before, so that a full disk leaves none of them.
 */
static int commit_all(struct simulate *s)
{
    for (int i = 0; i < FILES; i++)
        if (s->files[i] && output_flush(s->files[i]) != 0)
            return fail(s->options->files[i], output_failure(s->files[i]));
    int status = commit(&s->trace, s->options->common.output);
    for (int i = 0; i < FILES && status == EXIT_DONE; i++)
        if (s->files[i])
            status = commit(&s->files[i], s->options->files[i]);
    return status;
}

/* The files that a run depends on: the scenario, and the policies if there are any. EXIT_DONE, or EXIT_ERROR and a message. */
static int read_inputs(struct simulate *s, struct error *err)
{
    const struct simulate_options *o = s->options;
    if (read_scenario(s, err) != 0)
        return fail(o->common.inputs[0], err);
    struct simulated_controller *const all[CONTROLLERS] = {&s->ledger.controller, &s->guard.controller};
    s->ledger.controller.kind = &simulated_ledger_kind;
    s->guard.controller.kind = &simulated_guard_kind;
    s->control =
        (struct simulated_control){.options = &o->common, .scenario = s->scenario, .delay_ns = o->delay_ns};
    for (int i = 0; i < CONTROLLERS; i++) {
        all[i]->policy = o->policies[i];
        all[i]->file = o->files[LEDGER + i];
        if (o->policies[i])
            s->control.controllers[s->control.n++] = all[i];
    }
    return simulated_control_prepare(&s->control, err) != 0 ? fail(NULL, err) : EXIT_DONE;
}

static int run_host(struct simulate *s, struct error *err)
{
    const struct feed feed = simulated_feed_of(&s->host);
    const uint8_t *bytes;
    size_t n;
    int status = 1;
    s->ledger.controller.output = s->files[LEDGER];
    s->guard.controller.output = s->files[DECISIONS];
    progress_begin(&s->progress, s->options->common.progress, s->options->common.quiet);
    if (s->control.n > 0)
        status = simulated_control_run(&s->control, &s->host, err);
    while (status > 0)
        status = feed.next(feed.context, &bytes, &n, err);
    progress_end(&s->progress);
    return status;
}

/* Nobody reads the trace any more; what else was asked for has no end then. */
static int reader_gone(const struct simulate *s)
{
    const char *lost = NULL;
    for (int i = 0; i < FILES && !lost; i++)
        lost = s->options->files[i];
    if (!lost)
        return EXIT_DONE;
    complain("%s: not written: the reader of the trace went away before its end", lost);
    return EXIT_ERROR;
}

static int simulate(struct simulate *s)
{
    struct error err = {0};
    const struct options *o = &s->options->common;
    if (read_inputs(s, &err) != EXIT_DONE || open_outputs(s, &err) != EXIT_DONE)
        return EXIT_ERROR;
    const struct simulation_sink sink = {s, write_trace, show_progress};
    if (simulated_feed_open(&s->host, s->scenario, &sink, &err) != 0)
        return fail(o->inputs[0], &err);
    if (s->options->policies[0] && !simulation_takes_allowances(s->host.simulation)) {
        complain(
            "%s: its scheduler has no parameter for the allowances of --with: take sedf, rtds, credit or "
            "credit2",
            o->inputs[0]);
        return EXIT_ERROR;
    }
    bool done = run_host(s, &err) == 0 && write_truth(s, &err) == 0;
    for (int i = LEDGER; i < FILES && !done; i++)
        if (s->files[i] && output_failure(s->files[i]))
            return commit(&s->files[i], s->options->files[i]);
    if (!done && !output_failure(s->trace))
        return fail(o->inputs[0], &err);
    if (output_reader_gone(s->trace))
        return reader_gone(s);
    int status = commit_all(s);
    if (status == EXIT_DONE && s->control.n > 0 && !o->quiet)
        say_verdict("verdict", &s->control.judgement);
    return status;
}

static int run(const struct options *o)
{
    struct simulate s = {.options = (const struct simulate_options *)o};
    s.most_bytes = s.options->most_bytes ? s.options->most_bytes : MOST_BYTES_DEFAULT;
    int status = simulate(&s);
    output_abort(s.trace);
    for (int i = 0; i < FILES; i++)
        output_abort(s.files[i]);
    simulated_control_free(&s.control);
    simulated_feed_free(&s.host);
    scenario_free(s.scenario);
    return status;
}

/* ---- options ---- */

static int set_duration(struct options *o, const struct option_spec *spec, const char *text,
                        struct error *err)
{
    struct simulate_options *s = (struct simulate_options *)o;
    if (parse_duration(spec->name, text, strlen(text), &s->duration_ns, err) != 0)
        return -1;
    if (s->duration_ns < SCENARIO_DURATION_MIN || s->duration_ns > SCENARIO_DURATION_MAX)
        return error_set(err, ERROR_USAGE, "--%s %s: from 1ms to 24h are possible", spec->name, text);
    return 0;
}

/* "debt=FILE" "guard=FILE" */
static int set_controller(struct options *o, const struct option_spec *spec, const char *text,
                          struct error *err)
{
    struct simulate_options *s = (struct simulate_options *)o;
    const char *equals = strchr(text, '=');
    int kind = equals && equals[1] ? name_index(controller_names, text, (size_t)(equals - text)) : -1;
    if (kind < 0)
        return error_set(err, ERROR_USAGE,
                         "--%s %.40s: wants debt=POLICY or guard=POLICY, a file as xenmeter-policy(5) has it",
                         spec->name, text);
    s->policies[kind] = equals + 1;
    return 0;
}

static int set_delay(struct options *o, const struct option_spec *spec, const char *text, struct error *err)
{
    struct simulate_options *s = (struct simulate_options *)o;
    s->delay_given = true;
    if (parse_duration(spec->name, text, strlen(text), &s->delay_ns, err) != 0)
        return -1;
    if (s->delay_ns > SCENARIO_DURATION_MAX)
        return error_set(err, ERROR_USAGE, "--%s %s: 24h at most", spec->name, text);
    return 0;
}

static int set_bytes(struct options *o, const struct option_spec *spec, const char *text, struct error *err)
{
    if (parse_size(text, (uint64_t *)((char *)o + spec->offset)) != 0)
        return error_set(err, ERROR_USAGE, "--%s %.60s: wants a number of bytes, for example 500M or 20G",
                         spec->name, text);
    return 0;
}

static int stat_output(const char *path, struct stat *st)
{
    return strcmp(path, "-") == 0 ? fstat(STDOUT_FILENO, st) : stat(path, st);
}

/* Whether two paths lie in one folder under one name; neither needs to exist. */
static bool same_place(const char *a, const char *b)
{
    char folder_a[PATH_MAX], folder_b[PATH_MAX];
    struct stat in_a, in_b;
    const char *name_a = strrchr(a, '/'), *name_b = strrchr(b, '/');
    if (strcmp(name_a ? name_a + 1 : a, name_b ? name_b + 1 : b) != 0)
        return false;
    folder_of(a, folder_a);
    folder_of(b, folder_b);
    return stat(*folder_a ? folder_a : ".", &in_a) == 0 && stat(*folder_b ? folder_b : ".", &in_b) == 0 &&
           in_a.st_dev == in_b.st_dev && in_a.st_ino == in_b.st_ino;
}

/* Whether two outputs would mix or one replace the other, by whatever names; devices such as /dev/null take both. */
static bool same_output(const char *a, const char *b)
{
    struct stat to_a, to_b;
    if (stat_output(a, &to_a) == 0 && stat_output(b, &to_b) == 0)
        return !S_ISCHR(to_a.st_mode) && to_a.st_dev == to_b.st_dev && to_a.st_ino == to_b.st_ino;
    return strcmp(a, b) == 0 || same_place(a, b);
}

static const char *or_standard_output(const char *output)
{
    return output ? output : "-";
}

static bool is_policy(const struct simulate_options *s, const char *output)
{
    bool is = false;
    for (int i = 0; i < CONTROLLERS; i++)
        is = is || (s->policies[i] && same_file(s->policies[i], output));
    return is;
}

static bool is_controlled(const struct simulate_options *s)
{
    return s->policies[0] || s->policies[1];
}

/* Who wants to read standard input. */
static int check_standard_input(const struct simulate_options *s, struct error *err)
{
    const char *readers[] = {s->common.inputs[0], s->policies[0], s->policies[1]};
    int n = 0;
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++)
        n += readers[i] && strcmp(readers[i], "-") == 0;
    return n < 2 ? 0
                 : error_set(err, ERROR_USAGE, "the scenario and the policy cannot both be standard input");
}

/* What a controller alone has a meaning for. */
static int check_controllers(const struct simulate_options *s, struct error *err)
{
    for (int i = 0; i < CONTROLLERS; i++)
        if (s->files[LEDGER + i] && !s->policies[i])
            return error_set(err, ERROR_USAGE, "--%s wants --with %s=POLICY", file_options[LEDGER + i],
                             controller_names[i]);
    if (s->delay_given && !is_controlled(s))
        return error_set(err, ERROR_USAGE, "--delay wants --with debt=POLICY or guard=POLICY");
    if (charge_options_given(&s->common) && !is_controlled(s))
        return error_set(
            err, ERROR_USAGE,
            "options of charging are for a ledger or a guard: give --with debt=POLICY or guard=POLICY");
    return 0;
}

/* What is written has files of its own, and none of them is read. */
static int check_files(const struct simulate_options *s, struct error *err)
{
    const struct options *o = &s->common;
    const char *outputs[FILES + 1] = {or_standard_output(o->output)};
    const char *names[FILES + 1] = {"output"};
    memcpy(outputs + 1, s->files, sizeof s->files);
    memcpy(names + 1, file_options, sizeof file_options);
    for (size_t i = 0; i < FILES + 1; i++) {
        if (outputs[i] && (same_file(o->inputs[0], outputs[i]) || is_policy(s, outputs[i])))
            return error_set(err, ERROR_USAGE, "--%s %s is what is to be read: it would be lost", names[i],
                             outputs[i]);
        if (outputs[i] && !*outputs[i])
            return error_set(err, ERROR_USAGE, "--%s wants a file of its own", names[i]);
        for (size_t k = 0; k < i; k++)
            if (outputs[i] && outputs[k] && same_output(outputs[i], outputs[k]))
                return error_set(err, ERROR_USAGE, "--%s wants a file of its own, beside --%s", names[i],
                                 names[k]);
    }
    return 0;
}

static int check(struct options *o, struct error *err)
{
    const struct simulate_options *s = (const struct simulate_options *)o;
    if (o->inputs_n != 1)
        return error_set(err, ERROR_USAGE, o->inputs_n ? "one SCENARIO at a time" : "which scenario?");
    if (check_controllers(s, err) != 0 || check_standard_input(s, err) != 0 || check_files(s, err) != 0)
        return -1;
    if ((!o->output || strcmp(o->output, "-") == 0) && isatty(STDOUT_FILENO))
        return error_set(err, ERROR_USAGE,
                         "standard output is a terminal: a trace is not for reading; give -o FILE");
    return 0;
}

static const struct option_spec options[] = {
    OPTION_OUTPUT,
    OPTION(0, "truth", "FILE", "what really happened, as JSON: runstates, charges, work done",
           .set = set_text, .offset = offsetof(struct simulate_options, files[TRUTH]), .choices = ":file"),
    OPTION(0, "duration", "LEN", "simulate so long, whatever the scenario says", .set = set_duration,
           .choices = "1s\n10s\n1m"),
    OPTION(0, "size", "SIZE", "end as soon as the trace has so many bytes", .set = set_bytes,
           .offset = offsetof(struct simulate_options, size_bytes), .choices = "10M\n100M\n1G"),
    OPTION(0, "seed", "N", "of the random numbers, whatever the scenario says", .set = set_count,
           .offset = offsetof(struct simulate_options, seed)),
    OPTIONS_HEADING("What acts on the host"),
    OPTION(0, "with", "NAME=POLICY",
           "reads the trace as the host writes it, and acts on the host: debt (the ledger of SEDF-DC sets "
           "what domains "
           "may run), guard (ShareGuard stops guests' I/O), or both; see xenmeter-policy(5)",
           .set = set_controller, .choices = "debt=\nguard="),
    OPTION(0, "delay", "LEN", "until what is decided is done (default 0)", .set = set_delay,
           .choices = "10ms\n100ms\n1s"),
    OPTION(0, "ledger", "FILE",
           "the rows of the ledger, as xenmeter debt has them: .csv, .json, .jsonl, or a table",
           .set = set_text, .offset = offsetof(struct simulate_options, files[LEDGER]), .choices = ":file"),
    OPTION(0, "decisions", "FILE",
           "the rows of ShareGuard, as xenmeter guard has them: .csv, .json, .jsonl, or a table",
           .set = set_text, .offset = offsetof(struct simulate_options, files[DECISIONS]),
           .choices = ":file"),
    OPTIONS_HEADING("How those that act charge"),
    OPTIONS_CHARGE_TRACE,
    OPTIONS_HEADING("While it runs"),
    OPTION(0, "max-size", "SIZE", "give up rather than write a larger trace (default 8G)", .set = set_bytes,
           .offset = offsetof(struct simulate_options, most_bytes), .choices = "500M\n8G\n100G"),
    OPTION_PROGRESS,
    OPTION_QUIET,
    OPTIONS_END,
};

static const struct command command = {
    .order = 47,
    .name = "simulate",
    .summary = "a simulated Xen host writes a trace, and what really happened",
    .usage = "[OPTIONS] SCENARIO",
    .text = "SCENARIO is a JSON file (xenmeter-scenario(5)); \"-\": standard input. The trace is what "
            "xentrace would have "
            "written on such a host; the same scenario and seed give the same bytes.",
    .examples = "xenmeter simulate sim/scenarios/two-hogs.json -o trace.xt --truth truth.json\n"
                "xenmeter simulate --duration 5s sim/scenarios/two-hogs.json | xenmeter report -\n"
                "xenmeter simulate --with debt=sim/policies/sedf-web-server.json --ledger debts.csv "
                "-o trace.xt sim/scenarios/sedf-web-server.json",
    .options = options,
    .operands = OPERANDS_FILE,
    .options_size = sizeof(struct simulate_options),
    .check = check,
    .run = run,
};
COMMAND(command);
