/* The face of a source of trace bytes other than a file or a pipe: an archive. */
#ifndef XENMETER_PARSER_FEED_H
#define XENMETER_PARSER_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parser/error.h"

struct io_past;

struct feed {
    void *context;
    /* The next bytes: 1 with `*bytes`, `*n` (> 0), valid until the next call; 0 at the end; -1 with `err` filled. */
    int (*next)(void *context, const uint8_t **bytes, size_t *n, struct error *err);
    /* Stored bytes delivered so far, and their total: for progress. */
    void (*position)(void *context, uint64_t *done, uint64_t *size);
    const char *compression; /* for trace_summary.compression */
};

/* A listener to the bytes of a trace, and to the places where the trace can be cut. */
struct trace_tap {
    void *context;
    /* Every byte of the (decompressed) trace, in order. -1 with `err` filled ends the work. */
    int (*bytes)(void *context, const uint8_t *bytes, size_t n, struct error *err);
    /*
     * NULL, or: a sweep begins at `offset`, which is among the last 12 bytes delivered. No record before it is later than `tsc`.
     * `whole`: nothing before is damaged, and no earlier record changes the meaning of a later one: reading from here
     * gives the same events after `tsc`, those of I/O with the n pasts of the pCPUs (parser/decode/io_filter.h), which
     * are valid during the call; there are none if nobody wants I/O.
     */
    void (*sweep)(void *context, uint64_t offset, uint64_t tsc, bool whole, const struct io_past *pasts,
                  size_t n);
};

#endif
