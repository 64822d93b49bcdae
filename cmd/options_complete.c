/* What a command line left open, and what in it does not go together. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "formats/writer.h"

#define XENMON_INTERVAL_NS 1000000000u /* XenMon's own default */

bool same_file(const char *input, const char *output)
{
    struct stat in, out;
    bool standard = strcmp(input, "-") == 0;
    if (!output || (standard ? fstat(STDIN_FILENO, &in) : stat(input, &in)) != 0 || stat(output, &out) != 0)
        return false;
    return S_ISREG(in.st_mode) && in.st_dev == out.st_dev && in.st_ino == out.st_ino;
}

/* XenMon's logs have rows and columns of their own, over one length of interval. */
static int complete_xenmon(struct options *o, struct error *err)
{
    const char *refused = o->bys       ? "--by"
                          : o->columns ? "--columns"
                          : o->sort    ? "--sort"
                          : o->limit   ? "--limit"
                                       : NULL;
    if (!o->output || strcmp(o->output, "-") == 0)
        return error_set(
            err, ERROR_USAGE,
            "--format xenmon makes several files: it wants --output PREFIX, which begins their names");
    if (refused)
        return error_set(err, ERROR_USAGE,
                         "%s does not go with --format xenmon: XenMon's logs have their own rows and columns",
                         refused);
    if (o->granularities == 0 && !o->executions && options_add_granularity(o, XENMON_INTERVAL_NS, err) != 0)
        return -1;
    if (o->granularities != 1 || o->granularities_ns[0] == 0 || o->executions)
        return error_set(err, ERROR_USAGE,
                         "--format xenmon wants one length of interval; without any it is 1s");
    o->bys = 1u << BY_DOMAIN_PCPU;
    return 0;
}

/* Sums that go on: over the whole trace, or over intervals that do not overlap. */
static int complete_prometheus(const struct options *o, struct error *err)
{
    const char *refused = o->sort                         ? "--sort"
                          : o->limit                      ? "--limit"
                          : o->executions                 ? "-g execution"
                          : o->bys & 1u << BY_DOMAIN_PCPU ? "--by domain-pcpu"
                                                          : NULL;
    size_t n = o->output ? strlen(o->output) : 0;
    if (refused)
        return error_set(err, ERROR_USAGE, "%s does not go with --format prometheus", refused);
    if (o->granularities > 1)
        return error_set(err, ERROR_USAGE,
                         "--format prometheus adds up the intervals: it wants one length of them at most");
    if (o->live_ns &&
        (n == 0 || strcmp(o->output, "-") == 0 || (n > 4 && strcmp(o->output + n - 4, ".zst") == 0)))
        return error_set(
            err, ERROR_USAGE,
            "--format prometheus with --live replaces a file at each interval: it wants --output "
            "FILE.prom");
    return 0;
}

/* An archive keeps all of a trace; what is to be seen of it is said when it is read. */
static int complete_archive(const struct options *o, struct error *err)
{
    const char *refused = o->domains                                             ? "--domains"
                          : o->dom0_trace                                        ? "--dom0-trace"
                          : o->pcpus                                             ? "--pcpus"
                          : o->from_ns || o->to_ns || clock_span_given(&o->span) ? "--time"
                          : o->time_format                                       ? "--time-format"
                          : o->columns                                           ? "--columns"
                          : o->sort                                              ? "--sort"
                          : o->limit                                             ? "--limit"
                                                                                 : NULL;
    if (refused)
        return error_set(
            err, ERROR_USAGE,
            "%s does not go with --format archive: an archive keeps everything; choose when it is read",
            refused);
    if ((!o->output || strcmp(o->output, "-") == 0) && isatty(STDOUT_FILENO))
        return error_set(err, ERROR_USAGE, "standard output is a terminal: an archive is not for reading");
    return 0;
}

bool options_list_columns(const struct options *o)
{
    return (o->columns && strcmp(o->columns, WORD_HELP) == 0) || (o->sort && strcmp(o->sort, WORD_HELP) == 0);
}

/* The listing of columns or events, or something without a trace, is asked for: no capture is read. */
static bool lists(const struct options *o)
{
    return o->no_input || o->schema || options_list_columns(o) ||
           (o->events && strcmp(o->events, WORD_HELP) == 0);
}

static int complete_input(struct options *o, struct error *err)
{
    if (o->inputs_n > 1 && o->command->operands == OPERANDS_TRACE)
        return error_set(err, ERROR_USAGE, "one FILE at a time: '%s' and '%s' were given", o->inputs[0],
                         o->inputs[1]);
    for (size_t i = 0; i < o->inputs_n; i++)
        if (!*o->inputs[i])
            return error_set(err, ERROR_USAGE, "the name of a FILE is empty; \"-\" is standard input");
    if (o->inputs_n)
        o->input = o->inputs[0];
    if (lists(o) || strcmp(o->input, "-") != 0 || !isatty(STDIN_FILENO))
        return 0;
    return error_set(err, ERROR_USAGE,
                     o->inputs_n ? "standard input is a terminal: a binary trace is wanted there"
                                 : "which capture? Give a FILE, or a trace on standard input");
}

/* Nothing that is read is to be overwritten. */
static int check_output(const struct options *o, struct error *err)
{
    bool many_files = o->format && writer_makes_files(o->format); /* --output only begins their names */
    bool lost = !many_files && !o->inputs_n && same_file("-", o->output);
    for (size_t i = 0; !many_files && i < o->inputs_n; i++)
        lost = lost || same_file(o->inputs[i], o->output);
    if (lost)
        return error_set(err, ERROR_USAGE, "--output %s is the capture itself: it would be lost", o->output);
    if (o->io_counts && same_file(o->io_counts, o->output))
        return error_set(err, ERROR_USAGE, "--output %s is the file of --io-counts: it would be lost",
                         o->output);
    if (o->dom0_trace && same_file(o->dom0_trace, o->output))
        return error_set(err, ERROR_USAGE, "--output %s is the file of --dom0-trace: it would be lost",
                         o->output);
    if (o->host_facts && same_file(o->host_facts, o->output))
        return error_set(err, ERROR_USAGE, "--output %s is the file of --host-facts: it would be lost",
                         o->output);
    if (o->own_baseline && same_file(o->own_baseline, o->output))
        return error_set(err, ERROR_USAGE, "--output %s is the file of --own-baseline: it would be lost",
                         o->output);
    return 0;
}

static int check_rows(struct options *o, struct error *err)
{
    struct charge_options ignored;
    if (o->executions && o->command->no_executions)
        return error_set(err, ERROR_USAGE, "--granularity: %s has no rows of executions", o->command->name);
    bool charges = command_option(o->command, "charge-by") != NULL;
    if (charges && (own_loads_complete(o, err) != 0 || charge_options_of(o, NULL, &ignored, err) != 0))
        return -1;
    if (o->domains && o->bys & 1u << BY_PCPU && !o->count)
        return error_set(err, ERROR_USAGE,
                         "--domains does not go with rows by pcpu; --by domain-pcpu has the domains apart");
    return 0;
}

/* A file is not named after a format that it will not have. */
static int check_ending(const struct options *o, struct error *err)
{
    const char *ending = writer_foreign_ending(o->output);
    char all[FORMATS_BYTES];
    if (!ending || (o->format && writer_makes_files(o->format)))
        return 0;
    return error_set(err, ERROR_USAGE,
                     "--output %s: nothing here writes %s; %s writes %s, and .zst compresses", o->output,
                     ending, o->command->name, formats_listed(all, o->command->formats));
}

/* The format that was not given: the only one, that of the ending of --output, else the first. */
static int complete_format(struct options *o, struct error *err)
{
    const char *const *formats = o->command->formats;
    bool several = formats && formats[1];
    if (several && o->output && check_ending(o, err) != 0)
        return -1;
    if (o->format || !formats)
        return 0;
    const char *by_ending = several && o->output ? writer_format_of(o->output) : NULL;
    bool is_text = by_ending && strcmp(by_ending, "table") == 0; /* the first one is the one to read */
    return set_format(o, NULL, by_ending && !is_text ? by_ending : formats[0], err);
}

static int complete_trace(struct options *o, struct error *err)
{
    bool xenmon = o->format && writer_makes_files(o->format);
    if (complete_input(o, err) != 0)
        return -1;
    if (o->output && !*o->output)
        return error_set(err, ERROR_USAGE, "--output wants the name of a file");
    if (check_output(o, err) != 0 || check_rows(o, err) != 0 || complete_format(o, err) != 0)
        return -1;
    if (o->live_ns && options_add_granularity(o, o->live_ns, err) != 0)
        return -1;
    if (xenmon)
        return complete_xenmon(o, err);
    if (o->format && strcmp(o->format, "archive") == 0)
        return complete_archive(o, err);
    if (o->format && writer_replaces(o->format) && complete_prometheus(o, err) != 0)
        return -1;
    if (o->granularities == 0 && !o->executions)
        o->granularities = 1; /* the whole trace */
    return 0;
}

int options_complete(struct options *o, struct error *err)
{
    const struct command *c = o->command;
    bool trace = c->operands == OPERANDS_TRACE || c->operands == OPERANDS_TRACES;
    if (o->output && !*o->output && !trace)
        return error_set(err, ERROR_USAGE, "--output wants the name of a file");
    if ((trace ? complete_trace(o, err) : complete_format(o, err)) != 0)
        return -1;
    return c->check ? c->check(o, err) : 0;
}
