/*
 * Writes one piece: the trace in chunks as its bytes go by, results as a meter hands them out, and at the end what is known
 * of the whole. Memory is bounded by the chunks on their way and a few MiB of results.
 */
#ifndef XENMETER_ARCHIVE_PIECE_WRITER_H
#define XENMETER_ARCHIVE_PIECE_WRITER_H

#include "archive/frames.h"
#include "archive/manifest.h"
#include "parser/trace.h"
#include "archive/summary.h"

struct piece_writer;

struct piece_writer_options {
    const char *host;   /* a fine label */
    const char *source; /* the file's name */
    const char *tool;
    bool with_trace;
    int level; /* of compression: decides how large a chunk is */
    const struct piece_options *options;
};

/* Frames go to `frames`, which outlives it. NULL: no memory. */
struct piece_writer *piece_writer_new(struct frame_writer *frames,
                                      const struct piece_writer_options *options);
void piece_writer_free(struct piece_writer *w);

/* To be given to the trace: it is to tell its bytes. */
struct trace_tap piece_writer_tap(struct piece_writer *w);

/* What the trace delivered, before or after the meters were fed with it. -1 with `err` filled. */
int piece_writer_take(struct piece_writer *w, const struct event_batch *batch, const struct clock *clock,
                      struct error *err);

/*
 * Where the meter of rows by `by` hands out. A failure ends the meter's work; piece_writer_failed tells why.
 * The first of the piece's meters tells of executions and charges, too.
 */
struct meter_sink piece_writer_sink(struct piece_writer *w, enum by by);

/* A further member of its own: "names.txt" and the like. -1 with `err` filled. */
int piece_writer_add(struct piece_writer *w, const char *name, const void *bytes, size_t n,
                     struct error *err);

/*
 * The trace has ended: writes all that is left, the summary and the manifest. `piece` gets what the archive's contents
 * are to say of it (piece_free). -1 with `err` filled.
 */
int piece_writer_finish(struct piece_writer *w, const struct summary *summary, struct piece *piece,
                        struct error *err);

/* Why a sink or the tap failed; NULL: it did not. */
const struct error *piece_writer_failed(const struct piece_writer *w);

#endif
