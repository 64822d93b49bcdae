/* xenmeter simulate: a simulated Xen host writes a trace, and what really happened. */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "formats/output.h"
#include "metrics/human.h"
#include "sim/scenario_keys.h"
#include "sim/simulated_feed.h"
#include "simulate_control.h"
#include "simulate_live.h"
#include "simulate_counts.h"
#include "simulate_files.h"
#include "small_file.h"

#define COUNTS_EVERY_MIN   1000000u
#define BEHIND_NS          500000000u /* what is worth a word */
#define MOST_BYTES_DEFAULT ((uint64_t)8 << 30)

struct simulate_options {
    struct options common;
    const char *files[SIMULATED_FILES];       /* that are written; NULL: not given */
    const char *ledger_policy, *guard_policy; /* files, of controllers that act; NULL: none does */
    uint64_t count_interval_ns;               /* 0: not given */
    uint64_t delay_ns;
    bool delay_given;
    uint64_t duration_ns;
    uint64_t most_bytes; /* of the trace; 0: MOST_BYTES_DEFAULT */
    uint64_t size_bytes; /* of the trace, at which the host's time ends; 0: none */
    uint64_t seed;       /* if given; else that of the scenario */
    bool seed_given;
    const char *layout; /* NULL: that of the scenario */
    bool schema;        /* of scenarios is asked for, and nothing else */
    bool realtime;
    const char *hooks; /* a folder; NULL: none act */
};

struct simulate {
    const struct simulate_options *options;
    struct scenario *scenario;
    struct simulated_feed host;
    struct simulated_ledger ledger;
    struct simulated_guard guard;
    struct simulated_control control; /* of those of the two that have a policy */
    struct simulated_files files;
    struct simulated_counts counts;
    struct progress progress;
    struct simulated_live live;
    uint64_t bytes, most_bytes; /* of the trace, uncompressed: written, and possible */
    uint64_t now_ns;            /* how far the host's time is, about */
};

/* ---- the scenario ---- */

static const struct small_file scenario_file = {.cannot = "cannot read the scenario",
                                                .too_large = "a scenario has at most 16777216 bytes",
                                                .most = 16u << 20,
                                                .standard_input = true};

/* The path up to and with its last slash. */
static const char *folder_of(const char *path, char to[PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    snprintf(to, PATH_MAX, "%.*s", slash ? (int)(slash + 1 - path) : 0, path);
    return to;
}

static int read_scenario(struct simulate *s, struct error *err)
{
    const char *path = s->options->common.inputs[0];
    struct buffer text = {0};
    char folder[PATH_MAX];
    int status = small_file_read(path, &scenario_file, &text, err);
    if (status == 0)
        s->scenario = scenario_read(text.at, text.n, folder_of(path, folder), s->options->duration_ns, err);
    buffer_free(&text);
    if (!s->scenario)
        return -1;
    if (s->options->seed_given)
        s->scenario->seed = s->options->seed;
    return s->options->layout ? scenario_set_layout(s->scenario, s->options->layout, err) : 0;
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
    return output_fail(s->files.outputs[FILE_TRACE], &why);
}

static int write_trace(void *simulate, const void *bytes, size_t n)
{
    struct simulate *s = simulate;
    if (s->bytes + n > s->most_bytes)
        return too_large(s);
    s->bytes += n;
    if (s->options->size_bytes && s->bytes >= s->options->size_bytes)
        simulation_stop(s->host.simulation);
    return output_write(s->files.outputs[FILE_TRACE], bytes, n);
}

static void reached(void *simulate, uint64_t now_ns)
{
    struct simulate *s = simulate;
    struct error err = {0};
    s->now_ns = now_ns;
    if (s->options->realtime) {
        output_flush(s->files.outputs[FILE_TRACE]);
        if (simulated_live_reached(&s->live, now_ns, &err) != 0)
            output_fail(s->files.outputs[FILE_TRACE], &err);
    }
    progress_show_simulated(&s->progress, now_ns, s->scenario->duration_ns, s->bytes);
}

static int write_truth(struct simulate *s, struct error *err)
{
    struct output *to = s->files.outputs[FILE_TRUTH];
    if (!to)
        return 0;
    json_t *truth = simulation_truth(s->host.simulation);
    char *text = truth ? json_dumps(truth, JSON_INDENT(1)) : NULL;
    json_decref(truth);
    if (!text)
        return error_no_memory(err, "the truth");
    output_printf(to, "%s\n", text);
    free(text);
    return 0;
}

/* The files that a run depends on: the scenario, and the policies if there are any. EXIT_DONE, or EXIT_ERROR and a message. */
static int read_inputs(struct simulate *s, struct error *err)
{
    const struct simulate_options *o = s->options;
    if (read_scenario(s, err) != 0)
        return fail(o->common.inputs[0], err);
    s->control =
        (struct simulated_control){.options = &o->common, .scenario = s->scenario, .delay_ns = o->delay_ns};
    s->ledger.controller = (struct simulated_controller){
        .kind = &simulated_ledger_kind, .policy = o->ledger_policy, .file = o->files[FILE_LEDGER]};
    s->guard.controller = (struct simulated_controller){
        .kind = &simulated_guard_kind, .policy = o->guard_policy, .file = o->files[FILE_DECISIONS]};
    if (o->ledger_policy)
        s->control.controllers[s->control.n++] = &s->ledger.controller;
    if (o->guard_policy)
        s->control.controllers[s->control.n++] = &s->guard.controller;
    return simulated_control_prepare(&s->control, err) != 0 ? fail(NULL, err) : EXIT_DONE;
}

static int run_host(struct simulate *s, struct error *err)
{
    const struct feed feed = simulated_feed_of(&s->host);
    const uint8_t *bytes;
    size_t n;
    int status = 1;
    s->ledger.controller.output = s->files.outputs[FILE_LEDGER];
    s->guard.controller.output = s->files.outputs[FILE_DECISIONS];
    progress_begin(&s->progress, s->options->common.progress, s->options->common.quiet);
    if (s->control.n > 0)
        status = simulated_control_run(&s->control, &s->host, err);
    while (status > 0)
        status = feed.next(feed.context, &bytes, &n, err);
    progress_end(&s->progress);
    return status;
}

static int simulate(struct simulate *s)
{
    struct error err = {0};
    const struct options *o = &s->options->common;
    if (read_inputs(s, &err) != EXIT_DONE || simulated_files_open(&s->files, &err) != EXIT_DONE)
        return EXIT_ERROR;
    if (s->options->realtime && simulated_live_open(&s->live, s->scenario, s->options->hooks, &err) != 0)
        return fail(s->options->hooks, &err);
    const struct simulation_sink sink = {s, write_trace, reached,
                                         s->options->realtime ? SIMULATED_LIVE_STEP_NS : 0};
    if (simulated_feed_open(&s->host, s->scenario, &sink, &err) != 0)
        return fail(o->inputs[0], &err);
    if (s->files.outputs[FILE_COUNTS])
        simulated_counts_begin(&s->counts, s->host.simulation, s->files.outputs[FILE_COUNTS],
                               s->options->count_interval_ns);
    if (s->options->ledger_policy && !simulation_takes_allowances(s->host.simulation)) {
        complain(
            "%s: its scheduler has no parameter for the allowances of --with: take sedf, rtds, credit or "
            "credit2",
            o->inputs[0]);
        return EXIT_ERROR;
    }
    s->live.simulation = s->host.simulation;
    bool done = run_host(s, &err) == 0 && write_truth(s, &err) == 0;
    enum simulated_file failed = simulated_files_failed(&s->files);
    if (!done && failed < SIMULATED_FILES)
        return commit(&s->files.outputs[failed], s->files.names[failed]);
    if (!done && !output_failure(s->files.outputs[FILE_TRACE]))
        return fail(o->inputs[0], &err);
    if (output_reader_gone(s->files.outputs[FILE_TRACE]))
        return simulated_files_unread(&s->files);
    int status = simulated_files_commit(&s->files);
    if (status == EXIT_DONE && s->live.behind_ns >= BEHIND_NS && !o->quiet)
        complain("the simulated host was up to %.1f s behind the clock: it has more to do than this machine "
                 "can simulate in time",
                 (double)s->live.behind_ns / 1e9);
    if (status != EXIT_DONE || s->control.n == 0)
        return status;
    if (!o->quiet)
        say_verdict("verdict", &s->control.judgement);
    return o->strict && s->control.judgement.verdict != VERDICT_GOOD ? EXIT_FINDING : EXIT_DONE;
}

static int write_schema(const char *file)
{
    struct error err = {0};
    struct output *to = output_open(file, &err);
    if (!to)
        return fail(file, &err);
    json_t *schema = scenario_schema();
    char *text = schema ? json_dumps(schema, JSON_INDENT(1) | JSON_REAL_PRECISION(15)) : NULL;
    json_decref(schema);
    if (text)
        output_printf(to, "%s\n", text);
    else
        error_no_memory(&err, "the schema");
    free(text);
    bool unread = text && output_flush(to) != 0 && output_reader_gone(to);
    int status = unread ? EXIT_DONE : text ? commit(&to, file) : fail(NULL, &err);
    output_abort(to);
    return status;
}

static int run(const struct options *o)
{
    if (((const struct simulate_options *)o)->schema)
        return write_schema(o->output);
    struct simulate s = {.options = (const struct simulate_options *)o};
    s.files.names = s.options->files;
    s.most_bytes = s.options->most_bytes ? s.options->most_bytes : MOST_BYTES_DEFAULT;
    int status = simulate(&s);
    simulated_files_abort(&s.files);
    simulated_counts_free(&s.counts);
    simulated_control_free(&s.control);
    simulated_live_close(&s.live);
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
    static const char *const kinds[] = {"debt", "guard", NULL};
    struct simulate_options *s = (struct simulate_options *)o;
    const char *equals = strchr(text, '=');
    int kind = equals && equals[1] ? name_index(kinds, text, (size_t)(equals - text)) : -1;
    if (kind < 0)
        return error_set(err, ERROR_USAGE,
                         "--%s %.40s: wants debt=POLICY or guard=POLICY, a file as xenmeter-policy(5) has it",
                         spec->name, text);
    const char **policy = kind == 0 ? &s->ledger_policy : &s->guard_policy;
    if (*policy)
        return error_set(err, ERROR_USAGE,
                         "--%s %s= is given twice, with %.60s and %.60s: one of each is possible", spec->name,
                         kinds[kind], *policy, equals + 1);
    *policy = equals + 1;
    return 0;
}

static int set_count_interval(struct options *o, const struct option_spec *spec, const char *text,
                              struct error *err)
{
    uint64_t *ns = &((struct simulate_options *)o)->count_interval_ns;
    if (parse_duration(spec->name, text, strlen(text), ns, err) != 0)
        return -1;
    if (*ns < COUNTS_EVERY_MIN || *ns > SCENARIO_DURATION_MAX)
        return error_set(err, ERROR_USAGE, "--%s %s: from 1ms to 24h are possible", spec->name, text);
    return 0;
}

static int set_seed(struct options *o, const struct option_spec *spec, const char *text, struct error *err)
{
    struct simulate_options *s = (struct simulate_options *)o;
    char *end;
    errno = 0;
    unsigned long long seed = strtoull(text, &end, 10);
    if (!isdigit((unsigned char)*text) || *end || errno || seed > SCENARIO_SEED_MAX)
        return error_set(err, ERROR_USAGE, "--%s %.60s: wants a whole number from 0 to 9e18", spec->name,
                         text);
    s->seed = seed;
    s->seed_given = true;
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

/* Who wants to read standard input. */
static int check_standard_input(const struct simulate_options *s, struct error *err)
{
    const char *readers[] = {s->common.inputs[0], s->ledger_policy, s->guard_policy};
    int n = 0;
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++)
        n += readers[i] && strcmp(readers[i], "-") == 0;
    return n < 2 ? 0
                 : error_set(err, ERROR_USAGE, "the scenario and the policy cannot both be standard input");
}

/* What a controller alone has a meaning for. */
static int check_controllers(const struct simulate_options *s, struct error *err)
{
    if (s->files[FILE_LEDGER] && !s->ledger_policy)
        return error_set(err, ERROR_USAGE, "--ledger wants --with debt=POLICY");
    if (s->files[FILE_DECISIONS] && !s->guard_policy)
        return error_set(err, ERROR_USAGE, "--decisions wants --with guard=POLICY");
    if (s->delay_given && !s->ledger_policy && !s->guard_policy)
        return error_set(err, ERROR_USAGE, "--delay wants --with debt=POLICY or guard=POLICY");
    if (s->hooks && !s->realtime)
        return error_set(err, ERROR_USAGE, "--hooks wants --realtime: hooks go by the clock");
    if (charge_options_given(&s->common) && !s->ledger_policy && !s->guard_policy)
        return error_set(
            err, ERROR_USAGE,
            "options of charging are for a ledger or a guard: give --with debt=POLICY or guard=POLICY");
    return 0;
}

static int check_files(const struct simulate_options *s, struct error *err)
{
    const char *const inputs[] = {s->common.inputs[0], s->ledger_policy, s->guard_policy};
    if (s->count_interval_ns && !s->files[FILE_COUNTS])
        return error_set(err, ERROR_USAGE, "--counts-every wants --counts FILE");
    return simulated_files_check(s->files, inputs, sizeof inputs / sizeof *inputs, err);
}

static int check(struct options *o, struct error *err)
{
    struct simulate_options *s = (struct simulate_options *)o;
    s->files[FILE_TRACE] = o->output;
    if (s->schema)
        return o->inputs_n == 0
                   ? 0
                   : error_set(err, ERROR_USAGE, "--schema is of all scenarios: give it without a SCENARIO");
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
           .set = set_text, .offset = offsetof(struct simulate_options, files[FILE_TRUTH]),
           .choices = ":file"),
    OPTION(
        0, "counts", "FILE",
        "what the driver domains count meanwhile, for --io-counts of charge and report: packets, requests, "
        "CPU times of threads (xenmeter-io-counts(5))",
        .set = set_text, .offset = offsetof(struct simulate_options, files[FILE_COUNTS]), .choices = ":file"),
    OPTION(0, "counts-every", "LEN", "from one reading of the counters to the next (default 100ms)",
           .set = set_count_interval, .choices = "100ms\n1s"),
    OPTION(0, "duration", "LEN", "simulate so long, whatever the scenario says", .set = set_duration,
           .choices = "1s\n10s\n1m"),
    OPTION(0, "size", "SIZE", "end as soon as the trace has so many bytes", .set = set_bytes,
           .offset = offsetof(struct simulate_options, size_bytes), .choices = "10M\n100M\n1G"),
    OPTION(0, "seed", "N", "of the random numbers, whatever the scenario says", .set = set_seed),
    OPTION(0, "layout", "VERSION",
           "records as that version of Xen writes them, from 4.0 on, whatever the scenario says",
           .set = set_text, .offset = offsetof(struct simulate_options, layout),
           .choices = "4.2\n4.6\n4.9\n4.13"),
    OPTION(0, "schema", NULL, "print the JSON Schema of scenarios, and no more", .set = set_flag,
           .offset = offsetof(struct simulate_options, schema)),
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
           .set = set_text, .offset = offsetof(struct simulate_options, files[FILE_LEDGER]),
           .choices = ":file"),
    OPTION(0, "decisions", "FILE",
           "the rows of ShareGuard, as xenmeter guard has them: .csv, .json, .jsonl, or a table",
           .set = set_text, .offset = offsetof(struct simulate_options, files[FILE_DECISIONS]),
           .choices = ":file"),
    OPTION(0, "realtime", NULL, "the host's time goes with the clock, as on a live host", .set = set_flag,
           .offset = offsetof(struct simulate_options, realtime)),
    OPTION(0, "hooks", "DIR", "does what the hook \"simulated\" asks for there; with --realtime",
           .set = set_text, .offset = offsetof(struct simulate_options, hooks), .choices = ":file"),
    OPTIONS_HEADING("How those that act charge"),
    OPTIONS_CHARGE_TRACE,
    OPTIONS_HEADING("While it runs"),
    OPTION(0, "max-size", "SIZE", "give up rather than write a larger trace (default 8G)", .set = set_bytes,
           .offset = offsetof(struct simulate_options, most_bytes), .choices = "500M\n8G\n100G"),
    OPTION_STRICT,
    OPTION_PROGRESS,
    OPTION_QUIET,
    OPTIONS_ALL,
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
