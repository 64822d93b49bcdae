/*
 * Where the trace of xenmeter serve comes from. xentrace, started here, and a FIFO give one trace after the other: when one has ended
 * the next one is waited for. A file, an archive and standard input give one.
 */
#ifndef XENMETER_CMD_SERVE_SOURCE_H
#define XENMETER_CMD_SERVE_SOURCE_H

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "cli.h"
#include "record/tracer.h"

struct serve_source {
    const char *path; /* the operand; NULL: xentrace */
    const struct options *options;
    const atomic_int *stop; /* see signals_stop_flag */
    const sigset_t *wait_mask;
    struct tracer *tracer; /* NULL: another source */
    bool is_fifo, is_live; /* */
};

/* Finds out what it is. `path` NULL: xentrace with those options. -1 with `err` filled: there is no such file, no memory. */
int serve_source_init(struct serve_source *s, const char *path, const struct tracer_options *tracer,
                      struct error *err);
void serve_source_free(struct serve_source *s);

/*
 * Waits for the next trace. 1: it can be read, as `*input` says, which is "-" for all that is live, and standard input is that trace;
 * 0: asked to stop; -1 with `err` filled: it cannot be had.
 */
int serve_source_next(struct serve_source *s, const char **input, struct error *err);

/* That trace has ended, or is wanted no more: xentrace is stopped, if it runs, and what it still writes is read. */
void serve_source_end(struct serve_source *s);

/* Whether another trace follows. */
bool serve_source_goes_on(const struct serve_source *s);

#endif
