/*
 * A command goes over a trace: a file, a pipe, or the one that an archive keeps.
 *
 *     trace_run_find -> trace_run_add* -> trace_run_open -> trace_run_go -> trace_run_close
 */
#ifndef XENMETER_CMD_TRACE_RUN_H
#define XENMETER_CMD_TRACE_RUN_H

#include "archived.h"
#include "cli.h"
#include "metrics/pipeline.h"

/* One run over a trace; all zero is one that was not begun. */
struct trace_run {
    const struct options *options;
    struct archived archived;        /* .archive NULL: the input is none */
    struct pipeline *pipeline;       /* NULL: no consumer was added */
    struct pipeline_control control; /* .stop_at_once is the command's to set */
    struct trace *trace;             /* NULL: not opened */
    struct progress progress;
};

/* Finds out what the input is; opens the archive if it is one. EXIT_DONE, or EXIT_ERROR with the reason said. */
int trace_run_find(struct trace_run *r, const struct options *o);

/* Adds a consumer (see pipeline_add). */
int trace_run_add(struct trace_run *r, const struct consumer *consumer, struct error *err);

/*
 * Opens the trace with what the consumers want of it. `stoppable`: signals ask to stop from now on. `tap`: who wants its
 * bytes, or NULL. -1 with `err` filled.
 */
int trace_run_open(struct trace_run *r, bool stoppable, const struct trace_tap *tap, struct error *err);

/* Lets the consumers have the trace; `progress`: when it is shown. As pipeline_run. */
int trace_run_go(struct trace_run *r, enum when progress, struct error *err);

/* Whether a signal asked to stop. */
bool trace_run_stopped(const struct trace_run *r);

void trace_run_close(struct trace_run *r);

#endif
