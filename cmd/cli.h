/*
 * The commands' common ground: options that mean the same everywhere, messages, exit codes. The only folder that
 * prints to people and ends the process.
 */
#ifndef XENMETER_CMD_CLI_H
#define XENMETER_CMD_CLI_H

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "metrics/meter.h"
#include "metrics/verdict.h"
#include "options.h"
#include "parser/error.h"
#include "parser/trace.h"

#define XENMETER_VERSION "0.1.0"

enum { EXIT_DONE = 0, EXIT_FINDING = 1, EXIT_ERROR = 2 };

/* Message on standard error: "xenmeter: FILE: offset N: what". Returns EXIT_ERROR. */
int fail(const char *file, const struct error *err);

/* Whether both name one regular file; "-" as input is standard input. `output` may be NULL. */
bool same_file(const char *input, const char *output);

struct output;

/* Completes the output to `path` (NULL: standard output) and sets it to NULL. EXIT_DONE, or EXIT_ERROR and a message. */
int commit(struct output **output, const char *path);

/* Message on standard error: "xenmeter: what". */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "xenmeter: verdict degraded: why; why"; `what`: "verdict", or "charges" of columns that are judged apart. */
void say_verdict(const char *what, const struct judgement *j);

#define SUGGESTION_BYTES 96

/*
 * The name of `names` (ended by NULL) that is nearest to `word` by edit distance, between `before` and `after`: "; did
 * you mean 'x'?". "" when none is near. Returns `to`.
 */
const char *suggestion(char to[SUGGESTION_BYTES], const char *before, const char *after, const char *word,
                       const char *const *names);

/* ---- charges (--idd and so on) ---- */

/*
 * What the options ask of the meter; `counters` are those of --io-counts, NULL without. `wanted` is left to the
 * caller. `out` points into both, which outlive it. -1 with `err` filled when they contradict each other.
 */
int charge_options_of(const struct options *o, const struct counters *counters, struct charge_options *out,
                      struct error *err);

/* Whether any option says how to charge. */
bool charge_options_given(const struct options *o);

/* What the options say takes the place of what is in `charge`, option by option. */
void charge_options_overlay(const struct options *o, struct charge_options *charge);

/* Whether there can be idle time to share out, if that is asked for; `recorded`: --dom0-trace is given. -1 with `err`. */
int charge_idle_check(const struct charge_options *c, bool recorded, struct error *err);

/* Whether charging by these makes sense; `counted`: with outside counters. -1 with `err` filled. */
int charge_options_check(const struct charge_options *c, bool counted, struct error *err);

/* ---- known loads of own work (--own, --own-baseline) ---- */

/* Reads the loads of --own-baseline, and checks that those given fit the driver domains. -1 with `err` filled. */
int own_loads_complete(struct options *o, struct error *err);

/* Reads the report of --own-baseline into the options. -1 with `err` filled, which names the file. */
int own_baseline_read(struct options *o, struct error *err);

/* ---- domain names (--names) ---- */

struct domain_names;

/* Reads lines "ID NAME" or the output of "xl list". NULL with `err` filled. */
struct domain_names *names_read(const char *path, struct error *err);

/* The same of n bytes of text that was read already. */
struct domain_names *names_read_text(const char *text, size_t n, struct error *err);
/* Names a domain (0..65535) that has no name in *names, which is made if it is NULL. False: no memory. */
bool names_add(struct domain_names **names, uint32_t domain, const char *name);
void names_free(struct domain_names *names);
const char *names_lookup(const void *names, int32_t domain, uint32_t life);

/* ---- outside counters (--io-counts) ---- */

/* Reads the file that xenmeter-io-counts(5) describes, or an archive that keeps counters; "-" is not possible. NULL with `err` filled. */
struct counters *counters_read(const char *path, struct error *err);

/* The same of n bytes of text that was read already. */
struct counters *counters_read_text(const char *text, size_t n, struct error *err);

/* Those of an archive of one timeline. NULL with `err` filled: it cannot be read, has several timelines, or no counters. */
struct counters *counters_read_archive(const char *path, struct error *err);

/* ---- what a driver domain's kernel recorded (--dom0-trace) ---- */

/* Reads the file that xenmeter-dom0-trace(5) describes. NULL with `err` filled. */
struct dom0_trace *dom0_trace_read(const char *path, struct error *err);

/* ---- a user's own events (--events-file) ---- */

struct own_events;

/* Reads the file of the option into *own, NULL without the option. EXIT_DONE, or EXIT_ERROR with the reason printed. */
int events_file_read(const struct options *o, struct own_events **own);

/* ---- signals ---- */

/*
 * Ignores SIGPIPE and SIGXFSZ (writes fail instead); on SIGINT, SIGTERM, SIGHUP removes unfinished output and ends; on
 * SIGBUS says why and ends. Those of
 * the three that were ignored when the program started stay ignored.
 */
void signals_install(void);

/*
 * From now on SIGINT, SIGTERM and SIGHUP only ask to stop, unless they are ignored. Returns the flag, and in *wait_mask
 * the mask to wait with.
 */
const atomic_int *signals_stop_flag(const sigset_t **wait_mask);

/*
 * From now on SIGHUP asks to read the policy again, unless it is ignored: it does not ask to stop. Returns the flag, which the caller
 * resets.
 */
atomic_int *signals_reload_flag(void);

/*
 * After signals_stop_flag: from now on SIGUSR1 asks for a dump. Returns the flag, which the caller resets.
 */
atomic_int *signals_dump_flag(void);

/* ---- progress ---- */

struct progress {
    bool shown, wanted;
    uint64_t begun_ns, next_ns;
};

void progress_begin(struct progress *p, enum when when, bool quiet);
void progress_show(void *progress, const struct trace *t); /* as pipeline_control has it */
/* The same of a simulation that has come to now_ns of all_ns and has written so many bytes. */
void progress_show_simulated(struct progress *p, uint64_t now_ns, uint64_t all_ns, uint64_t bytes);
/* Wipes the line, so that something else can be printed. */
void progress_end(struct progress *p);

/* Whether colour may be used on this descriptor (terminal, NO_COLOR, TERM). */
bool color_wanted(enum when when, int fd);

/* Width and height of the terminal on this descriptor in characters, 0: none. */
unsigned terminal_width(int fd);
unsigned terminal_height(int fd);

#endif
