/*
 * One run of a command over a trace: a file, a pipe, or the trace that an archive keeps.
 *
 *     trace_run_find -> trace_run_add* -> trace_run_open -> trace_run_go -> trace_run_close
 */
#ifndef XENMETER_CMD_TRACE_RUN_H
#define XENMETER_CMD_TRACE_RUN_H

#include "archived.h"
#include "cli.h"
#include "host_time.h"
#include "metrics/pipeline.h"

/* One run over a trace; all zero: not begun. */
struct trace_run {
    const struct options *options;   /* after trace_run_find with times of day in --time made ns */
    struct options with_span;        /* where that changes them */
    struct host_time host;           /* what is known of the host beside the trace */
    struct archived archived;        /* .archive NULL: the input is not an archive */
    struct pipeline *pipeline;       /* NULL: no consumer was added */
    struct pipeline_control control; /* .stop_at_once is the command's to set */
    /* by the command, before trace_run_open: */
    const struct feed *feed;         /* where the bytes come from; NULL: from the input */
    const atomic_int *stop;          /* a flag of its own that ends the pass; NULL: none, */
    const sigset_t *wait_mask;       /* and the signals to wait with for a pipe */
    struct trace *trace;             /* NULL: not opened */
    struct domain_names *names;      /* given or kept in the archive, if the command takes any; NULL: none */
    const struct counters *counters; /* outside ones, whose readings tell the tsc frequency; NULL: none */
    struct progress progress;
};

/*
 * Reads names and facts about the host, finds out the kind of input, opens an archive, and makes ns of times of day in --time: from
 * then on r->options take the place of `o`. EXIT_DONE, or EXIT_ERROR with the reason printed.
 */
int trace_run_find(struct trace_run *r, const struct options *o);

/* Adds a consumer (see pipeline_add). */
int trace_run_add(struct trace_run *r, const struct consumer *consumer, struct error *err);

/*
 * Opens the trace by the interests of the consumers. `stoppable`: from now on signals ask to stop. `tap`: gets the
 * bytes of the trace; may be NULL. -1 with `err` filled.
 */
int trace_run_open(struct trace_run *r, bool stoppable, const struct trace_tap *tap, struct error *err);

/* For who shows moments: the trace was read up to its first batch, which set its clock, unless r->host has one. */
void trace_run_know_clock(struct trace_run *r);

/* Runs the consumers over the trace, as pipeline_run; `progress`: when to show progress. */
int trace_run_go(struct trace_run *r, enum when progress, struct error *err);

/* What the pass found: the trace, its clock and quality. */
void trace_run_describe(struct trace_run *r, struct summary *s);

/*
 * What the pass found of the whole trace: all but its end, its charges and its domains. s->pcpus is the caller's. The
 * first consumer wants rows. -1 with `err` filled.
 */
int trace_run_summarise(struct trace_run *r, struct summary *s, struct error *err);

/* Whether a signal asked to stop. */
bool trace_run_stopped(const struct trace_run *r);

/* Drops the pipeline and the trace: another pass may begin. */
void trace_run_end_pass(struct trace_run *r);

/* Frees everything, and with --timing reports the threads' times. */
void trace_run_close(struct trace_run *r);

/* Reports the CPU time of the main thread and of those that have ended, and the time since `begun_ns` (io_clock_ns). */
void say_thread_times(uint64_t begun_ns);

#endif
