/*
 * The trace that an archive holds, chunk after chunk: threads decompress ahead while the caller decodes. The chunks of
 * the captures of one timeline follow each other as if it had been one trace.
 */
#ifndef XENMETER_ARCHIVE_TRACE_FEED_H
#define XENMETER_ARCHIVE_TRACE_FEED_H

#include "archive/archive.h"

struct trace_feed;

/*
 * Feeds the chunks of captures [0, n), whose traces are kept; of the first capture from chunk number `chunk` on.
 * `threads` 1..64. NULL with `err` filled. The archive is the caller's and outlives it.
 */
struct trace_feed *trace_feed_new(const struct archive *a, const struct capture *captures, size_t n,
                                  uint32_t chunk, unsigned threads, struct error *err);
void trace_feed_free(struct trace_feed *f);

/*
 * For trace_options.feed. Every chunk is checked against its digest; a damaged one is an error (offset: in the file).
 */
struct feed trace_feed_of(struct trace_feed *f);

#endif
