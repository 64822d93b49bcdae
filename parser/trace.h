/*
 * A xentrace capture as a stream of events in time order: the face of the parser.
 *
 *     struct trace *t = trace_open("capture.xt", &options, &err);
 *     while ((n = trace_next(t, &batch, &err)) > 0)
 *         use(batch.events, batch.n);
 *     trace_close(t);
 *
 * A file, a compressed file and a pipe take the same road and give the same events.
 */
#ifndef XENMETER_PARSER_TRACE_H
#define XENMETER_PARSER_TRACE_H

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "event.h"
#include "parser/decode/cores.h"
#include "parser/decode/task_marks.h"
#include "parser/order/clock.h"
#include "parser/source/feed.h"
#include "quality.h"

struct event_batch {
    const struct event *events; /* valid until the next call */
    size_t n;
    const uint16_t *pcpus; /* the pCPUs that wrote records so far, ascending */
    unsigned pcpus_n;
    const struct task_marks
        *marks; /* of pCPUs that have new ones, up to any tsc: each is in one batch only */
    unsigned marks_n;
    const struct cores *cores; /* pCPUs that are scheduled together (parser/decode/cores.h); NULL: none */
    bool has_runstates;        /* the trace holds runstate changes, as far as it was read */
    unsigned
        unseen_pcpus; /* that should have written by now, and did not: at least so many were not recorded */
    bool damaged;     /* bytes were passed over, or times were wrong, as far as it was read */
    unsigned
        traits; /* enum trace_trait, as far as it was read; 0 where no events are wanted that depend on them */
    bool
        first_sweep_cut; /* the trace ends in its first sweep: pCPUs that were to be read after may be missing */
    uint64_t end_tsc;    /* of the last record that the model is given, once the end was read; 0: not yet */
    uint64_t watermark; /* nothing that comes later is before this tsc; at it something may be */
    bool
        more; /* the next batch goes on with what was read by now: where this one ends follows from what is wanted */
};

/* The tsc before which the model has all that it is given. */
static inline uint64_t event_batch_settled(const struct event_batch *b)
{
    return b->end_tsc > 0 && b->end_tsc < b->watermark ? b->end_tsc : b->watermark;
}

/* Where to begin in the middle of a trace, and what is known of what comes before. */
struct trace_resume {
    struct clock clock; /* of the whole trace */
    uint64_t after_tsc; /* the model is not given events up to here: it has had them already */
    unsigned traits;    /* of the whole trace: those of old_numbers.h */
    /* What is known of I/O (parser/decode/io_filter.h), by pCPU; the caller's, until the trace is closed. NULL: none. */
    const struct io_past *pasts;
    size_t pasts_n;
};

struct trace_options {
    double cpu_hz;  /* tsc frequency, 0: measure it from the trace */
    double host_hz; /* by pairs of tsc and time that the host read, 0: none; used if the trace cannot tell */
    double host_error_ppm;          /* its standard error */
    uint64_t memory_limit;          /* bytes the parser may hold; 0: 1 GiB */
    struct event_interest interest; /* which events to deliver */
    /*
     * Read and decode ahead on a thread of its own: the same batches come. It begins with the second batch; never with a tap
     * that wants sweeps.
     * `ends_early`: reading may end before the end of the trace: then trace_quality and trace_summarise are about what was
     * delivered, not about what was read ahead. `asked_meanwhile`: trace_quality is called before the end, too.
     */
    bool ahead, ends_early, asked_meanwhile;
    bool cycles; /* times are wanted as tsc: the clock is not waited for, and may stay unknown */
    /*
     * A flag that a signal handler sets to end the input early, or NULL. The signals are to be blocked, but for the
     * time of waiting for a pipe, when `wait_mask` is in force.
     */
    const atomic_int *stop;
    const sigset_t *wait_mask;
    const struct feed *feed;     /* where the bytes come from, NULL: from the path (copied) */
    const struct trace_tap *tap; /* who wants the bytes, too, or NULL (copied) */
    const struct trace_resume
        *resume; /* the bytes begin at a sweep, of a trace with runstate changes; NULL */
};

struct trace;

/*
 * Opens PATH ("-": standard input), which may be a capture or one compressed by zstd, gzip or xz (by its content, not
 * its name). `options` is copied. Returns NULL with `err` filled when it cannot be opened, is a directory, is empty or
 * does not begin like a capture; the caller closes with trace_close. With a feed PATH only is what the summary says.
 */
struct trace *trace_open(const char *path, const struct trace_options *options, struct error *err);

/*
 * Delivers the next events in time order. Events of equal tsc keep their order on their pCPU. Nothing is delivered
 * before the clock is known. Returns 1 with a batch (perhaps an empty one whose watermark moved), 0 at the end of
 * the trace, -1 with `err` filled (read error, damaged compression, memory limit).
 */
int trace_next(struct trace *t, struct event_batch *batch, struct error *err);

/*
 * Ends reading, with or before the end of the trace: no thread reads it any more, even if it waits for a pipe. Until then of what
 * follows here only the clock and the position may be asked for, and all of it before the second batch.
 */
void trace_settle(struct trace *t);

/* Frees everything; NULL is fine. */
void trace_close(struct trace *t);

/* Valid after the first batch, and the same pointer from then on: how tsc becomes ns, and how that is known. */
const struct clock *trace_clock(const struct trace *t);

/* What has been read so far; complete at the end. The meter's fields in it are 0. */
const struct quality *trace_quality(struct trace *t);

/* What the trace is, known in full only at its end. */
struct trace_summary {
    const char *file;    /* as given; owned by the trace */
    uint64_t file_bytes; /* as stored; 0 when not known (a pipe) */
    uint64_t tsc_first;  /* of any record */
    uint64_t
        tsc_last; /* of any record; with the model's events: of the last complete sweep, if the input was cut */
    unsigned pcpus;          /* pCPUs that wrote records */
    unsigned pcpu_highest;   /* */
    bool has_runstates;      /* runstate changes were seen: the states come from them */
    const char *compression; /* "none", "zstd", "gzip", "xz", or "archive" */
    const char *read_from;   /* of an archive: "results" or "trace"; else NULL */
};
void trace_summarise(const struct trace *t, struct trace_summary *s);

/* Bytes of the stored file consumed so far and its size (0: not known): for progress. */
void trace_position(const struct trace *t, uint64_t *done, uint64_t *size);

#endif
