/* Bytes of a trace that come from elsewhere than a file or a pipe: from an archive. */
#ifndef XENMETER_PARSER_FEED_H
#define XENMETER_PARSER_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parser/error.h"

struct feed {
    void *context;
    /* The next bytes: 1 with `*bytes`, `*n` (> 0), valid until the next call; 0 at the end; -1 with `err` filled. */
    int (*next)(void *context, const uint8_t **bytes, size_t *n, struct error *err);
    /* Stored bytes handed on so far, and how many there are: for progress. */
    void (*position)(void *context, uint64_t *done, uint64_t *size);
    const char *compression; /* what trace_summary is to say */
};

/* Somebody who wants the bytes of a trace as they go by, and where it can be cut. */
struct trace_tap {
    void *context;
    /* Every byte of the (decompressed) trace, in order. -1 with `err` filled ends the work. */
    int (*bytes)(void *context, const uint8_t *bytes, size_t n, struct error *err);
    /*
     * A sweep begins with the byte at `offset`, of the last 12 that were told. No record before has a time beyond
     * `tsc`. `whole`: nothing before was damaged, and no record there decides what becomes of one behind: who reads from
     * here on gets, of the events after `tsc`, the very same.
     */
    void (*sweep)(void *context, uint64_t offset, uint64_t tsc, bool whole);
};

#endif
