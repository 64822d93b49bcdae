/* xenmeter diff: two captures compared. */
#include "diff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/writer.h"
#include "pager.h"
#include "reading.h"

struct diff {
    const struct diff_options *options;
    struct comparison_plan plan;
    struct condition conditions[CONDITIONS_MAX];
    struct diff_side before, after;
    struct differences differences;
    struct judgement judgement; /* of both */
    struct buffer columns;      /* what of --columns are columns of differences */
    struct column_choice choice;
    struct output *output;
};

static const struct relation *const relations[] = {&relation_differences, NULL};

static const struct condition_syntax syntax = {
    .option = "fail-if",
    .wanted = "COLUMN [+-]N[%|UNIT] [in NAME|ID|all], or COLUMN > N[UNIT]",
    .list = "-c help lists them",
};

/* ---- what is compared ---- */

static void add_to_plan(struct comparison_plan *plan, const struct comparable *of, bool hidden)
{
    for (size_t i = 0; i < plan->n; i++)
        if (plan->of[i] == of) {
            plan->hidden[i] = plan->hidden[i] && hidden;
            return;
        }
    plan->hidden[plan->n] = hidden;
    plan->of[plan->n++] = of;
}

/* A name of --columns: what is compared, or a column of the differences. */
static int take_column(void *context, const char *item, size_t n, struct error *err)
{
    struct diff *d = context;
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)n, item);
    const struct comparable *of = n < sizeof name ? comparable_find(name) : NULL;
    if (of) {
        add_to_plan(&d->plan, of, false);
        return 0;
    }
    const struct column *column = n < sizeof name ? column_find(&relation_rows, name) : NULL;
    if (column && !column_find(&relation_differences, name))
        return error_set(err, ERROR_USAGE,
                         "captures are not compared by %s, which grows with their length; -c help lists what "
                         "they are compared by",
                         name);
    buffer_text(&d->columns, d->columns.n ? "," : "");
    buffer_add(&d->columns, item, n);
    return 0;
}

/* Bounds of percentiles are other percentiles. */
static void add_percentiles(struct comparison_plan *plan)
{
    const struct comparable *all = comparables();
    for (size_t i = 0, n = plan->n; i < n; i++)
        for (size_t k = 0; k < COMPARABLES && plan->of[i]->per_mille; k++)
            if (all[k].per_mille && all[k].kind == plan->of[i]->kind)
                add_to_plan(plan, &all[k], true);
}

static int make_plan(struct diff *d, struct error *err)
{
    const struct diff_options *o = d->options;
    const struct comparable *all = comparables();
    d->plan.by = (enum by)__builtin_ctz(o->common.bys ? o->common.bys : 1u << BY_DOMAIN);
    if (o->common.columns && each_item(o->common.columns, take_column, d, err) != 0)
        return -1;
    for (size_t i = 0, chosen = d->plan.n; i < COMPARABLES && chosen == 0; i++)
        if (all[i].by_default >> d->plan.by & 1)
            add_to_plan(&d->plan, &all[i], false);
    for (size_t i = 0; i < o->conditions_n; i++) {
        if (condition_parse(&d->conditions[i], &syntax, o->conditions[i], err) != 0)
            return -1;
        add_to_plan(&d->plan, d->conditions[i].of, false);
    }
    add_percentiles(&d->plan);
    buffer_add(&d->columns, "", 1);
    if (d->columns.failed)
        return error_no_memory(err, "the columns");
    return choice_make(&d->choice, relations, 1, *d->columns.at ? d->columns.at : NULL, o->common.sort, 0,
                       err);
}

/* ---- comparing ---- */

struct item_search {
    const struct difference *difference;
    bool found;
};

static int look_for(void *context, const char *item, size_t n, struct error *err)
{
    struct item_search *a = context;
    (void)err;
    a->found |= diff_is_of(a->difference, item, n);
    return 0;
}

static bool is_wanted(const void *context, const struct difference *d)
{
    const struct diff_options *o = context;
    struct item_search a = {.difference = d};
    if (!o->domains)
        return true;
    each_item(o->domains, look_for, &a, NULL);
    return a.found;
}

static bool is_poor(const struct diff_side *s)
{
    return s->judged && s->judgement.verdict == VERDICT_POOR;
}

/* The worse of both verdicts, with the reasons of both. */
static void judge_both(struct diff *d)
{
    const struct diff_side *const sides[] = {&d->before, &d->after};
    static const char *const names[] = {"before", "after"};
    d->judgement = (struct judgement){.verdict = VERDICT_GOOD};
    for (int i = 0; i < 2; i++) {
        const struct judgement *j = &sides[i]->judgement;
        if (!sides[i]->judged || j->verdict == VERDICT_GOOD)
            continue;
        d->judgement.verdict = j->verdict > d->judgement.verdict ? j->verdict : d->judgement.verdict;
        snprintf(d->judgement.why[d->judgement.reasons++], sizeof d->judgement.why[0], "%s is %s", names[i],
                 verdict_name(j->verdict));
    }
}

static int compare(struct diff *d, struct error *err)
{
    const struct diff_options *o = d->options;
    const struct difference_options options = {
        .brief = !o->common.columns && !o->conditions_n,
        .poor = is_poor(&d->before) || is_poor(&d->after),
        .wanted = is_wanted,
        .context = o,
    };
    judge_both(d);
    if (!differences_make(&d->differences, &d->before.rows, &d->after.rows, &options))
        return error_no_memory(err, "the differences");
    return d->differences.n || !o->domains
               ? 0
               : error_set(err, ERROR_USAGE, "--domains %.60s: none of these is in either capture",
                           o->domains);
}

/* The worst of all conditions. */
static int judge_conditions(const struct diff *d)
{
    const char *poor = is_poor(&d->before) ? d->before.file : is_poor(&d->after) ? d->after.file : NULL;
    int worst = EXIT_DONE;
    for (size_t i = 0; i < d->options->conditions_n; i++) {
        int status = condition_judge(&d->conditions[i], &d->differences, poor, d->options->any,
                                     d->options->common.quiet);
        worst = status > worst ? status : worst;
    }
    return worst;
}

/* ---- writing ---- */

static struct compared compared_of(const struct diff_side *s, int length)
{
    return (struct compared){.file = s->file,
                             .judgement = s->judged ? &s->judgement : NULL,
                             .charges = &s->charges,
                             .trace = s->trace,
                             .quality = s->quality,
                             .interval_ns = length >= 0 ? s->rows.lengths[length].granularity_ns : 0,
                             .intervals = length >= 0 ? s->rows.lengths[length].intervals : 0};
}

static int write_all(struct diff *d, struct error *err)
{
    const struct options *o = &d->options->common;
    static const uint64_t whole = 0;
    struct report_schema schema = {.name = o->command->name,
                                   .choice = &d->choice,
                                   .selection = {.limit = o->limit},
                                   .bys = 1u << d->plan.by,
                                   .granularities_ns = &whole,
                                   .granularities = 1};
    const struct rows rows = {
        .relation = &relation_differences, .by = d->plan.by, .at = d->differences.at, .n = d->differences.n};
    int before, after;
    side_lengths(&d->before.rows, &d->after.rows, &before, &after);
    const struct compared compared[2] = {compared_of(&d->before, before), compared_of(&d->after, after)};
    const struct report_summary summary = {.compared = compared, .judgement = &d->judgement};
    if (d->before.rows.named || d->after.rows.named)
        schema.name_of = names_lookup;
    reading_look(&schema, o, d->output);
    struct writer *writer = writer_new(o->format, d->output, &schema, err);
    if (!writer)
        return -1;
    writer_rows(writer, &rows);
    writer_end(writer, &summary); /* a failure is the output's, and commit says it */
    return 0;
}

static void say_side(const char *what, const struct diff_side *s)
{
    char name[32];
    if (s->judged)
        say_verdict(what, &s->judgement);
    else
        complain("%s: this file does not keep a verdict", what);
    snprintf(name, sizeof name, "charges %s", what);
    if (s->charges.verdict != VERDICT_GOOD)
        say_verdict(name, &s->charges);
}

static int put_out(struct diff *d)
{
    const struct options *o = &d->options->common;
    struct error err = {0};
    d->output = output_open(o->output, &err);
    if (d->output)
        pager_offer(d->output, o);
    if (!d->output || write_all(d, &err) != 0)
        return fail(o->output, &err);
    if (output_reader_gone(d->output))
        return EXIT_DONE;
    if (commit(&d->output, o->output) != EXIT_DONE)
        return EXIT_ERROR;
    if (!o->quiet && (strcmp(o->format, "table") != 0 || o->output)) {
        say_side("before", &d->before);
        say_side("after", &d->after);
    }
    return o->strict && d->judgement.verdict != VERDICT_GOOD ? EXIT_FINDING : EXIT_DONE;
}

/* ---- the command ---- */

static void list_columns(void)
{
    const struct comparable *all = comparables();
    puts("captures are compared by (-c):");
    for (size_t i = 0; i < COMPARABLES; i++)
        printf("  %-24s %s\n", all[i].name, all[i].column->help);
    puts("\ncolumns of differences (-c, -s):");
    for (size_t i = 0; i < relation_differences.columns_n; i++)
        printf("  %-24s %s\n", relation_differences.columns[i].name, relation_differences.columns[i].help);
}

static int compare_and_write(struct diff *d)
{
    const struct options *o = &d->options->common;
    struct error err = {0};
    if (make_plan(d, &err) != 0)
        return fail(NULL, &err);
    d->before.rows.plan = d->after.rows.plan = &d->plan;
    if (diff_side_read(&d->before, o, o->inputs[0]) != EXIT_DONE ||
        diff_side_read(&d->after, o, o->inputs[1]) != EXIT_DONE)
        return EXIT_ERROR;
    if (compare(d, &err) != 0)
        return fail(NULL, &err);
    int finding = judge_conditions(d);
    if (finding == EXIT_ERROR)
        return EXIT_ERROR;
    int status = put_out(d);
    return status == EXIT_ERROR || finding == EXIT_DONE ? status : finding;
}

static int run(const struct options *o)
{
    if (options_list_columns(o)) {
        list_columns();
        return EXIT_DONE;
    }
    struct diff *d = calloc(1, sizeof *d);
    struct error err;
    if (!d) {
        error_no_memory(&err, "the comparison");
        return fail(NULL, &err);
    }
    d->options = (const struct diff_options *)o;
    int status = compare_and_write(d);
    output_abort(d->output);
    diff_side_free(&d->before);
    diff_side_free(&d->after);
    choice_free(&d->choice);
    buffer_free(&d->columns);
    free(d->differences.at);
    free(d);
    return status;
}

static int check(struct options *o, struct error *err)
{
    const struct diff_options *d = (const struct diff_options *)o;
    if (options_list_columns(o))
        return 0;
    if (o->inputs_n != 2)
        return error_set(err, ERROR_USAGE, "two files are compared: BEFORE and AFTER; %zu %s given",
                         o->inputs_n, o->inputs_n == 1 ? "was" : "were");
    for (size_t i = 0; i < 2; i++) {
        if (!*o->inputs[i])
            return error_set(err, ERROR_USAGE, "the name of a file is empty; \"-\" is standard input");
        if (same_file(o->inputs[i], o->output))
            return error_set(err, ERROR_USAGE, "--output %s is a file that is compared: it would be lost",
                             o->output);
    }
    if (strcmp(o->inputs[0], "-") == 0 && strcmp(o->inputs[1], "-") == 0)
        return error_set(err, ERROR_USAGE, "only one of the two can be standard input");
    if (o->bys & 1u << BY_DOMAIN_PCPU)
        return error_set(err, ERROR_USAGE, "--by domain-pcpu: captures are compared by domain, vcpu or pcpu");
    if (d->domains && o->bys & 1u << BY_PCPU)
        return error_set(err, ERROR_USAGE, "--domains does not go with rows by pcpu");
    return d->any && !d->conditions_n ? error_set(err, ERROR_USAGE, "--any is about --fail-if") : 0;
}

static int set_condition(struct options *o, const struct option_spec *s, const char *text, struct error *err)
{
    struct diff_options *d = (struct diff_options *)o;
    if (d->conditions_n == CONDITIONS_MAX)
        return error_set(err, ERROR_USAGE, "--%s: at most %d of them", s->name, CONDITIONS_MAX);
    d->conditions[d->conditions_n++] = text;
    return 0;
}

static void complete_comparables(struct completion *c)
{
    const struct comparable *all = comparables();
    for (size_t i = 0; i < COMPARABLES; i++)
        complete_word(c, all[i].name, all[i].column->help);
    complete_columns(c);
}

static void complete_conditions(struct completion *c)
{
    const struct comparable *all = comparables();
    for (size_t i = 0; i < COMPARABLES; i++)
        complete_word(c, all[i].name, all[i].column->help);
}

static const struct option_spec options[] = {
    OPTIONS_HEADING("What to compare"),
    OPTION('b', "by", "WHAT", "domain (default), vcpu or pcpu", .set = set_by,
           .choices = "domain\nvcpu\npcpu"),
    OPTION('c', "columns", "LIST",
           "compare by these columns of report; columns of differences among them are the ones to show "
           "(\"help\" "
           "lists them)",
           .set = set_text, OPTION_FIELD(columns), .choices = ":list\nhelp\tlist them",
           .offer = complete_comparables),
    OPTION('d', "domains", "LIST", "only these domains: 0,3-5,web*", .set = set_text,
           .offset = offsetof(struct diff_options, domains)),
    OPTION('t', "time", "FROM,TO", "only this part of both traces: 1.5s,3s; either may be empty",
           .set = set_span),
    OPTIONS_HEADING("What is too much"),
    OPTION(0, "fail-if", "CONDITION",
           "exit with 1 if it holds: 'wait_p99 +20% in web', 'running -5points', 'wait_p99 > 5ms'; may be "
           "given several times",
           .set = set_condition, .offer = complete_conditions),
    OPTION(0, "any", NULL, "a change within noise is enough for --fail-if", .set = set_flag,
           .offset = offsetof(struct diff_options, any)),
    OPTIONS_HEADING("How to show it"),
    OPTION_FORMAT("table, csv, tsv, json, jsonl, sqlite; default: by the ending of -o, else table"),
    OPTION_OUTPUT,
    OPTION_SORT("order by this column, largest first; default: significant changes first"),
    OPTION_LIMIT("at most N rows"),
    OPTION_NAMES("domain names, of both"),
    OPTION_RAW_NAMES,
    OPTION_COLOR,
    OPTIONS_HEADING("How to read them"),
    OPTION_HOST("of archives with several hosts: this one; N: its Nth timeline"),
    OPTIONS_TRACE,
    OPTION_NO_PAGER,
    OPTIONS_ALL,
};

static const struct command command = {
    .order = 47,
    .name = "diff",
    .summary = "two captures compared: what changed by more than noise",
    .usage = "[OPTIONS] BEFORE AFTER",
    .text =
        "BEFORE and AFTER are captures of xentrace, archives, or reports that were saved (xenmeter report -f "
        "json -g total,1s); \"-\" for one of them is a capture on standard input.\n"
        "\nA change is significant if it is more than noise, which is estimated from the intervals of both.",
    .status = "0 done; 1 a condition of --fail-if holds, or with --strict the verdict is not good; 2 error, "
              "or a condition that cannot be judged: nothing is "
              "written",
    .examples = "xenmeter diff before.xt after.xt\n"
                "xenmeter diff -b vcpu -c wait_p99_ns,running_pct before.xma after.xma\n"
                "xenmeter diff --fail-if 'wait_p99 +20% in web' before.json after.xt",
    .options = options,
    .operands = OPERANDS_FILE,
    .formats = writer_formats,
    .relations = relations,
    .options_size = sizeof(struct diff_options),
    .check = check,
    .run = run,
};
COMMAND(command);
