/*
 * Writes one capture: the trace in chunks as its bytes go by, results as a meter hands them out, and at the end what is known
 * of the whole. Memory is bounded by the chunks on their way and a few MiB of results.
 */
#ifndef XENMETER_ARCHIVE_CAPTURE_WRITER_H
#define XENMETER_ARCHIVE_CAPTURE_WRITER_H

#include "archive/frames.h"
#include "archive/manifest.h"
#include "archive/results.h"
#include "archive/summary.h"
#include "metrics/consumer.h"
#include "parser/source/feed.h"

struct capture_writer;

struct capture_writer_options {
    const char *host;   /* a fine label */
    const char *source; /* the file's name */
    const char *tool;   /* outlives what is written */
    bool with_trace;
    int level;               /* of compression: decides how large a chunk is */
    struct summary *summary; /* the caller's: gets the domains; complete before capture_writer_finish */
    const struct capture_options *options;
    /*
     * The capture is this part of a recording, which the results count from: no snapshots, which would count from the recording's
     * beginning. The caller's, complete before the first results come. NULL: it is a whole trace.
     */
    const struct part_place *part;
    uint64_t part_tsc; /* where it begins, if that is not known in ns before the pass has a clock; else 0 */
    bool goes_on;      /* see struct capture */
    const char *identity; /* the id is made of this text; NULL: of the beginning of the trace */
    /* Gets the rows of each interval, too, as meter_sink.interval; what it returns does not count. NULL: nobody does. */
    void (*watch)(void *context, const struct interval *interval, const struct row *rows, size_t n);
    void *context;
};

/* Frames go to `frames`, which outlives it. NULL: no memory. */
struct capture_writer *capture_writer_new(struct frame_writer *frames,
                                          const struct capture_writer_options *options);
void capture_writer_free(struct capture_writer *w);

/* To be given to the trace: it is to tell its bytes. */
struct trace_tap capture_writer_tap(struct capture_writer *w);

/*
 * What it wants of the pass over the trace. A failure ends the pass; capture_writer_failed returns why. Points into the
 * writer.
 */
struct consumer capture_writer_consumer(struct capture_writer *w);

/* A further consumer, if the trace is stored and no part of a recording: it makes the snapshots with which the trace can be begun in its middle. */
struct consumer capture_writer_snapshots(struct capture_writer *w);

/* A further member of its own: "names.txt" and the like. -1 with `err` filled. */
int capture_writer_add(struct capture_writer *w, const char *name, const void *bytes, size_t n,
                       struct error *err);

/*
 * What there is by now is written (of the trace: its whole sweeps), with all that is needed to make an archive of it should no more
 * come: the manifest and the summary as they are now (record/salvage.h). -1 with `err` filled.
 */
int capture_writer_checkpoint(struct capture_writer *w, struct error *err);

/*
 * The trace has ended: writes all that is left, the summary and the manifest. `capture` gets what the archive's contents
 * are to say of it (capture_free). -1 with `err` filled.
 */
int capture_writer_finish(struct capture_writer *w, struct capture *capture, struct error *err);

/* Why a sink or the tap failed; NULL: it did not. */
const struct error *capture_writer_failed(const struct capture_writer *w);

#endif
