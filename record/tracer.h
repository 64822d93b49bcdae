/*
 * xentrace as the recorder runs it: started with an event mask, watched, stopped, and started again when it has ended, after
 * pauses that grow from half a second to a minute.
 *
 *     tracer_new -> (tracer_start -> tracer_check* -> tracer_stop -> tracer_check*)* -> tracer_free
 *
 * Nothing here waits, but for tracer_free. For one thread, which lives as long as the tracer: xentrace gets SIGTERM when it ends.
 *
 * What xentrace leaves behind (Xen 4.17: tools/xentrace/xentrace.c, xen/common/trace.c):
 *
 *   - xentrace disables tracing when it ends by SIGINT, SIGTERM or SIGHUP. One that dies otherwise, or that has nobody to write to, leaves
 *     it enabled: Xen goes on until the buffers are full, and counts what it loses. The next xentrace discards that (-D).
 *   - A signal in the middle of a write to a full pipe ends it at once, with half a record and tracing enabled: the pipe should be
 *     read all the time.
 *   - The event mask and the mask of pCPUs stay as the last tracer has set them. Therefore both are set (-e, -c all).
 *   - Buffers that were allocated once keep their size until the host boots, and are not given back; -S counts for the first tracer.
 *   - Only one xentrace can run: a second one fails to bind VIRQ_TBUF, which is an error with a message, but has set the masks
 *     of the first one before.
 *
 * What was set before is put back by recorder_tracing_begin and recorder_tracing_end (host/xen_trace.h).
 */
#ifndef XENMETER_RECORD_TRACER_H
#define XENMETER_RECORD_TRACER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parser/error.h"

/* ---- what to trace ---- */

/* What the records are for, from most of them to least: each one has all that those after it need. */
enum tracer_purpose {
    FOR_ALL,      /* every class: exits of HVM guests, page tables, interrupts, guests' own records */
    FOR_CHARGES,  /* scheduling; grants and hypercalls, by which driver domains' work is charged */
    FOR_CPU,      /* scheduling alone: time, executions, slices, wakers, the scheduler's own records */
    FOR_SWITCHES, /* of that runstates, switches, wake-ups: without the scheduler's own records */
    TRACER_PURPOSES
};

/* The event mask, as xentrace -e takes it. */
uint32_t tracer_mask(enum tracer_purpose p);

/* "all" "charges" "cpu" "switches" */
const char *tracer_purpose_name(enum tracer_purpose p);

/* The next smaller one: FOR_SWITCHES stays. */
enum tracer_purpose tracer_narrower(enum tracer_purpose p);

/* The host's pCPUs, as a domain 0 that runs Linux lists them in ROOT/sys/devices/system/xen_cpu; 0: not known. */
uint32_t tracer_pcpus(const char *root);

/* Pages of a trace buffer of each of so many pCPUs: 64 MiB for all of them, each 256 KiB to 4 MiB; 0, not known: 1 MiB each. */
uint32_t tracer_pages(uint32_t pcpus);

/* ---- xentrace ---- */

struct tracer_options {
    const char *path;     /* "xentrace": found by PATH. Outlives the tracer */
    uint32_t mask;        /* of events, not 0 */
    uint32_t pages;       /* of each buffer */
    uint32_t sweep_ms;    /* from one sweep to the next, if no buffer is half full before */
    uint64_t stop_ns;     /* how long it may take to end after SIGINT; then SIGTERM, after as long SIGKILL */
    uint64_t pause_ns[2]; /* the first pause before it is started again, and the longest one */
    uint64_t steady_ns;   /* a run as long as that ends the growing of the pauses */
};
/* But for the mask and the pages. */
extern const struct tracer_options tracer_defaults;

struct tracer;

/* Options are copied. NULL with `err` filled: no memory. */
struct tracer *tracer_new(const struct tracer_options *o, struct error *err);

/* Kills it if it runs, and waits for that (2 s at most). NULL is fine. */
void tracer_free(struct tracer *t);

/* For the next start. */
void tracer_set_mask(struct tracer *t, uint32_t mask);

/* How long until tracer_start should be called; 0: now. UINT64_MAX: it runs. */
uint64_t tracer_pause_ns(const struct tracer *t);

/*
 * Starts it: returns the end of a pipe that its records come from, as large as the kernel allows, which the caller closes. It must be
 * read to its end before the next start. -1 with `err` filled: it cannot be started; the next pause has begun then.
 */
int tracer_start(struct tracer *t, struct error *err);

/* Asks it to end, with all that is in the buffers; the pipe is to be read meanwhile. Once more does nothing. */
void tracer_stop(struct tracer *t);

enum tracer_state {
    TRACER_IDLE,    /* it does not run */
    TRACER_RUNNING, /* it does, or is ending */
    TRACER_STOPPED, /* it has ended since the last call, as it was asked to */
    TRACER_FAILED   /* it has ended since the last call, by itself, or was killed: see tracer_failure */
};

/* Looks after it: to be called several times in a second. */
enum tracer_state tracer_check(struct tracer *t);

/* How it ended the last time: "exit code 1: Couldn't enable trace buffers", "ended by signal 11". Valid until it ends again. */
const char *tracer_failure(const struct tracer *t);

/* How often it was started. */
uint32_t tracer_starts(const struct tracer *t);

/* Its process; -1: it does not run. */
int tracer_pid(const struct tracer *t);

#endif
