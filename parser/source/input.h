/*
 * Bytes in: a mapped file, a pipe, or either of them compressed (codec.h), as one sequence of bytes in a sliding
 * view.
 */
#ifndef XENMETER_PARSER_INPUT_H
#define XENMETER_PARSER_INPUT_H

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parser/error.h"
#include "feed.h"

struct input;

/*
 * Opens PATH, "-" for standard input. The first bytes decide the kind. NULL with `err` filled when it cannot be opened,
 * is a directory, is empty, or is compressed by what this program was built without.
 */
struct input *input_open(const char *path, struct error *err);

/* Opens the bytes of a feed (copied). */
struct input *input_open_feed(const struct feed *feed, struct error *err);

/* Passes all bytes to the tap (copied) as they are consumed. If the tap fails, the next input_view fails. */
void input_tap(struct input *in, const struct trace_tap *tap);

/* Ends the input when `*stop` becomes non-zero while input_view waits for a pipe under `wait_mask`. */
void input_stop_on(struct input *in, const atomic_int *stop, const sigset_t *wait_mask);

/*
 * Another thread will read from now on: input_wake ends the waiting for a pipe in it, and the input with that. False: no descriptor.
 */
bool input_make_wakeable(struct input *in);
void input_wake(const struct input *in);

void input_close(struct input *in);

struct view {
    const uint8_t *data; /* the bytes at the current position; valid until the next input_view */
    size_t n;            /* their number */
    uint64_t offset;     /* of data[0] in the decompressed input */
    bool end;            /* the input ends after these n bytes */
};

/*
 * Shows the bytes from the current position on: at least `need` of them unless the input ends before. Waits for a
 * pipe only while fewer than `need` are there. Returns 0, or -1 with `err` filled: read error, damaged compression,
 * no memory.
 */
int input_view(struct input *in, size_t need, struct view *view, struct error *err);

/* Moves the position forward by n bytes of the current view. */
void input_consume(struct input *in, size_t n);

/* Stored bytes consumed so far, and the stored size (0: not known). */
void input_position(const struct input *in, uint64_t *done, uint64_t *size);

/* "none", a codec's name ("zstd", "gzip", "xz"), or the feed's. */
const char *input_compression(const struct input *in);

/*
 * For an input that does not begin like a capture, before anything of it is consumed: -1 with `err` saying what else it is
 * (content.h), or why it cannot be read; 0: nothing that is known.
 */
int input_check_content(struct input *in, struct error *err);

/* Whether the compressed data ended in the middle of a member. */
bool input_cut_short(const struct input *in);

#endif
