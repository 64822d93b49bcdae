/*
 * The commands' common ground: options that mean the same everywhere, messages, exit codes. The only folder that
 * prints to people and ends the process.
 */
#ifndef XENMETER_CMD_CLI_H
#define XENMETER_CMD_CLI_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "metrics/relation/relation.h"
#include "metrics/meter.h"
#include "metrics/verdict.h"
#include "parser/error.h"
#include "parser/trace.h"

#define XENMETER_VERSION "0.1.0"

#define LEVEL_DEFAULT 3 /* of compression, as zstd has it */

enum { EXIT_DONE = 0, EXIT_FINDING = 1, EXIT_ERROR = 2 };

struct command {
    const char *name;
    const char *summary; /* one line for the list of commands */
    int (*run)(int argc, char **argv);
};

extern const struct command commands[]; /* ended by a NULL name */

int command_report(int argc, char **argv);
int command_info(int argc, char **argv);
int command_io_counts(int argc, char **argv);
int command_charge(int argc, char **argv);
int command_dump(int argc, char **argv);
int command_archive(int argc, char **argv);
int command_help(int argc, char **argv);

/* "auto" "always" "never" */
enum when { WHEN_AUTO, WHEN_ALWAYS, WHEN_NEVER };

/* What the options of CLI ask for; options_parse fills it with the defaults first. */
struct options {
    const char *input;  /* path or "-" */
    const char *format; /* never NULL after parsing */
    const char *output; /* NULL: standard output */
    enum by by;
    bool by_given;
    uint64_t granularities_ns[METER_GRANULARITIES];
    size_t granularities;
    bool executions;
    uint64_t live_ns; /* 0: not live */
    bool domains_given, pcpus_given;
    uint8_t *domains; /* a byte for each of 65536 domain ids */
    uint8_t *pcpus;   /* a byte for each of PCPUS_MAX pCPUs */
    uint64_t from_ns, to_ns;
    const char *columns, *sort;
    size_t limit; /* rows of an interval; 0: all */
    const char *names;
    double cpu_hz;
    uint64_t max_memory;
    bool quiet, verbose;
    enum when color, progress;
    /* driver domains and charges, as struct charge_options has them */
    uint8_t *idds; /* a byte for each of 65536 domain ids; NULL: not given */
    unsigned charge_methods;
    uint64_t charge_interval_ns;
    double weights[IO_KINDS];
    const char *weights_text; /* as they were given; NULL: they were not */
    bool charge_per_given;
    bool charge_all;
    const char *io_counts; /* file of outside counters */
    /* archives */
    char *const *inputs; /* all FILEs, of a command that takes several; the first is `input` */
    size_t inputs_n;
    unsigned bys;     /* 1 << enum by, or-ed, of a command that takes several */
    const char *host; /* --host as it was given; NULL: it was not */
    int level;        /* of compression */
    unsigned threads;
    bool with_trace;
    /* single records */
    const char *events, *vcpus; /* as they were given; NULL: they were not */
    bool tsc, count, follow;
};

/* Which of the common options a command takes. */
struct option_set {
    const char *command;
    const char *letters; /* of the short options it takes: "fobgdptcsnqv" */
    const char *longs; /* of the options without a letter, each in blanks: " names cpu-hz live max-memory " */
    bool no_executions;         /* -g execution does not apply */
    bool makes_archive;         /* several FILEs, --by takes a list, --output is an archive */
    const char *const *formats; /* of its output, the default first, ended by NULL */
    const char *help;           /* the whole text of --help */
};

/*
 * Reads the arguments. Returns true to go on; false when the command is over (help was printed, or the arguments
 * were wrong, which was said) with *status set to its exit code. Free with options_free.
 */
bool options_parse(struct options *o, const struct option_set *set, int argc, char **argv, int *status);
void options_free(struct options *o);

/* Message on standard error: "xenmeter: FILE: offset N: what". Returns EXIT_ERROR. */
int fail(const char *file, const struct error *err);

/* Whether both name one regular file; "-" as input is standard input. `output` may be NULL. */
bool same_file(const char *input, const char *output);

/* Message on standard error: "xenmeter: what". */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "xenmeter: verdict degraded: why; why". */
void say_verdict(const struct judgement *j);

/* The name of `names` nearest to `word` (by edit distance), NULL when none is near. `names` ends with NULL. */
const char *nearest_name(const char *word, const char *const *names);

/*
 * Once the first batch is there: the tsc frequency is known, given or measured. -1 with `err` filled: it is not. `instead`
 * ends the advice: what else can be done, or nothing.
 */
int trace_check_clock(const struct trace *trace, const char *instead, struct error *err);

/* ---- charges (--idd and so on) ---- */

/* The options about driver domains and charges, for option_set.longs and the texts of --help. */
#define CHARGE_LONGS "idd charge-by charge-per weights charge-all io-counts "
#define CHARGE_HELP                                                                                          \
    "      --idd LIST          these are the driver domains: 0,5; default: domain 0, and every\n"            \
    "                          domain from the moment on at which it maps another one's page\n"              \
    "      --charge-by LIST    auto (default), or any of grants, copies, notifications,\n"                   \
    "                          transfers, packets: what charges are taken from\n"                            \
    "      --charge-per WHAT   execution (default), or interval=LEN: the time that is shared out\n"          \
    "      --weights KIND=W,.. what one event costs: map, unmap, transfer, notify, copy, send,\n"            \
    "                          recv, read, write\n"                                                          \
    "      --charge-all        driver domains' own time, too, is shared out among the guests\n"              \
    "      --io-counts FILE    packets and requests counted outside the trace (xenmeter io-counts)\n"

/* Read the values of --charge-by, --charge-per and --weights. -1 with `err` filled. */
int parse_charge_by(const char *text, unsigned *methods, struct error *err);
int parse_charge_per(const char *text, uint64_t *interval_ns, struct error *err);
int parse_weights(const char *text, double weights[IO_KINDS], struct error *err);

/*
 * What the options ask of the meter; `counters` are those of --io-counts, NULL without. `wanted` is left to the
 * caller. `out` points into both, which outlive it. -1 with `err` filled when they contradict each other.
 */
int charge_options_of(const struct options *o, const struct counters *counters, struct charge_options *out,
                      struct error *err);

/* Whether charging by these makes sense. -1 with `err` filled. */
int charge_options_check(const struct charge_options *c, struct error *err);

/* ---- domain names (--names) ---- */

struct domain_names;

/* Reads lines "ID NAME" or the output of "xl list". NULL with `err` filled. */
struct domain_names *names_read(const char *path, struct error *err);

/* The same of n bytes of text that was read already. */
struct domain_names *names_read_text(const char *text, size_t n, struct error *err);
void names_free(struct domain_names *names);
const char *names_lookup(const void *names, int32_t domain, uint32_t life);

/* ---- outside counters (--io-counts) ---- */

/* Reads the file that xenmeter-io-counts(5) describes; "-" is not possible. NULL with `err` filled. */
struct counters *counters_read(const char *path, struct error *err);

/* The same of n bytes of text that was read already. */
struct counters *counters_read_text(const char *text, size_t n, struct error *err);

/* ---- signals ---- */

/* Ignores SIGPIPE; on SIGINT, SIGTERM, SIGHUP removes unfinished output and ends; on SIGBUS says why and ends. */
void signals_install(void);

/* From now on SIGINT, SIGTERM and SIGHUP only ask to stop. The flag, and the mask to wait with. */
const volatile sig_atomic_t *signals_stop_flag(const sigset_t **wait_mask);

/* ---- progress ---- */

struct progress {
    bool shown, wanted;
    uint64_t begun_ns, next_ns;
};

void progress_begin(struct progress *p, enum when when, bool quiet);
void progress_show(struct progress *p, const struct trace *t);
/* Wipes the line, so that something else can be printed. */
void progress_end(struct progress *p);

/* Whether colour may be used on this descriptor (terminal, NO_COLOR, TERM). */
bool color_wanted(enum when when, int fd);

/* Width of the terminal on this descriptor, 0: none. */
unsigned terminal_width(int fd);

#endif
