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
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parser/order/clock.h"
#include "error.h"
#include "parser/decode/event_table.h"
#include "parser/source/feed.h"
#include "quality.h"

#define PCPUS_MAX 4095 /* pCPU numbers 0..4094; larger ones are damage */

/* One record that somebody asked for. Payloads are at most 4 words for every event the meter uses. */
struct event {
    uint64_t tsc;    /* cycles; never below that of an earlier event of the stream */
    uint32_t header; /* as in the file: event number, payload words, tsc flag */
    uint16_t pcpu;   /* */
    uint16_t slot;   /* enum event_slot */
    uint32_t w[4];   /* the first four payload words; words beyond the record's own are not defined, but: */
    /* RUNSTATE_CHANGE to running: w[1] = slice granted in ns (from the SWITCH_INFNEXT before it), */
    /* UINT32_MAX when unlimited or not recorded. WAKE: w[2] = 1 if an event-channel send woke it (want_io) */
};

static inline uint32_t event_number(const struct event *e)
{
    return e->header & 0x0fffffff;
}

static inline unsigned event_words(const struct event *e)
{
    return (e->header >> 28) & 7;
}

struct event_batch {
    const struct event *events; /* valid until the next call */
    size_t n;
    const uint16_t *pcpus; /* the pCPUs that wrote records so far, ascending */
    unsigned pcpus_n;
    bool has_runstates; /* the trace holds runstate changes, as far as it was read */
    unsigned traits;    /* verbatim: enum trace_trait, as far as it was read */
    uint64_t end_tsc;   /* of the trace's last record, once its end was read; 0: not yet */
    uint64_t watermark; /* tsc up to which everything has arrived: no later event lies below it */
};

/* Not a record of the trace: where the blind time begins that a LOST_RECORDS event ends. w[2], w[3]: its true tsc. */
#define EVENT_BLIND_BEGIN EVENT_SLOTS

/*
 * Nor are these, which only come with `verbatim`. EVENT_CURRENT: who is current on the pCPU from now on, w[0] = dom << 16 |
 * vcpu, or CURRENT_UNKNOWN as at the beginning. EVENT_MORE, always right behind a record of more than four words: the rest.
 */
#define EVENT_CURRENT   (EVENT_SLOTS + 1)
#define EVENT_MORE      (EVENT_SLOTS + 2)
#define CURRENT_UNKNOWN 0xffffffffu

/* Where to begin in the middle of a trace, and what is known of what comes before. */
struct trace_resume {
    struct clock clock; /* of the whole trace */
    uint64_t after_tsc; /* events up to here are not delivered: others have told of them */
};

struct trace_options {
    double cpu_hz;                            /* tsc frequency, 0: measure it from the trace */
    uint64_t memory_limit;                    /* bytes the parser may hold; 0: 1 GiB */
    bool want[EVENT_SLOTS];                   /* which events to deliver */
    bool want_without_runstates[EVENT_SLOTS]; /* further ones, for a trace that holds no runstate changes */
    bool want_io; /* and what tells of I/O between domains: see io_filter_passes (parser/io_filter.h) */
    /*
     * Deliver the wanted records as they stand: with their own times (a record without a tsc has that of the one before
     * on its pCPU; CPU_CHANGE comes with the first record of its window), with all their words (EVENT_MORE), and with who
     * was current (EVENT_CURRENT). No EVENT_BLIND_BEGIN, no want_io. Every record that trace_quality counts is one that
     * can be wanted: slot EVENT_UNRECOGNISED, too.
     */
    bool raw;
    const uint8_t *pcpus; /* verbatim: only of these, a byte for each of PCPUS_MAX; NULL: all. The caller's */
    bool cycles;          /* times are wanted as tsc: the clock is not waited for, and may stay unknown */
    /*
     * A flag that a signal handler sets to end the input early, or NULL. The signals are to be blocked, but for the
     * time of waiting for a pipe, when `wait_mask` is in force.
     */
    const volatile sig_atomic_t *stop;
    const sigset_t *wait_mask;
    const struct feed *feed;     /* where the bytes come from, NULL: from the path (copied) */
    const struct trace_tap *tap; /* who wants the bytes, too, or NULL (copied) */
    const struct trace_resume
        *resume; /* the bytes begin at a sweep, of a trace with runstate changes; NULL */
};

struct trace;

/*
 * Opens PATH ("-": standard input), which may be a capture or one compressed by zstd (told by content, not by
 * name). `options` is copied. Returns NULL with `err` filled when it cannot be opened, is a directory, is empty or
 * does not begin like a capture; the caller closes with trace_close. With a feed PATH only is what the summary says.
 */
struct trace *trace_open(const char *path, const struct trace_options *options, struct error *err);

/*
 * Delivers the next events in time order. Events of equal tsc keep their order on their pCPU. Nothing is delivered
 * before the clock is known. Returns 1 with a batch (perhaps an empty one whose watermark moved), 0 at the end of
 * the trace, -1 with `err` filled (read error, damaged compression, memory limit).
 */
int trace_next(struct trace *t, struct event_batch *batch, struct error *err);

/* Frees everything; NULL is fine. */
void trace_close(struct trace *t);

/* Valid after the first batch: how tsc becomes ns, and how that is known. */
const struct clock *trace_clock(const struct trace *t);

/* What has been read so far; complete at the end. The meter's fields in it are 0. */
const struct quality *trace_quality(struct trace *t);

/* What the trace is, known in full only at its end. */
struct trace_summary {
    const char *file;        /* as given; owned by the trace */
    uint64_t file_bytes;     /* as stored; 0 when not known (a pipe) */
    uint64_t tsc_first;      /* of any record */
    uint64_t tsc_last;       /* of any record */
    unsigned pcpus;          /* pCPUs that wrote records */
    unsigned pcpu_highest;   /* */
    bool has_runstates;      /* runstate changes were seen: the states come from them */
    const char *compression; /* "none", "zstd", or "archive" */
    const char *read_from;   /* of an archive: "results" or "trace"; else NULL */
};
void trace_summarise(const struct trace *t, struct trace_summary *s);

/* Bytes of the stored file consumed so far and its size (0: not known): for progress. */
void trace_position(const struct trace *t, uint64_t *done, uint64_t *size);

#endif
