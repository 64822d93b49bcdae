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
#include "sim/simulation.h"

#define SCENARIO_BYTES_MAX (16u << 20)

struct simulate_options {
    struct options common;
    const char *truth; /* file; NULL: not given */
    uint64_t duration_ns;
    size_t seed; /* 0: that of the scenario */
};

struct simulate {
    const struct simulate_options *options;
    struct scenario *scenario;
    struct simulation *simulation;
    struct output *trace, *truth;
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
        s->scenario = scenario_read(text, n, folder_of(s->options->common.inputs[0], folder), err);
    free(text);
    if (!s->scenario)
        return -1;
    if (s->options->duration_ns)
        s->scenario->duration_ns = s->options->duration_ns;
    if (s->options->seed)
        s->scenario->seed = s->options->seed;
    return 0;
}

/* ---- the simulation ---- */

static int write_trace(void *output, const void *bytes, size_t n)
{
    return output_write(output, bytes, n);
}

static int open_outputs(struct simulate *s, struct error *err)
{
    if (s->options->truth && !(s->truth = output_open(s->options->truth, err)))
        return -1;
    s->trace = output_open(s->options->common.output, err);
    return s->trace ? 0 : -1;
}

static int write_truth(struct simulate *s, struct error *err)
{
    if (!s->truth)
        return 0;
    json_t *truth = simulation_truth(s->simulation);
    char *text = truth ? json_dumps(truth, JSON_INDENT(1)) : NULL;
    json_decref(truth);
    if (!text)
        return error_no_memory(err, "the truth");
    output_printf(s->truth, "%s\n", text);
    free(text);
    return 0;
}

/*
 * The trace takes its place first, then the truth. The truth's bytes are flushed before, so that a full disk leaves neither.
 */
static int commit_both(struct simulate *s)
{
    if (s->truth && output_flush(s->truth) != 0)
        return fail(s->options->truth, output_failure(s->truth));
    int status = commit(&s->trace, s->options->common.output);
    if (status == EXIT_DONE && s->truth)
        status = commit(&s->truth, s->options->truth);
    return status;
}

static int simulate(struct simulate *s)
{
    struct error err = {0};
    const struct options *o = &s->options->common;
    if (read_scenario(s, &err) != 0)
        return fail(o->inputs[0], &err);
    if (open_outputs(s, &err) != 0)
        return fail(s->options->truth && !s->truth ? s->options->truth : o->output, &err);
    const struct simulation_sink sink = {s->trace, write_trace};
    s->simulation = simulation_new(s->scenario, &sink, &err);
    if (!s->simulation)
        return fail(o->inputs[0], &err);
    bool done = simulation_run(s->simulation, &err) == 0 && write_truth(s, &err) == 0;
    if (!done && !output_failure(s->trace))
        return fail(o->inputs[0], &err);
    if (output_reader_gone(s->trace))
        return EXIT_DONE;
    return commit_both(s);
}

static int run(const struct options *o)
{
    struct simulate s = {.options = (const struct simulate_options *)o};
    int status = simulate(&s);
    output_abort(s.trace);
    output_abort(s.truth);
    simulation_free(s.simulation);
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

static int check(struct options *o, struct error *err)
{
    const struct simulate_options *s = (const struct simulate_options *)o;
    if (o->inputs_n != 1)
        return error_set(err, ERROR_USAGE, o->inputs_n ? "one SCENARIO at a time" : "which scenario?");
    if (same_file(o->inputs[0], o->output) || (s->truth && same_file(o->inputs[0], s->truth)))
        return error_set(err, ERROR_USAGE, "an output is the scenario itself: it would be lost");
    if (s->truth && (!*s->truth || same_output(s->truth, o->output ? o->output : "-")))
        return error_set(err, ERROR_USAGE, "--truth wants a file of its own, beside the trace");
    if ((!o->output || strcmp(o->output, "-") == 0) && isatty(STDOUT_FILENO))
        return error_set(err, ERROR_USAGE,
                         "standard output is a terminal: a trace is not for reading; give -o FILE");
    return 0;
}

static const struct option_spec options[] = {
    OPTION_OUTPUT,
    OPTION(0, "truth", "FILE", "what really happened, as JSON: runstates, charges, work done",
           .set = set_text, .offset = offsetof(struct simulate_options, truth), .choices = ":file"),
    OPTION(0, "duration", "LEN", "simulate so long, whatever the scenario says", .set = set_duration,
           .choices = "1s\n10s\n1m"),
    OPTION(0, "seed", "N", "of the random numbers, whatever the scenario says", .set = set_count,
           .offset = offsetof(struct simulate_options, seed)),
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
                "xenmeter simulate --duration 5s sim/scenarios/two-hogs.json | xenmeter report -",
    .options = options,
    .operands = OPERANDS_FILE,
    .options_size = sizeof(struct simulate_options),
    .check = check,
    .run = run,
};
COMMAND(command);
