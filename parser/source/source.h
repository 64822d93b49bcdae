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
    _Atomic uint64_t position; /* stored bytes handed on; progress looks at it from another thread */
    uint64_t released;         /* mapped pages before this were given back */
    const volatile sig_atomic_t *stop;
    const sigset_t *wait_mask;
    bool wakeable; /* waiting for a pipe ends when wake_fd can be read, as if the input had ended */
    int wake_fd;
};

/* Opens PATH, "-" for standard input. 0, or -1 with `err` filled; source_close in both cases. */
int source_open(struct source *s, const char *path, struct error *err);
void source_close(struct source *s);

/* Reads up to n bytes of a source that is not mapped; 0 at the end, or when told to stop; -1 on error. */
ssize_t source_read(struct source *s, uint8_t *to, size_t n, struct error *err);

/*
 * A mapped file that is cut while it is read would kill us with SIGBUS: looks at its size, to be called before each
 * large step. 0, or -1 with `err` filled.
 */
int source_check(const struct source *s, struct error *err);

/* Moves the position of a mapped source by n bytes; pages that were read are given back to the system. */
void source_advance(struct source *s, size_t n);

/* The bytes [from, to) of a mapped source were read and are not wanted soon: their pages are not to count as memory. */
void source_release(const struct source *s, uint64_t from, uint64_t to);

#endif
