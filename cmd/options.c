/* The options that mean the same in every command. */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "formats/writer.h"
#include "values.h"

enum long_option {
    OPTION_NAMES = 256,
    OPTION_CPU_HZ,
    OPTION_LIVE,
    OPTION_MAX_MEMORY,
    OPTION_COLOR,
    OPTION_PROGRESS,
    OPTION_IDD,
    OPTION_CHARGE_BY,
    OPTION_CHARGE_PER,
    OPTION_WEIGHTS,
    OPTION_CHARGE_ALL,
    OPTION_IO_COUNTS,
    OPTION_HOST,
    OPTION_LEVEL,
    OPTION_WITH_TRACE,
    OPTION_VCPUS,
    OPTION_TSC,
    OPTION_COUNT,
    OPTION_FOLLOW
};

static const struct option long_options[] = {
    {"format", required_argument, NULL, 'f'},
    {"output", required_argument, NULL, 'o'},
    {"by", required_argument, NULL, 'b'},
    {"granularity", required_argument, NULL, 'g'},
    {"domains", required_argument, NULL, 'd'},
    {"pcpus", required_argument, NULL, 'p'},
    {"time", required_argument, NULL, 't'},
    {"columns", required_argument, NULL, 'c'},
    {"sort", required_argument, NULL, 's'},
    {"limit", required_argument, NULL, 'n'},
    {"quiet", no_argument, NULL, 'q'},
    {"verbose", no_argument, NULL, 'v'},
    {"help", no_argument, NULL, 'h'},
    {"names", required_argument, NULL, OPTION_NAMES},
    {"cpu-hz", required_argument, NULL, OPTION_CPU_HZ},
    {"live", required_argument, NULL, OPTION_LIVE},
    {"max-memory", required_argument, NULL, OPTION_MAX_MEMORY},
    {"color", required_argument, NULL, OPTION_COLOR},
    {"progress", required_argument, NULL, OPTION_PROGRESS},
    {"idd", required_argument, NULL, OPTION_IDD},
    {"charge-by", required_argument, NULL, OPTION_CHARGE_BY},
    {"charge-per", required_argument, NULL, OPTION_CHARGE_PER},
    {"weights", required_argument, NULL, OPTION_WEIGHTS},
    {"charge-all", no_argument, NULL, OPTION_CHARGE_ALL},
    {"io-counts", required_argument, NULL, OPTION_IO_COUNTS},
    {"host", required_argument, NULL, OPTION_HOST},
    {"level", required_argument, NULL, OPTION_LEVEL},
    {"threads", required_argument, NULL, 'T'},
    {"with-trace", no_argument, NULL, OPTION_WITH_TRACE},
    {"events", required_argument, NULL, 'e'},
    {"vcpus", required_argument, NULL, OPTION_VCPUS},
    {"tsc", no_argument, NULL, OPTION_TSC},
    {"count", no_argument, NULL, OPTION_COUNT},
    {"follow", no_argument, NULL, OPTION_FOLLOW},
    {NULL, 0, NULL, 0},
};

#define THREADS_MAX        64
#define LEVEL_MAX          19
#define XENMON_INTERVAL_NS 1000000000u /* XenMon's own default */

#define OPTIONS_N (sizeof long_options / sizeof long_options[0] - 1)

/* Whether this command takes the option. */
static bool takes(const struct option_set *set, const struct option *option)
{
    char blanked[32];
    if (option->val < 256)
        return option->val == 'h' || strchr(set->letters, option->val) != NULL;
    snprintf(blanked, sizeof blanked, " %s ", option->name);
    return strstr(set->longs, blanked) != NULL;
}

static void unknown_option(const struct option_set *set, const char *word)
{
    const char *names[OPTIONS_N + 1] = {NULL};
    size_t n = 0;
    for (size_t i = 0; i < OPTIONS_N; i++)
        if (takes(set, &long_options[i]))
            names[n++] = long_options[i].name;
    char bare[48] = "";
    if (strncmp(word, "--", 2) == 0)
        snprintf(bare, sizeof bare, "%.*s", (int)strcspn(word + 2, "="), word + 2);
    const char *near = *bare ? nearest_name(bare, names) : NULL;
    if (near)
        complain("%s has no option '%s'; did you mean '--%s'? (xenmeter %s --help)", set->command, word, near,
                 set->command);
    else
        complain("%s has no option '%s' (xenmeter %s --help)", set->command, word, set->command);
}

static int parse_by(struct options *o, const struct option_set *set, const char *text, struct error *err)
{
    for (;; text++) {
        int by = 0;
        size_t n = set->makes_archive ? strcspn(text, ",") : strlen(text);
        while (by < 4 && (strlen(by_names[by]) != n || strncmp(by_names[by], text, n) != 0))
            by++;
        if (by == 4)
            return error_set(err, ERROR_USAGE, "--by %.*s: rows can be by domain, vcpu, pcpu or domain-pcpu",
                             n > 60 ? 60 : (int)n, text);
        o->by = (enum by)by;
        o->bys |= 1u << by;
        text += n;
        if (!*text)
            return 0;
    }
}

/* A small whole number in [1, most]. */
static int parse_small(const char *option, const char *text, unsigned most, unsigned *to, struct error *err)
{
    size_t n = 0;
    if (parse_count(option, text, &n, err) != 0 || n > most)
        return error_set(err, ERROR_USAGE, "%s %.40s: wants a whole number from 1 to %u", option, text, most);
    *to = (unsigned)n;
    return 0;
}

static int add_granularity(struct options *o, uint64_t ns, struct error *err)
{
    for (size_t i = 0; i < o->granularities; i++)
        if (o->granularities_ns[i] == ns)
            return 0;
    if (o->granularities == METER_GRANULARITIES)
        return error_set(err, ERROR_USAGE, "at most %d granularities at once", METER_GRANULARITIES);
    o->granularities_ns[o->granularities++] = ns;
    return 0;
}

static int parse_granularities(struct options *o, const char *text, struct error *err)
{
    while (true) {
        size_t n = strcspn(text, ",");
        uint64_t ns = 0;
        if (n == 9 && strncmp(text, "execution", 9) == 0) {
            o->executions = true;
        } else if (n == 5 && strncmp(text, "total", 5) == 0) {
            if (add_granularity(o, 0, err) != 0)
                return -1;
        } else {
            if (parse_duration("--granularity", text, n, &ns, err) != 0)
                return error_set(
                    err, ERROR_USAGE,
                    "--granularity: '%.*s' is none of total, execution, or a length (10s, 100ms, 500us)",
                    n > 60 ? 60 : (int)n, text);
            if (ns < 1000)
                return error_set(err, ERROR_USAGE, "granularity %.*s: intervals are at least 1us long",
                                 (int)n, text);
            if (add_granularity(o, ns, err) != 0)
                return -1;
        }
        if (text[n] == '\0')
            return 0;
        text += n + 1;
    }
}

static int parse_span(struct options *o, const char *text, struct error *err)
{
    const char *comma = strchr(text, ',');
    if (!comma)
        return error_set(err, ERROR_USAGE,
                         "--time %s: wants FROM,TO, for example 1.5s,3s (either may be empty)", text);
    if (comma != text && parse_duration("--time", text, (size_t)(comma - text), &o->from_ns, err) != 0)
        return -1;
    if (comma[1] && parse_duration("--time", comma + 1, strlen(comma + 1), &o->to_ns, err) != 0)
        return -1;
    if (comma[1] && o->to_ns <= o->from_ns)
        return error_set(err, ERROR_USAGE, "--time %s: nothing lies between", text);
    return 0;
}

static int parse_when(enum when *when, const char *option, const char *text, struct error *err)
{
    static const char *const names[] = {"auto", "always", "never"};
    for (int i = 0; i < 3; i++)
        if (strcmp(text, names[i]) == 0) {
            *when = (enum when)i;
            return 0;
        }
    return error_set(err, ERROR_USAGE, "--%s %s: auto, always or never", option, text);
}

static int parse_format(struct options *o, const struct option_set *set, const char *text, struct error *err)
{
    char all[80] = "";
    for (size_t i = 0; set->formats[i]; i++) {
        if (strcmp(text, set->formats[i]) == 0) {
            o->format = text;
            return 0;
        }
        size_t n = strlen(all);
        snprintf(all + n, sizeof all - n, "%s%s", i ? ", " : "", set->formats[i]);
    }
    const char *near = nearest_name(text, set->formats);
    return error_set(err, ERROR_USAGE, "%s has no format '%s'%s%s%s; it writes %s", set->command, text,
                     near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "", all);
}

static int parse_idds(struct options *o, const char *text, struct error *err)
{
    if (!o->idds && !(o->idds = calloc(65536, 1)))
        return error_set(err, ERROR_MEMORY, "no memory");
    return parse_numbers("--idd", text, o->idds, 65536, err);
}

static int take_option(struct options *o, const struct option_set *set, int letter, struct error *err)
{
    switch (letter) {
    case 'f':
        return parse_format(o, set, optarg, err);
    case 'o':
        o->output = optarg;
        return 0;
    case 'b':
        o->by_given = true;
        return parse_by(o, set, optarg, err);
    case 'g':
        return parse_granularities(o, optarg, err);
    case 'd':
        o->domains_given = true;
        return parse_numbers("--domains", optarg, o->domains, 65536, err);
    case 'p':
        o->pcpus_given = true;
        return parse_numbers("--pcpus", optarg, o->pcpus, PCPUS_MAX, err);
    case 't':
        return parse_span(o, optarg, err);
    case 'c':
        o->columns = optarg;
        return 0;
    case 's':
        o->sort = optarg;
        return 0;
    case 'n':
        return parse_count("--limit", optarg, &o->limit, err);
    case 'q':
        o->quiet = true;
        return 0;
    case 'v':
        o->verbose = true;
        return 0;
    case OPTION_NAMES:
        o->names = optarg;
        return 0;
    case OPTION_CPU_HZ:
        return parse_frequency(optarg, &o->cpu_hz, err);
    case OPTION_LIVE:
        if (parse_duration("--live", optarg, strlen(optarg), &o->live_ns, err) != 0)
            return -1;
        return o->live_ns >= 1000 ? 0 : error_set(err, ERROR_USAGE, "--live %s: at least 1us", optarg);
    case OPTION_MAX_MEMORY:
        return parse_size(optarg, &o->max_memory, err);
    case OPTION_COLOR:
        return parse_when(&o->color, "color", optarg, err);
    case OPTION_IDD:
        return parse_idds(o, optarg, err);
    case OPTION_CHARGE_BY:
        return parse_charge_by(optarg, &o->charge_methods, err);
    case OPTION_CHARGE_PER:
        o->charge_per_given = true;
        return parse_charge_per(optarg, &o->charge_interval_ns, err);
    case OPTION_WEIGHTS:
        o->weights_text = optarg;
        return parse_weights(optarg, o->weights, err);
    case OPTION_CHARGE_ALL:
        o->charge_all = true;
        return 0;
    case OPTION_IO_COUNTS:
        o->io_counts = optarg;
        return 0;
    case OPTION_HOST:
        o->host = optarg;
        return 0;
    case 'T':
        return parse_small("--threads", optarg, THREADS_MAX, &o->threads, err);
    case OPTION_LEVEL: {
        unsigned level = 0;
        int status = parse_small("--level", optarg, LEVEL_MAX, &level, err);
        o->level = (int)level;
        return status;
    }
    case OPTION_WITH_TRACE:
        o->with_trace = true;
        return 0;
    case 'e':
        o->events = optarg;
        return 0;
    case OPTION_VCPUS:
        o->vcpus = optarg;
        return 0;
    case OPTION_TSC:
        o->tsc = true;
        return 0;
    case OPTION_COUNT:
        o->count = true;
        return 0;
    case OPTION_FOLLOW:
        o->follow = true;
        return 0;
    default:
        return parse_when(&o->progress, "progress", optarg, err);
    }
}

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
    const char *refused = o->by_given  ? "--by"
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
    if (o->granularities == 0 && !o->executions && add_granularity(o, XENMON_INTERVAL_NS, err) != 0)
        return -1;
    if (o->granularities != 1 || o->granularities_ns[0] == 0 || o->executions)
        return error_set(err, ERROR_USAGE,
                         "--format xenmon wants one length of interval; without any it is 1s");
    o->by = BY_DOMAIN_PCPU;
    return 0;
}

/* An archive keeps all of a trace; what is to be seen of it is said when it is read. */
static int complete_archive(const struct options *o, struct error *err)
{
    const char *refused = o->domains_given         ? "--domains"
                          : o->pcpus_given         ? "--pcpus"
                          : o->from_ns || o->to_ns ? "--time"
                          : o->columns             ? "--columns"
                          : o->sort                ? "--sort"
                          : o->limit               ? "--limit"
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

/* What was left open, and what does not go together. */
static int complete(struct options *o, const struct option_set *set, int argc, char **argv, struct error *err)
{
    o->inputs = argv + optind;
    o->inputs_n = (size_t)(argc - optind);
    if (argc - optind > 1 && !set->makes_archive)
        return error_set(err, ERROR_USAGE, "one FILE at a time: '%s' and '%s' were given", argv[optind],
                         argv[optind + 1]);
    o->input = optind < argc ? argv[optind] : "-";
    bool listing = (o->columns && strcmp(o->columns, "help") == 0) ||
                   (o->events && strcmp(o->events, "help") == 0); /* no capture is read */
    if (optind == argc && !listing && isatty(STDIN_FILENO))
        return error_set(err, ERROR_USAGE, "which capture? Give a FILE, or a trace on standard input");
    if (strcmp(o->input, "-") == 0 && !listing && isatty(STDIN_FILENO))
        return error_set(err, ERROR_USAGE, "standard input is a terminal: a binary trace is wanted there");
    if (o->output && !*o->output)
        return error_set(err, ERROR_USAGE, "--output wants the name of a file");
    bool many_files = o->format && writer_makes_files(o->format); /* --output only begins their names */
    for (size_t i = 0; !many_files && i < (o->inputs_n ? o->inputs_n : 1); i++)
        if (same_file(o->inputs_n ? o->inputs[i] : "-", o->output))
            return error_set(err, ERROR_USAGE, "--output %s is the capture itself: it would be lost",
                             o->output);
    if (o->io_counts && same_file(o->io_counts, o->output))
        return error_set(err, ERROR_USAGE, "--output %s is the file of --io-counts: it would be lost",
                         o->output);
    if (o->executions && set->no_executions)
        return error_set(err, ERROR_USAGE, "--granularity: %s has no rows of executions", set->command);
    struct charge_options ignored;
    if (strstr(set->longs, " idd ") && charge_options_of(o, NULL, &ignored, err) != 0)
        return -1;
    if (o->domains_given && o->by == BY_PCPU && !o->count)
        return error_set(err, ERROR_USAGE,
                         "--domains does not go with rows by pcpu; --by domain-pcpu has the domains apart");
    const char *format = set->makes_archive ? "archive" : o->output ? writer_format_of(o->output) : NULL;
    if (!o->format && parse_format(o, set, format ? format : set->formats[0], err) != 0)
        return -1;
    if (o->live_ns && add_granularity(o, o->live_ns, err) != 0)
        return -1;
    if (many_files)
        return complete_xenmon(o, err);
    bool archive = o->format && strcmp(o->format, "archive") == 0;
    if (archive)
        return complete_archive(o, err);
    if (o->granularities == 0 && !o->executions)
        o->granularities = 1; /* the whole trace */
    return 0;
}

bool options_parse(struct options *o, const struct option_set *set, int argc, char **argv, int *status)
{
    struct error err = {0};
    *o = (struct options){.max_memory = 1ull << 30, .level = LEVEL_DEFAULT};
    memcpy(o->weights, charge_default_weights, sizeof o->weights);
    o->domains = calloc(65536, 1);
    o->pcpus = calloc(PCPUS_MAX, 1);
    *status = EXIT_ERROR;
    if (!o->domains || !o->pcpus) {
        complain("no memory");
        return false;
    }
    opterr = 0;
    optind = 0;
    int letter;
    while ((letter = getopt_long(argc, argv, ":f:o:b:g:d:p:t:c:s:n:T:e:qvh", long_options, NULL)) != -1) {
        if (letter == 'h') {
            fputs(set->help, stdout);
            *status = EXIT_DONE;
            return false;
        }
        char short_word[3] = {'-', (char)optopt, '\0'};
        const char *word =
            optind > 0 && optind <= argc && argv[optind - 1][0] == '-' && argv[optind - 1][1] == '-'
                ? argv[optind - 1]
                : short_word;
        if (letter == ':') {
            complain("option '%s' wants a value (xenmeter %s --help)", word, set->command);
            return false;
        }
        const struct option *known = NULL;
        for (size_t i = 0; i < OPTIONS_N && letter != '?'; i++)
            if (long_options[i].val == letter)
                known = &long_options[i];
        if (!known || !takes(set, known)) {
            char long_word[48];
            if (known) {
                snprintf(long_word, sizeof long_word, "--%s", known->name);
                word = long_word;
            }
            unknown_option(set, word);
            return false;
        }
        if (take_option(o, set, letter, &err) != 0) {
            complain("%s", err.message);
            return false;
        }
    }
    if (complete(o, set, argc, argv, &err) != 0) {
        complain("%s (xenmeter %s --help)", err.message, set->command);
        return false;
    }
    return true;
}

void options_free(struct options *o)
{
    free(o->domains);
    free(o->pcpus);
    free(o->idds);
}
