/* Where a fuzz target puts the bytes of a capture, so that trace_open can read them. */
#ifndef XENMETER_TESTS_FUZZ_STORE_H
#define XENMETER_TESTS_FUZZ_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parser/trace.h"
#include "tests/unit/bytes_feed.h"

#define STORE_PATH 32

/* In a pipe if that is asked for and they fit into one, else in a file. Returns what to close, and a path. */
int store_capture(const uint8_t *data, size_t n, bool through_pipe, char path[STORE_PATH]);

/* The bytes of a capture: in memory, or in a file or pipe. */
struct store {
    struct bytes_feed bytes;
    int fd; /* -1: in memory */
    char path[STORE_PATH];
};

/*
 * The capture stays the caller's, and can be opened once. In memory, all at once or in pieces of `piece` bytes (not 0), unless
 * `filed`: then in a file, or, if it was to come in pieces, in a pipe. A compressed capture always is.
 */
void store_begin(struct store *s, const uint8_t *data, size_t n, size_t piece, bool filed);
void store_end(struct store *s);

/* trace_open, of the stored bytes; `options` gets the feed. */
struct trace *store_read(struct store *s, struct trace_options *options, struct error *err);

#endif
