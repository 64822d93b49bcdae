/* Reads a command line by the command's table of options. */
#include "options.h"

#include <getopt.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "config.h"

#define OPTIONS_MAX 64
#define ROWS_MAX    128 /* of a table, with its headings */
#define FIRST_LONG  256 /* what getopt_long returns for the table's first row, given by its long name */

/* A command's table as getopt_long takes it. */
struct getopt_table {
    char letters[2 * OPTIONS_MAX + 2];
    struct option longs[OPTIONS_MAX + 1];
};

static void make_getopt_table(struct getopt_table *t, const struct command *c)
{
    size_t n = 0, letters = 0;
    *t = (struct getopt_table){0};
    t->letters[letters++] = ':';
    for (const struct option_spec *s = c->options; n < OPTIONS_MAX && (s = option_next(s)); s++) {
        int takes = !s->argument                  ? no_argument
                    : option_argument_may_lack(s) ? optional_argument
                                                  : required_argument;
        t->longs[n++] = (struct option){s->name, takes, NULL, FIRST_LONG + (int)(s - c->options)};
        if (s->letter)
            t->letters[letters++] = s->letter;
        if (s->letter && s->argument)
            t->letters[letters++] = ':';
    }
}

static const struct option_spec *with_letter(const struct command *c, int letter)
{
    const struct option_spec *s = c->options;
    while ((s = option_next(s)) && s->letter != letter)
        s++;
    return s;
}

/* What other commands that read traces call the option of that letter, or NULL: it says more than the letter. */
static const char *name_elsewhere(const struct command *here, int letter)
{
    const struct option_spec *s = NULL;
    const struct command *c = NULL;
    if (here->operands != OPERANDS_TRACE && here->operands != OPERANDS_TRACES)
        return NULL;
    while (!s && (c = command_next(&xenmeter, c)))
        s = c->operands == OPERANDS_TRACE ? with_letter(c, letter) : NULL;
    return s ? s->name : NULL;
}

static void unknown_option(const struct command *c, const char *word)
{
    const char *names[OPTIONS_MAX + 1] = {NULL};
    size_t n = 0;
    for (const struct option_spec *s = c->options; n < OPTIONS_MAX && (s = option_next(s)); s++)
        names[n++] = s->name;
    char bare[48] = "", near[SUGGESTION_BYTES] = "";
    if (strncmp(word, "--", 2) == 0)
        snprintf(bare, sizeof bare, "%.*s", (int)strcspn(word + 2, "="), word + 2);
    if (*bare)
        suggestion(near, "; did you mean '--", "'?", bare, names);
    complain("%s has no option '%s'%s (xenmeter %s --help)", c->name, word, near, c->name);
}

/* What getopt_long did not understand: `got` is what it returned, optopt a letter, or none of a long option. */
static void complain_of(const struct command *c, int got, char **argv)
{
    bool is_long = optopt == 0 || optopt >= FIRST_LONG;
    const char *elsewhere = is_long || got == ':' ? NULL : name_elsewhere(c, optopt);
    char word[48];
    if (elsewhere)
        snprintf(word, sizeof word, "--%s", elsewhere);
    else
        snprintf(word, sizeof word, "-%c", (char)optopt);
    const char *given = is_long ? argv[optind - 1] : word;
    if (got == ':')
        complain("option '%s' wants a value (xenmeter %s --help)", given, c->name);
    else
        unknown_option(c, given);
}

static struct options *options_new(const struct command *c)
{
    struct options *o = calloc(1, c->options_size ? c->options_size : sizeof *o);
    if (!o)
        return NULL;
    *o = (struct options){.command = c, .input = "-", .max_memory = 1ull << 30, .level = LEVEL_DEFAULT};
    memcpy(o->weights, charge_default_weights, sizeof o->weights);
    return o;
}

/* Takes an argument of the command line: notes that its option is given, or sets the option. -1 after a message. */
typedef int take_argument(struct options *o, const struct option_spec *s, const char *value, bool *given);

static int note_argument(struct options *o, const struct option_spec *s, const char *value, bool *given)
{
    (void)value;
    given[s - o->command->options] = true;
    if (strcmp(s->name, "no-config") == 0)
        o->no_config = true;
    return 0;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): one of several functions that are called alike */
static int set_argument(struct options *o, const struct option_spec *s, const char *value, bool *given)
{
    struct error err = {0};
    (void)given;
    o->given[o->given_n++] = (struct given_option){s, value};
    if (s->set(o, s, value, &err) == 0)
        return 0;
    complain("%s", err.message);
    return -1;
}

/* False: the command is over: *status. */
static bool each_argument(struct options *o, int argc, char **argv, take_argument *take, bool *given,
                          int *status)
{
    struct getopt_table table;
    const struct command *c = o->command;
    make_getopt_table(&table, c);
    opterr = 0;
    optind = 0;
    for (int got; (got = getopt_long(argc, argv, table.letters, table.longs, NULL)) != -1;) {
        if (got == '?' || got == ':') {
            complain_of(c, got, argv);
            return false;
        }
        const struct option_spec *s = got < FIRST_LONG ? with_letter(c, got) : &c->options[got - FIRST_LONG];
        if (!s->set) {
            help_print(c, stdout);
            *status = EXIT_DONE;
            return false;
        }
        if (take(o, s, optarg, given) != 0)
            return false;
    }
    return true;
}

/* The configuration file sets what the command line leaves open. False: the command is over: *status. */
static bool read_arguments(struct options *o, int argc, char **argv, int *status)
{
    struct error err = {0};
    bool given[ROWS_MAX] = {false};
    const struct command *c = o->command;
    size_t letters = 1; /* no argument has more options than that */
    for (int i = 0; i < argc; i++)
        letters += strlen(argv[i]);
    o->given = calloc(letters, sizeof *o->given);
    if (!o->given) {
        complain("not enough memory");
        return false;
    }
    if (!each_argument(o, argc, argv, note_argument, given, status))
        return false;
    if (!o->no_config && c->operands != OPERANDS_COMMAND && config_apply(o, given) != 0)
        return false;
    if (!each_argument(o, argc, argv, set_argument, given, status))
        return false;
    o->inputs = argv + optind;
    o->inputs_n = (size_t)(argc - optind);
    if (options_complete(o, &err) == 0)
        return true;
    complain("%s (xenmeter %s --help%s)", err.message, c->name,
             o->config ? "; options of the configuration file hold, too: --no-config" : "");
    return false;
}

struct options *options_parse(const struct command *c, int argc, char **argv, int *status)
{
    struct options *o = options_new(c);
    *status = EXIT_ERROR;
    if (!o)
        complain("not enough memory");
    if (o && read_arguments(o, argc, argv, status))
        return o;
    options_free(o);
    return NULL;
}

unsigned usable_cpus(void)
{
    cpu_set_t cpus;
    int n = sched_getaffinity(0, sizeof cpus, &cpus) == 0 ? CPU_COUNT(&cpus) : 1;
    return n < 1 ? 1 : (unsigned)n;
}

unsigned options_jobs(const struct options *o)
{
    return o->jobs ? o->jobs : usable_cpus();
}

void options_free(struct options *o)
{
    if (!o)
        return;
    free(o->given);
    free(o->domains);
    free(o->pcpus);
    free(o->idds);
    free(o->own);
    free(o->config);
    free(o);
}
