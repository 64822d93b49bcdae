/*
 * What the commands share that act on a host: their options, and the beginning and the end of acting (act/act.h).
 */
#ifndef XENMETER_CMD_ACTING_H
#define XENMETER_CMD_ACTING_H

#include "act/act.h"
#include "cli.h"
#include "metrics/relation/relation.h"

#define ACTING_PLACE "/run/xenmeter/" /* of the files, where options do not say something else */

/* What the options say; all zero: nothing. */
struct acting_options {
    bool mode_given;
    enum act_mode mode;      /* ACT_ADVISE unless given */
    const char *hook;        /* words of the command in place of xl */
    const char *state, *log; /* files; NULL: not given */
    const char *kill_switch;
    const char *protect; /* a list of ids and names */
    uint64_t timeout_ns; /* 0: not given */
    struct governor_limits limits;
    unsigned limits_given; /* of its members, in their order, 1 << n */
    bool restore;
};

/* Where a command has its struct acting_options: for .offset of the options below. */
#define ACTING_FIELD(STRUCT, FIELD, MEMBER)                                                                  \
    .offset = offsetof(STRUCT, FIELD) + offsetof(struct acting_options, MEMBER)

/* Rows whose help is each command's own. */
#define OPTION_ACTING_HOOK(STRUCT, FIELD, HELP)                                                              \
    OPTION(0, "hook", "CMD", HELP, .set = set_text, ACTING_FIELD(STRUCT, FIELD, hook), .choices = ":file")
#define OPTION_ACTING_PROTECT(STRUCT, FIELD, HELP)                                                           \
    OPTION(0, "protect", "LIST", HELP, .set = set_text, ACTING_FIELD(STRUCT, FIELD, protect))

/* The options; STRUCT has the struct acting_options FIELD. */
#define OPTIONS_ACTING(STRUCT, FIELD)                                                                        \
    OPTION(0, "mode", "MODE",                                                                                \
           "observe: decide and log; advise (default): also print the commands; enforce: run them",          \
           .set = acting_set_mode, .offset = offsetof(STRUCT, FIELD),                                        \
           .choices = "observe\tdecide and log\nadvise\tprint the commands\nenforce\trun them"),             \
        OPTION(0, "exec", NULL, "the same as --mode enforce", .set = acting_set_exec,                        \
               .offset = offsetof(STRUCT, FIELD)),                                                           \
        OPTION(0, "state", "FILE",                                                                           \
               "where is kept what is to be given back (default " ACTING_PLACE "COMMAND.json)",              \
               .set = set_text, ACTING_FIELD(STRUCT, FIELD, state), .choices = ":file"),                     \
        OPTION(0, "log", "FILE", "add every decision, and what came of it, to this file, as lines of JSON",  \
               .set = set_text, ACTING_FIELD(STRUCT, FIELD, log), .choices = ":file"),                       \
        OPTION(0, "kill-switch", "FILE",                                                                     \
               "once this file is there, everything is given back and nothing set any more "                 \
               "(default " ACTING_PLACE "stop)",                                                             \
               .set = set_text, ACTING_FIELD(STRUCT, FIELD, kill_switch), .choices = ":file"),               \
        OPTION(0, "govern", "LIST",                                                                          \
               "how often and how far something may be changed: dwell=LEN,step=PERCENT,least=PERCENT,"       \
               "actions=N,flaps=N",                                                                          \
               .set = acting_set_govern, .offset = offsetof(STRUCT, FIELD),                                  \
               .choices = ":list\ndwell=2s\tbetween two changes of a guest\nstep=1%\tsmallest change\n"      \
                          "least=5%\tnothing is set below\nactions=600\tchanges in an hour\n"                \
                          "flaps=12\tso many freeze a guest"),                                               \
        OPTION(0, "timeout", "LEN", "kill a command that takes longer (default 5s)",                         \
               .set = acting_set_timeout, .offset = offsetof(STRUCT, FIELD), .choices = "5s\n1s"),           \
        OPTION(0, "restore", NULL, "give back what a process that died has set, and end",                    \
               .set = acting_set_restore, .offset = offsetof(STRUCT, FIELD))

set_option acting_set_mode, acting_set_exec, acting_set_govern, acting_set_timeout, acting_set_restore;

/* Whether any of the options was given; "--mode", say. NULL: none. */
const char *acting_given(const struct acting_options *a);

/* Checks what can be checked without a host. -1 with `err` filled. */
int acting_check(const struct acting_options *a, struct error *err);

/* Who acts. */
struct acting_controller {
    const char *name;              /* "debt": of its files, and in the log */
    const char *command;           /* without --hook; NULL: there is none */
    struct governor_limits limits; /* without --govern */
};

/* A run that acts; all zero: not begun. */
struct acting {
    const struct acting_options *options;
    const struct options *common;
    const struct domain_names *names; /* given ones; NULL: none */
    struct act *act;
    bool recording; /* the input is a file: it waits for what is set */
    uint64_t interval_ns;
    char *hook; /* owned copy, cut into words */
    const char *command[COMMAND_WORDS_MAX];
    char state[512], lock[520];
    void *rows;               /* of acting_rows, */
    struct act_guest *guests; /* and room for as many guests */
    size_t rows_capacity, guests_capacity;
};

/* Begins to act by these means. -1 with `err` filled. */
int acting_begin(struct acting *a, const struct acting_controller *controller, const struct act_means *means,
                 uint64_t interval_ns, struct error *err);

/* The first words of the commands, before acting_begin; what they point to lasts until acting_end. -1: no memory, with `err`. */
int acting_cut_command(struct acting *a, const char *without_hook, struct error *err);

/* Whether commands are to be run. */
bool acting_enforces(const struct acting_options *a);

/* Names of guests: given ones, else those of the host; as names_lookup, of a struct acting. */
const char *acting_name(const void *acting, int32_t domain, uint32_t life);

/* acting_name, if any names are known: given by --names, or those of the host that is acted on; else NULL. */
name_lookup acting_name_of(const struct acting *a);

/* Decides on the wishes of an interval, as act_decide; without commands where the mode is to observe. */
int acting_decide(struct acting *a, uint64_t at_ns, struct act_guest *guests, size_t n);

/* Ends: gives everything back and reports `why`. 0, or -1 with `err` filled. May be called twice. */
int acting_end(struct acting *a, const char *why, struct error *err);

/*
 * n rows of the first relation as rows of the second, which begin like them and have nothing else yet; a->guests has room for as
 * many guests. Both are valid until the next call. NULL: no memory.
 */
void *acting_rows(struct acting *a, const struct relation *const relations[2], const void *rows, size_t n);

/* After acting_end. */
void acting_free(struct acting *a);

/* Prints on standard output, in one of status_formats, what the state file of the options (or the controller's own) says is set. EXIT_DONE, or EXIT_ERROR. */
int acting_status(const struct acting_controller *controller, const struct acting_options *o,
                  const char *format);

/* Asks for something, of the process that acts or of whoever does next. Returns the exit code, everything having been said. */
int acting_ask(const struct acting_controller *controller, const struct acting_options *o,
               const struct request *r, bool quiet);

/* Does what --restore asks for. Returns the exit code, everything having been said. */
int acting_restore(const struct acting_controller *controller, const struct acting_options *o, bool quiet);

#endif
