/* A chunk of a trace being filled: a member of the tar file, with room for header and padding. */
#ifndef XENMETER_ARCHIVE_CHUNK_H
#define XENMETER_ARCHIVE_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zero is an empty chunk, except for `wanted`. */
struct chunk {
    size_t wanted;    /* bytes at which a chunk is cut; it may grow larger */
    uint8_t *content; /* room for a tar header, and the bytes so far */
    size_t n;         /* bytes of the trace */
    size_t capacity;  /* room for them */
};

/* The size of chunks by level: higher levels search further back for matches, and profit from longer chunks. */
size_t chunk_bytes_of(int level);

/* Appends n bytes. False: no memory. */
bool chunk_add(struct chunk *c, const uint8_t *bytes, size_t n);

/*
 * Takes the first n bytes out and begins the next chunk with the rest. Returns the content of a frame (from malloc, the
 * caller's), with TAR_BLOCK bytes of room for the header before the bytes and the padding after them. NULL: no memory.
 */
uint8_t *chunk_take(struct chunk *c, size_t n);

void chunk_free(struct chunk *c);

#endif
