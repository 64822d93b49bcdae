/* Bytes as they are stored: read from a descriptor, or mapped. */
#ifndef XENMETER_PARSER_SOURCE_H
#define XENMETER_PARSER_SOURCE_H

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "parser/error.h"

struct source {
    int fd;
    bool mapped;
    bool ended;
    const uint8_t *map;
    uint64_t size;             /* of a regular file, else 0 */
    _Atomic uint64_t position; /* stored bytes delivered; another thread reads it for progress */
    uint64_t released;         /* mapped pages before this were released */
    const atomic_int *stop;
    const sigset_t *wait_mask;
    bool wakeable; /* waiting for a pipe ends, as at the end of the input, when wake_fd can be read */
    int wake_fd;
};

/* Opens PATH, "-" for standard input. 0, or -1 with `err` filled; source_close in both cases. */
int source_open(struct source *s, const char *path, struct error *err);
void source_close(struct source *s);

/*
 * Waiting for a pipe can be ended by source_wake from now on, in any thread, once and for all. False: there is no descriptor for it.
 * Call before another thread reads.
 */
bool source_make_wakeable(struct source *s);
void source_wake(const struct source *s);

/* Reads up to n bytes of a source that is not mapped; 0 at the end, or when asked to stop; -1 on error. */
ssize_t source_read(struct source *s, uint8_t *to, size_t n, struct error *err);

/*
 * Checks the size of a mapped file: reading one that was truncated raises SIGBUS. Call it before each large step. 0, or
 * -1 with `err` filled.
 */
int source_check(const struct source *s, struct error *err);

/* Moves the position of a mapped source by n bytes; pages that were read are released. */
void source_advance(struct source *s, size_t n);

/* Releases the pages of the bytes [from, to) of a mapped source; reading them again maps them again. */
void source_release(const struct source *s, uint64_t from, uint64_t to);

#endif
