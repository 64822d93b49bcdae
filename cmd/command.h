/*
 * What a command is. A command is one file in cmd/ that ends like this:
 *
 *     static const struct option_spec options[] = {
 *         OPTIONS_HEADING("What to report"),
 *         OPTION_GRANULARITY("total (default), lengths (10s,1s,100ms,500us)"),
 *         OPTION_DOMAINS("only these victims: 0,3-5"),
 *         OPTIONS_READING("more about the data on standard error"),
 *         OPTIONS_END,
 *     };
 *
 *     static const struct command command = {
 *         .order = 45,
 *         .name = "blame",
 *         .summary = "who had the CPU that others waited for",
 *         .usage = "[OPTIONS] [FILE]",
 *         .text = TRACE_TEXT,
 *         .examples = "xenmeter blame -g 1s capture.xt",
 *         .options = options,
 *         .operands = OPERANDS_TRACE,
 *         .formats = writer_formats,
 *         .run = run,
 *     };
 *     COMMAND(command);
 *
 * Parsing, --help, the list of commands, and completion for bash and zsh follow from that; tests/docs.sh checks the
 * manual page against it. The options that mean the same everywhere are in options.h; an option of one command only is
 * an OPTION of its own.
 */
#ifndef XENMETER_CMD_COMMAND_H
#define XENMETER_CMD_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "parser/error.h"

struct options;
struct option_spec;
struct completion;
struct relation;

/*
 * Stores the value of an option (`text`; NULL if it takes none) in `o`, or in the command's own struct, which begins with
 * a struct options. 0, or -1 with `err` saying what is wrong and what is wanted.
 */
typedef int set_option(struct options *o, const struct option_spec *spec, const char *text,
                       struct error *err);

struct option_spec {
    const char *heading; /* a line of --help above the options that follow; nothing else is set then */
    const char *name;    /* of the long option, without its dashes */
    char letter;         /* of the short option; 0: none */
    const char *
        argument; /* what --help calls the value; NULL: the option takes none; "[=LEN]": it may be left out, `set` gets NULL then */
    const char *help; /* what --help says; wrapped where it is printed */
    set_option *set;
    size_t offset;       /* of what `set` stores to, for those that serve several options */
    const char *choices; /* what completion offers for the value, as lines of completion.h; NULL: nothing */
    void (*offer)(struct completion *c); /* offers more, which is not constant; NULL: nothing */
};

/* One option; the last arguments are designated initialisers of the rest: at least .set. */
#define OPTION(LETTER, NAME, ARGUMENT, HELP, ...)                                                            \
    {                                                                                                        \
        .letter = (LETTER), .name = (NAME), .argument = (ARGUMENT), .help = (HELP), __VA_ARGS__              \
    }

#define OPTIONS_HEADING(TEXT)                                                                                \
    {                                                                                                        \
        .heading = (TEXT)                                                                                    \
    }

/* -h, which every command takes, and the end of the table. */
#define OPTIONS_END                                                                                          \
    OPTION('h', "help", NULL, "this text", .set = NULL),                                                     \
    {                                                                                                        \
        .name = NULL                                                                                         \
    }

/* What a command takes beside its options. */
enum operands {
    OPERANDS_NONE,
    OPERANDS_TRACE,    /* one capture or archive; none: standard input */
    OPERANDS_TRACES,   /* captures that go into one archive; none: standard input */
    OPERANDS_ARCHIVES, /* the command counts them itself */
    OPERANDS_FILE,     /* a file that is no trace; the command counts them itself */
    OPERANDS_COMMAND   /* the words of a command */
};

struct command {
    int order;            /* of the list of commands, ascending */
    const char *name;     /* "report"; of a command below another one both words: "archive create" */
    const char *summary;  /* one line */
    const char *usage;    /* what follows the name, one line for each form */
    const char *text;     /* paragraphs, wrapped where they are printed */
    const char *status;   /* exit codes; NULL: 0 done, 2 error */
    const char *examples; /* lines */
    const struct option_spec *options;
    enum operands operands;
    bool no_executions;                      /* -g execution does not apply */
    bool sums_timelines;                     /* of an archive with several of one host (reading.h) */
    const char *const *formats;              /* of --format, the default first, ended by NULL; NULL: none */
    const struct relation *const *relations; /* whose columns -c and -s take, ended by NULL; NULL: none */
    size_t options_size;                     /* of the command's own struct; 0: struct options suffices */
    int (*check)(struct options *o,
                 struct error *err);     /* at the end of parsing; -1: usage error. NULL: none */
    int (*run)(const struct options *o); /* returns the exit code. NULL: there are commands below this one */
};

/* Keeps what only the section's bounds refer to from a linker that drops such sections (lld with --gc-sections). */
#if __has_attribute(retain)
#define COMMAND_RETAINED retain,
#else
#define COMMAND_RETAINED
#endif

/*
 * Enters a command in the list: the linker collects the entries of all files in one section. The objects of cmd/ are
 * linked as such; in a static library nothing would ask for them.
 */
#define COMMAND(COMMAND)                                                                                     \
    static const struct command *const COMMAND##_entry                                                       \
        __attribute__((COMMAND_RETAINED used, section("xenmeter_commands"))) = &(COMMAND)

/* The program as a command: all others are below it. Its name is "". */
extern const struct command xenmeter;

/* The command below `above` that follows `after` (NULL: the first one), by `order`; NULL: no more. */
const struct command *command_next(const struct command *above, const struct command *after);

/* The command of that one word below `above`; NULL: there is none. */
const struct command *command_find(const struct command *above, const char *word);

/* The last word of the command's name. */
const char *command_word(const struct command *c);

/* The option of that long name; NULL: the command takes none. */
const struct option_spec *command_option(const struct command *c, const char *name);

/* The option table's next row that is an option, from `s` on; NULL: the end. */
const struct option_spec *option_next(const struct option_spec *s);

/* Whether the option's value may be left out. */
static inline bool option_argument_may_lack(const struct option_spec *s)
{
    return s->argument && s->argument[0] == '[';
}

/* Says that there is no such command below `above`, and which is near. EXIT_ERROR. */
int command_unknown(const struct command *above, const char *word);

/* Prints the text of --help. */
void help_print(const struct command *c, FILE *to);

#endif
