/*
 * Where results go: standard output, or a file that appears whole or not at all; compressed if its name ends
 * in ".zst".
 *
 * A file is written beside its destination under a temporary name, and output_commit makes it durable (fsync)
 * and renames it; a file that was there keeps its permissions. A destination that exists and is not a regular
 * file (/dev/null, a FIFO) is written in place. The process ignores SIGPIPE, so that a closed pipe is an
 * error here.
 */
#ifndef XENMETER_FORMATS_OUTPUT_H
#define XENMETER_FORMATS_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "parser/error.h"

struct output;

#define OUTPUTS_MAX 64 /* files written at one time */

/* PATH NULL or "-": standard output. NULL with `err` filled when it cannot be created. */
struct output *output_open(const char *path, struct error *err);

/*
 * The same for an output that is useful even if it is never completed. The file is written as PATH.partial, which must
 * not exist, and is kept if the work fails or the process dies, but not if a signal ends it. Never compressed.
 */
struct output *output_open_partial(const char *path, struct error *err);

/* Keeps no incomplete file if the work fails: its content so far is useless. */
void output_discard_partial(struct output *o);

/* The name of the incomplete file that is kept if the work fails now; NULL: none. */
const char *output_partial(const struct output *o);

/*
 * Appends bytes (buffered). Returns 0, or -1 once anything went wrong; the first failure is kept and reported
 * by output_commit, so callers may ignore it until then.
 */
int output_write(struct output *o, const void *bytes, size_t n);
int output_printf(struct output *o, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Makes the output fail with the caller's error (copied), unless it has failed before. Returns -1. */
int output_fail(struct output *o, const struct error *why);

/* The error with which it failed; NULL: it has not failed. */
const struct error *output_failure(const struct output *o);

/* Flushes all bytes so far to the reader (ends a zstd block). 0 or -1. */
int output_flush(struct output *o);

/* As output_flush; then waits until a disk has the bytes (fdatasync), where that is a file. 0 or -1. */
int output_sync(struct output *o);

/* Whether a write has failed because the reader closed its pipe (EPIPE): the caller then ends quietly. */
bool output_reader_gone(const struct output *o);

/*
 * The file that output_commit will put in place, for a library that writes files of its own: it is empty, and all that is
 * written to it is its content, without output_write. NULL: there is none, as the output is written in place or compressed.
 */
const char *output_file(const struct output *o);

/* Whether this goes to a terminal. */
bool output_is_terminal(const struct output *o);

/*
 * For output to a terminal of that many lines and columns: as soon as it is longer than the screen, `begin` is called once
 * and returns the descriptor to which all of it goes instead, the caller's; -1: it stays where it is. Until then it is
 * held back, whatever output_flush is asked for.
 */
void output_page(struct output *o, unsigned lines, unsigned columns, int (*begin)(void));

/* Completes the output and frees `o`. 0, or -1 with `err` filled and nothing left at the destination. */
int output_commit(struct output *o, struct error *err);

/* Removes what was written to a file and frees `o`; NULL is fine. Safe after a failure. */
void output_abort(struct output *o);

/* Makes the names in the folder of this file survive a crash of the machine: call after a rename or removal. */
void output_sync_folder(const char *path);

/* Writes all of it, whatever interrupts. 0, or -1 with `errno` set. */
int output_write_fd(int fd, const void *bytes, size_t n);

/*
 * For signal handlers: removes the temporary files of all open outputs, using only async-signal-safe calls.
 */
void output_remove_temporaries(void);

#endif
