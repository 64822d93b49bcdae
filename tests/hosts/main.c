/*
 * hosts - the property test: generated hosts, damaged in random ways, and what the program says of them.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core_host.h"
#include "judge.h"
#include "host_plan.h"
#include "program.h"
#include "recording.h"
#include "host_scenario.h"
#include "host_view.h"

static const char usage[] =
    "Usage: hosts [OPTION]...\n"
    "Generates hosts, damages their captures, runs xenmeter on them, and checks that what happened lies\n"
    "within what is reported. Prints what does not, and how to repeat it.\n"
    "\n"
    "  --program FILE     the program (default build/xenmeter)\n"
    "  --seed N           of the first run; the next ones follow (default: from the time)\n"
    "  --runs N           how many runs (default: until the time is over)\n"
    "  --seconds N        how long (default 60)\n"
    "  --set NAME=N,...   fields of the plan that are not drawn; --set help lists them; all=0 first: the\n"
    "                     others are 0\n"
    "  --keep FILE        write the capture of the last run there\n"
    "  --scenario FILE    write the simulated host of the last run there, for xenmeter simulate\n"
    "  --most N           stop after so many runs that missed (default 10; 0: never)\n"
    "  --no-shrink        print the plan as it was drawn\n"
    "  --plan             print each run's plan\n";

struct options {
    const char *program, *set, *keep, *scenario;
    uint64_t seed, runs, seconds, most;
    bool shrinks, prints_plan;
};

/* Kinds of misses, and in how many runs. */
struct tally {
    char kind[32];
    uint64_t runs;
};

struct outcome {
    uint64_t runs, missed;
    struct tally kinds[64];
    size_t kinds_n;
};

/* Makes, damages, runs and judges one host. Returns false when that could not be done. */
static bool run_plan(const struct program *program, const struct plan *plan, const char *keep,
                     struct misses *misses)
{
    struct recording recording = {0};
    struct view view = {0};
    struct answer answer = {0};
    bool done = plan->siblings ? core_host_record(&recording, plan) : recording_make(&recording, plan);
    done = done && view_make(&view, &recording, plan) && (!plan->joined || view_join(&view, plan));
    if (done && keep) {
        FILE *out = fopen(keep, "wb");
        done = out && fwrite(view.bytes, 1, view.n, out) == view.n;
        done = out && fclose(out) == 0 && done;
    }
    if (done) {
        program_report(program, plan, view.bytes, view.n, &answer);
        done = judge(misses, plan, &recording, &view, &answer);
    }
    answer_free(&answer);
    view_free(&view);
    recording_free(&recording);
    return done;
}

static bool has_kind(const struct misses *misses, const char *kind)
{
    for (size_t i = 0; i < misses->kept_n; i++)
        if (strcmp(misses->kept[i].kind, kind) == 0)
            return true;
    return false;
}

/* The plan with the field nearer to nothing; false: it is there. */
static bool simplify(struct plan *p, const struct plan_field *field, int step)
{
    enum { FEW = 8 }; /* above that it is halved only */
    int64_t *value = plan_value(p, field), old = *value;
    if (old == 0 || !field->shrinks || (step == 2 && old > FEW))
        return false;
    *value = step == 0 ? 0 : step == 1 ? old / 2 : old - 1;
    plan_settle(p);
    return *value < old;
}

struct shrinking {
    const struct program *program;
    struct plan *plan;
    struct misses *misses;
    char kind[sizeof((struct miss *)0)->kind];
    unsigned runs_left;
};

/* Takes the simpler plan if the miss is still there. */
static bool shrink_field(struct shrinking *s, const struct plan_field *field, int step)
{
    struct plan simpler = *s->plan;
    struct misses misses;
    if (s->runs_left == 0 || !simplify(&simpler, field, step))
        return false;
    s->runs_left--;
    if (!run_plan(s->program, &simpler, NULL, &misses) || !has_kind(&misses, s->kind))
        return false;
    *s->plan = simpler;
    *s->misses = misses;
    return true;
}

/* Makes the plan simpler as long as the first kind of miss stays. */
static void shrink(const struct program *program, struct plan *plan, struct misses *misses)
{
    struct shrinking s = {.program = program, .plan = plan, .misses = misses, .runs_left = 150};
    memcpy(s.kind, misses->kept[0].kind, sizeof s.kind);
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < plan_fields_n; i++)
            for (int step = 0; step < 3; step++)
                while (shrink_field(&s, &plan_fields[i], step))
                    ;
}

static void print_plan(const struct plan *plan)
{
    struct plan drawn = *plan;
    bool first = true;
    printf("--seed %llu --runs 1", (unsigned long long)plan->seed);
    plan_draw(&drawn, plan->seed);
    for (size_t i = 0; i < plan_fields_n; i++) {
        int64_t value = *plan_value((struct plan *)plan, &plan_fields[i]);
        if (value == *plan_value(&drawn, &plan_fields[i]))
            continue;
        printf("%s%s=%lld", first ? " --set " : ",", plan_fields[i].name, (long long)value);
        first = false;
    }
    printf("\n   ");
    for (size_t i = 0; i < plan_fields_n; i++) {
        int64_t value = *plan_value((struct plan *)plan, &plan_fields[i]);
        if (value)
            printf(" %s %lld", plan_fields[i].name, (long long)value);
    }
    printf("\n");
}

static void count_kinds(struct outcome *o, const struct misses *misses)
{
    for (size_t i = 0; i < misses->kept_n; i++) {
        size_t k = 0;
        while (k < o->kinds_n && strcmp(o->kinds[k].kind, misses->kept[i].kind) != 0)
            k++;
        if (k == sizeof o->kinds / sizeof o->kinds[0])
            continue;
        if (k == o->kinds_n)
            memcpy(o->kinds[o->kinds_n++].kind, misses->kept[i].kind, sizeof misses->kept[i].kind);
        o->kinds[k].runs++;
    }
}

static void print_misses(const struct plan *plan, const struct misses *misses)
{
    printf("MISS ");
    print_plan(plan);
    for (size_t i = 0; i < misses->kept_n; i++)
        printf("    %s: %s\n", misses->kept[i].kind, misses->kept[i].text);
    printf("    (%zu in all)\n", misses->n);
    fflush(stdout);
}

/* Of a host without siblings: those are none of the simulator's. */
static bool keep_scenario(const struct plan *plan, const char *path)
{
    json_t *document = plan_document(plan);
    bool done = document && json_dump_file(document, path, JSON_INDENT(1)) == 0;
    json_decref(document);
    return done;
}

static bool next_run(const struct options *o, const struct program *program, struct outcome *outcome)
{
    struct plan plan;
    struct misses misses;
    plan_draw(&plan, o->seed + outcome->runs);
    if (o->set && !plan_set(&plan, o->set))
        return false;
    plan_settle(&plan);
    if (o->prints_plan)
        print_plan(&plan);
    if (o->scenario && !keep_scenario(&plan, o->scenario))
        return false;
    if (!run_plan(program, &plan, o->keep, &misses)) {
        fprintf(stderr, "hosts: seed %llu could not be run\n", (unsigned long long)plan.seed);
        return false;
    }
    outcome->runs++;
    if (misses.n == 0)
        return true;
    outcome->missed++;
    count_kinds(outcome, &misses);
    if (o->shrinks)
        shrink(program, &plan, &misses);
    print_misses(&plan, &misses);
    return true;
}

static int help_fields(void)
{
    for (size_t i = 0; i < plan_fields_n; i++)
        printf("  %-16s %s\n", plan_fields[i].name, plan_fields[i].help);
    return EXIT_SUCCESS;
}

enum option_id {
    O_PROGRAM = 1,
    O_SEED,
    O_RUNS,
    O_SECONDS,
    O_SET,
    O_KEEP,
    O_SCENARIO,
    O_MOST,
    O_NO_SHRINK,
    O_PLAN,
    O_HELP
};

static bool take_option(struct options *o, int id)
{
    switch (id) {
    case O_PROGRAM:
        o->program = optarg;
        break;
    case O_SEED:
        o->seed = strtoull(optarg, NULL, 10);
        break;
    case O_RUNS:
        o->runs = strtoull(optarg, NULL, 10);
        break;
    case O_SECONDS:
        o->seconds = strtoull(optarg, NULL, 10);
        break;
    case O_SET:
        o->set = optarg;
        break;
    case O_KEEP:
        o->keep = optarg;
        break;
    case O_SCENARIO:
        o->scenario = optarg;
        break;
    case O_MOST:
        o->most = strtoull(optarg, NULL, 10);
        break;
    case O_NO_SHRINK:
        o->shrinks = false;
        break;
    case O_PLAN:
        o->prints_plan = true;
        break;
    default:
        return false;
    }
    return true;
}

static bool take_options(struct options *o, int argc, char **argv)
{
    static const struct option options[] = {{"program", required_argument, NULL, O_PROGRAM},
                                            {"seed", required_argument, NULL, O_SEED},
                                            {"runs", required_argument, NULL, O_RUNS},
                                            {"seconds", required_argument, NULL, O_SECONDS},
                                            {"set", required_argument, NULL, O_SET},
                                            {"keep", required_argument, NULL, O_KEEP},
                                            {"scenario", required_argument, NULL, O_SCENARIO},
                                            {"most", required_argument, NULL, O_MOST},
                                            {"no-shrink", no_argument, NULL, O_NO_SHRINK},
                                            {"plan", no_argument, NULL, O_PLAN},
                                            {"help", no_argument, NULL, O_HELP},
                                            {NULL, 0, NULL, 0}};
    int id;
    while ((id = getopt_long(argc, argv, "", options, NULL)) != -1)
        if (!take_option(o, id))
            return false;
    return optind == argc;
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    struct options o = {.program = "build/xenmeter",
                        .seed = (uint64_t)time(NULL) * 100000,
                        .runs = UINT64_MAX,
                        .seconds = 60,
                        .most = 10,
                        .shrinks = true};
    struct outcome outcome = {0};
    struct program program;
    if (!take_options(&o, argc, argv)) {
        fputs(usage, stderr);
        return 2;
    }
    if (o.set && strcmp(o.set, "help") == 0)
        return help_fields();
    if (!program_probe(&program, o.program)) {
        fprintf(stderr, "hosts: '%s' does not run\n", o.program);
        return 2;
    }
    printf("seed %llu\n", (unsigned long long)o.seed);
    double end = seconds_now() + (double)o.seconds;
    while (outcome.runs < o.runs && (o.runs != UINT64_MAX || seconds_now() < end) &&
           (!o.most || outcome.missed < o.most))
        if (!next_run(&o, &program, &outcome))
            return 2;
    for (size_t i = 0; i < outcome.kinds_n; i++)
        printf("  %-24s %llu\n", outcome.kinds[i].kind, (unsigned long long)outcome.kinds[i].runs);
    printf("hosts: %llu passed, %llu failed\n", (unsigned long long)(outcome.runs - outcome.missed),
           (unsigned long long)outcome.missed);
    return outcome.missed ? EXIT_FAILURE : EXIT_SUCCESS;
}
