/*
 * The options that mean the same everywhere: where their values go, and the rows that commands' tables have of them. Each
 * OPTION_x is a row of a table of struct option_spec; its argument is what --help says of it there.
 */
#ifndef XENMETER_CMD_OPTIONS_H
#define XENMETER_CMD_OPTIONS_H

#include "clock_time.h"
#include "command.h"
#include "completion.h"
#include "metrics/meter.h"
#include "metrics/relation/moments.h"

#define LEVEL_DEFAULT 3 /* of compression, as zstd has it */

/* What is asked for instead of rows: --columns or --sort with this word lists the columns. */
#define WORD_HELP "help"

/* "auto" "always" "never" */
enum when { WHEN_AUTO, WHEN_ALWAYS, WHEN_NEVER };

/* What the command line asks for; options_parse fills it with the defaults first. */
/* An option on the command line. */
struct given_option {
    const struct option_spec *spec;
    const char *value; /* NULL: none */
};

struct options {
    const struct command *command;
    struct given_option *given; /* as they were given, without those of the configuration file */
    size_t given_n;
    const char *input;  /* path or "-" */
    const char *format; /* never NULL after parsing, if the command has formats */
    const char *output; /* NULL: standard output */
    unsigned bys;       /* 1 << enum by, or-ed; 0: not given */
    uint64_t granularities_ns[METER_GRANULARITIES];
    size_t granularities;
    bool executions;
    uint64_t live_ns;                      /* 0: not live */
    uint8_t *domains;                      /* a byte for each of 65536 domain ids; NULL: not given */
    uint8_t *pcpus;                        /* a byte for each of PCPUS_MAX pCPUs; NULL: not given */
    const char *domains_list, *pcpus_list; /* as they were given; NULL: they were not */
    bool domains_named;                    /* names are among --domains: domain_list_names adds them */
    uint64_t from_ns, to_ns;
    struct clock_span
        span; /* sides of --time that are times of day: trace_run_find makes from_ns and to_ns of them */
    const char *host_facts; /* file of facts about the host; NULL: not given */
    enum time_format time_format;
    const char *columns, *sort;
    size_t limit; /* rows of an interval; 0: all */
    const char *names;
    double cpu_hz;
    uint64_t max_memory;
    bool quiet, verbose;
    bool timing;
    bool raw_names;
    bool schema;   /* not the rows, but the SQL of a table for them */
    bool no_input; /* what is asked for reads no trace */
    bool no_pager, no_config;
    bool strict;  /* a verdict that is not good is a finding */
    char *config; /* text of the configuration file, where values may lie; NULL: none */
    enum when color, progress;
    /* driver domains and charges, as struct charge_options has them */
    uint8_t *idds; /* a byte for each of 65536 domain ids; NULL: not given */
    unsigned charge_methods;
    uint64_t charge_interval_ns;
    double weights[IO_KINDS];
    unsigned weights_given; /* 1 << enum io_kind, or-ed: by the last --weights */
    bool charge_per_given, charge_per_execution;
    bool charge_all, charge_idle, fit;
    struct own_load *own; /* of --own, or what --own-baseline has; NULL: not given */
    size_t own_n;
    const char *own_baseline; /* file of a report without guests' I/O */
    double own_baseline_io;   /* pages of guests that were mapped or copied per second of it all the same */
    const char *io_counts;    /* file of outside counters */
    const char *dom0_trace;   /* file of what a driver domain's kernel recorded */
    /* archives */
    char *const *inputs; /* what is no option; of a command that reads one trace the first is `input` */
    size_t inputs_n;
    const char *host; /* --host as it was given; NULL: it was not */
    unsigned level;   /* of compression */
    unsigned threads; /* that compress; 0: as many as jobs */
    unsigned jobs;    /* threads that read and write; 0: one for each CPU (options_jobs) */
    bool with_trace;
    /* single records */
    const char *events, *vcpus; /* as they were given; NULL: they were not */
    const char *events_file;    /* of a user's own events */
    bool tsc, count, follow;
};

/*
 * Reads the arguments of the command (argv[0] is its name). NULL when it is over: help was printed, or the arguments were
 * wrong, which was said; *status is its exit code then. Free with options_free.
 */
struct options *options_parse(const struct command *c, int argc, char **argv, int *status);
void options_free(struct options *o);

/* Whether --columns or --sort asks for the list of columns, for which no trace is read. */
bool options_list_columns(const struct options *o);

/*
 * Fills what was left open, and refuses what does not go together. -1 with `err` filled. Part of options_parse.
 */
int options_complete(struct options *o, struct error *err);

/* The number of CPUs that this process may use. */
unsigned usable_cpus(void);

#define JOBS_ALL 3 /* reading, accounting and writing: more threads are of no use to one trace */

/* How many threads work on a trace: --jobs, or one for each CPU. */
unsigned options_jobs(const struct options *o);

/* ---- setters for .set ---- */

/* Store to what is at `offset`: a bool, const char *, size_t, or enum when. */
set_option set_flag, set_text, set_count, set_when;

/* Those of one field of struct options. */
set_option set_format, set_by, set_bys, set_granularities, set_domains, set_pcpus, set_span, set_live,
    set_cpu_hz, set_max_memory, set_idds, set_charge_by, set_charge_per, set_weights, set_own, set_threads,
    set_jobs, set_level, set_time_format;

/* Names of formats, ended by NULL, with commas between them; returns `to`. */
#define FORMATS_BYTES 96
const char *formats_listed(char to[FORMATS_BYTES], const char *const *formats);

/* A whole number in [1, most]. */
int set_small(unsigned *to, unsigned most, const struct option_spec *s, const char *text, struct error *err);

/*
 * "10s" "100ms" "500us" "1500ns" "2min" (or "2m") "1h" "30d", or a bare number of seconds, in n characters of text. -1
 * with `err` filled, which
 * names the option (without dashes).
 */
int parse_duration(const char *option, const char *text, size_t n, uint64_t *ns, struct error *err);

/* Digits at *text, a number below limit; moves *text past them. -1: there is none. */
int number_below(const char **text, size_t limit, size_t *number);

/* The same of one number or a range: "3" "3-5". */
int range_below(const char **text, size_t limit, size_t *from, size_t *to);

/* "256M" "2G", from 1 to 1e15 bytes. -1: it is none. */
int parse_size(const char *text, uint64_t *bytes);

/* Which of `names`, ended by NULL, the n characters of `word` are; -1: none. */
int name_index(const char *const *names, const char *word, size_t n);

/* Takes the n characters of an item of a list. 0, or -1 with `err` filled. */
typedef int take_list_item(void *context, const char *item, size_t n, struct error *err);

/* Has each item of a list taken, which commas divide. 0, or -1 with `err` filled by `take`. */
int each_item(const char *list, take_list_item *take, void *context, struct error *err);

/* One more granularity, in ns (0: the whole trace). -1 with `err` filled: they are too many. */
int options_add_granularity(struct options *o, uint64_t ns, struct error *err);

/* ---- rows of options' tables ---- */

#define OPTION_FIELD(MEMBER) .offset = offsetof(struct options, MEMBER)
#define OPTION_FLAG(LETTER, NAME, MEMBER, HELP)                                                              \
    OPTION(LETTER, NAME, NULL, HELP, .set = set_flag, OPTION_FIELD(MEMBER))

#define CHOICES_BY   "domain\nvcpu\npcpu\ndomain-pcpu"
#define CHOICES_WHEN "auto\nalways\nnever"

#define OPTION_BY(HELP)  OPTION('b', "by", "WHAT", HELP, .set = set_by, .choices = CHOICES_BY)
#define OPTION_BYS(HELP) OPTION('b', "by", "LIST", HELP, .set = set_bys, .choices = ":list\n" CHOICES_BY)
#define OPTION_GRANULARITY(HELP)                                                                             \
    OPTION('g', "granularity", "LIST", HELP, .set = set_granularities,                                       \
           .choices = ":list\ntotal\tthe whole trace\n10s\n1s\n100ms\n10ms",                                 \
           .offer = complete_granularities)
#define OPTION_LIVE                                                                                          \
    OPTION(0, "live", "LEN",                                                                                 \
           "each interval of LEN as soon as it is complete, until the input ends or SIGINT or SIGTERM "      \
           "arrives",                                                                                        \
           .set = set_live, .choices = "10s\n1s\n100ms")
#define OPTION_DOMAINS(HELP) OPTION('d', "domains", "LIST", HELP, .set = set_domains)
#define OPTION_PCPUS(HELP)   OPTION('p', "pcpus", "LIST", HELP, .set = set_pcpus)
#define OPTION_TIME                                                                                          \
    OPTION('t', "time", "FROM,TO", "only this part of the trace: 1.5s,3s; either may be empty",              \
           .set = set_span)
/* The same where times of day may be known. */
#define OPTION_TIME_OF_DAY                                                                                   \
    OPTION('t', "time", "FROM,TO",                                                                           \
           "only this part of the trace: 1.5s,3s; or times of day: 07:00,07:05, 2026-11-29T07:00Z,; either " \
           "may be empty",                                                                                   \
           .set = set_span)
#define OPTION_TIME_FORMAT                                                                                   \
    OPTION(0, "time-format", "HOW",                                                                          \
           "moments as relative (default: from the trace's start), local, utc (times of day, where they "    \
           "are known), tsc",                                                                                \
           .set = set_time_format, .choices = "relative\nlocal\nutc\ntsc")
#define OPTION_HOST_FACTS(HELP)                                                                              \
    OPTION(0, "host-facts", "FILE", HELP, .set = set_text, OPTION_FIELD(host_facts), .choices = ":file")
#define HOST_FACTS_HELP                                                                                      \
    "facts about the host: names of domains, times of day; default: those that an archive keeps"

#define OPTION_FORMAT(HELP) OPTION('f', "format", "NAME", HELP, .set = set_format, .offer = complete_formats)
#define OPTION_OUTPUT_AS(ARGUMENT, HELP, CHOICES)                                                            \
    OPTION('o', "output", ARGUMENT, HELP, .set = set_text, OPTION_FIELD(output), .choices = (CHOICES))
#define OPTION_OUTPUT                                                                                        \
    OPTION_OUTPUT_AS("FILE", "write to FILE, whole or not at all; .zst at the end compresses", ":file")
#define OPTION_COLUMNS                                                                                       \
    OPTION('c', "columns", "LIST", "these columns, in this order (\"all\"; \"help\" lists them)",            \
           .set = set_text, OPTION_FIELD(columns),                                                           \
           .choices = ":list\nall\tall that are not there yet\nhelp\tlist them", .offer = complete_columns)
#define OPTION_SCHEMA                                                                                        \
    OPTION_FLAG(0, "schema", schema,                                                                         \
                "only print the SQL that makes a table of these columns, into which csv can be read")
#define OPTION_SORT(HELP)                                                                                    \
    OPTION('s', "sort", "COLUMN", HELP, .set = set_text, OPTION_FIELD(sort), .offer = complete_columns)
#define OPTION_LIMIT(HELP) OPTION('n', "limit", "N", HELP, .set = set_count, OPTION_FIELD(limit))
#define OPTION_NAMES(HELP)                                                                                   \
    OPTION(0, "names", "FILE", HELP ": lines \"ID NAME\", or the output of \"xl list\"", .set = set_text,    \
           OPTION_FIELD(names), .choices = ":file")
#define OPTION_RAW_NAMES                                                                                     \
    OPTION_FLAG(0, "raw-names", raw_names,                                                                   \
                "names in csv and tsv as they are, also if they steer a terminal or are formulas")
#define OPTION_EVENTS_FILE                                                                                   \
    OPTION(0, "events-file", "FILE", "names and fields of your own events: see xenmeter-events(7)",          \
           .set = set_text, OPTION_FIELD(events_file), .choices = ":file")
#define OPTION_COLOR                                                                                         \
    OPTION(0, "color", "WHEN", "auto, always, never", .set = set_when, OPTION_FIELD(color),                  \
           .choices = CHOICES_WHEN)
#define OPTION_HOST(HELP)                                                                                    \
    OPTION(0, "host", "LABEL[:N]", HELP, .set = set_text, OPTION_FIELD(host), .offer = complete_hosts)
#define OPTION_VERBOSE(HELP) OPTION_FLAG('v', "verbose", verbose, HELP)
#define OPTION_QUIET         OPTION_FLAG('q', "quiet", quiet, "only errors on standard error")

#define OPTION_NO_PAGER                                                                                      \
    OPTION_FLAG(0, "no-pager", no_pager, "output longer than the screen does not go through $PAGER")
#define OPTION_STRICT OPTION_FLAG(0, "strict", strict, "exit status 1 if the verdict is not good")

/* The end of the table of a command that runs. */
#define OPTIONS_ALL OPTION_FLAG(0, "no-config", no_config, "do not read the configuration file"), OPTIONS_END

#define OPTION_PROGRESS                                                                                      \
    OPTION(0, "progress", "WHEN", "auto, always, never", .set = set_when, OPTION_FIELD(progress),            \
           .choices = CHOICES_WHEN)

/* How a trace is read. */
#define OPTIONS_TRACE                                                                                        \
    OPTION('j', "jobs", "N", "work on N threads (default: one for each CPU); all N give the same output",    \
           .set = set_jobs),                                                                                 \
        OPTION(0, "cpu-hz", "HZ", "frequency of the tsc (2.4GHz); default: measured from the trace",         \
               .set = set_cpu_hz),                                                                           \
        OPTION(0, "max-memory", "SIZE", "give up rather than use more (default 1G)", .set = set_max_memory,  \
               .choices = "256M\n1G\n4G"),                                                                   \
        OPTION_STRICT, OPTION_PROGRESS,                                                                      \
        OPTION_FLAG(0, "timing", timing, "the CPU time of each thread on standard error"), OPTION_QUIET

/* How a trace or an archive is read; VERBOSE is the help of -v. */
#define OPTIONS_READING(VERBOSE)                                                                             \
    OPTIONS_HEADING("How to read it"),                                                                       \
        OPTION_HOST("of an archive with several hosts: this one; N: its Nth timeline"), OPTIONS_TRACE,       \
        OPTION_NO_PAGER, OPTION_VERBOSE(VERBOSE)

/* How rows are shown that every format can write. */
#define OPTIONS_SHOWING                                                                                      \
    OPTIONS_HEADING("How to show it"),                                                                       \
        OPTION_FORMAT("table, csv, tsv, json, jsonl, sqlite; default: by the ending of -o, else table"),     \
        OPTION_OUTPUT, OPTION_COLUMNS, OPTION_SCHEMA, OPTION_NAMES("domain names"), OPTION_RAW_NAMES,        \
        OPTION_COLOR

/* Driver domains and charges. */
/* How a trace alone is charged. */
#define OPTIONS_CHARGE_TRACE                                                                                 \
    OPTION(0, "idd", "LIST",                                                                                 \
           "these are the driver domains: 0,5; default: domain 0, and every domain from the moment on at "   \
           "which it maps another one's page",                                                               \
           .set = set_idds),                                                                                 \
        OPTION(0, "charge-by", "LIST",                                                                       \
               "auto (default), or any of grants, copies, notifications, transfers, packets, threads: what " \
               "charges are taken from",                                                                     \
               .set = set_charge_by,                                                                         \
               .choices = ":list\nauto\twhat there is\ngrants\tmap, unmap\ncopies\tgrant copies\n"           \
                          "notifications\tevent channels\ntransfers\tpage flips\n"                           \
                          "packets\twhat --io-counts has\nthreads\tCPU times that --io-counts has"),         \
        OPTION(0, "charge-per", "WHAT",                                                                      \
               "the time that is shared out: task (default; an execution where the trace does not tell the " \
               "driver domain's tasks apart), execution, or interval=LEN",                                   \
               .set = set_charge_per,                                                                        \
               .choices =                                                                                    \
                   "task\twhere the trace tells tasks apart\nexecution\ninterval=100ms\ninterval=1s"),       \
        OPTION(0, "weights", "KIND=W,..",                                                                    \
               "what one event costs: map, unmap, transfer, notify, copy, send, recv, read, write",          \
               .set = set_weights,                                                                           \
               .choices = ":list\nmap=\nunmap=\ntransfer=\nnotify=\ncopy=\nsend=\nrecv=\nread=\nwrite="),    \
        OPTION_FLAG(0, "charge-all", charge_all,                                                             \
                    "driver domains' own time, too, is shared out among the guests"),                        \
        OPTION_FLAG(0, "charge-idle", charge_idle,                                                           \
                    "the idle loop and the timer of driver domains go to those for whom they worked before " \
                    "and after them"),                                                                       \
        OPTION(0, "own", "SHARE",                                                                            \
               "own work that is known is taken out first, where the trace does not tell it: 12% of a pCPU " \
               "(domain 0), or 0=12%,3=5%",                                                                  \
               .set = set_own, .choices = ":list\n5%\n10%\n0=10%")

/* The same, and by files beside it. */
#define OPTIONS_CHARGE                                                                                       \
    OPTIONS_CHARGE_TRACE,                                                                                    \
        OPTION(0, "own-baseline", "FILE",                                                                    \
               "the same, as this report (-f json) of a capture without guests' I/O has it",                 \
               .set = set_text, OPTION_FIELD(own_baseline), .choices = ":file"),                             \
        OPTION(0, "io-counts", "FILE",                                                                       \
               "packets and requests counted outside the trace (xenmeter io-counts)", .set = set_text,       \
               OPTION_FIELD(io_counts), .choices = ":file")

/* For commands whose charges are not kept. */
#define OPTION_DOM0_TRACE                                                                                    \
    OPTION(0, "dom0-trace", "FILE",                                                                          \
           "who ran in dom0, as its kernel recorded it (xenmeter io-counts --ftrace): its time is cut by "   \
           "that, and nothing is inferred",                                                                  \
           .set = set_text, OPTION_FIELD(dom0_trace), .choices = ":file")
/* What .text says of FILE. */
#define TRACE_TEXT                                                                                           \
    "FILE is a capture of xentrace, plain or compressed by zstd, gzip or xz, or an archive (xenmeter "       \
    "archive); \"-\" or nothing: standard input."

#endif
