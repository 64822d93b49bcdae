/* The bytes of a trace on their way into a chunk, laid out as the member of a tar file that it will be. */
#ifndef XENMETER_ARCHIVE_CHUNK_H
#define XENMETER_ARCHIVE_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zero is an empty one, but for `wanted`. */
struct chunk {
    size_t wanted;    /* bytes a chunk is to have; it may grow beyond */
    uint8_t *content; /* room for a tar header, and the bytes so far */
    size_t n;         /* bytes of the trace */
    size_t capacity;  /* room for them */
};

/* Archives of higher levels look further back for the same: their chunks are longer. */
size_t chunk_bytes_of(int level);

/* Appends n bytes. False: no memory. */
bool chunk_add(struct chunk *c, const uint8_t *bytes, size_t n);

/*
 * Takes the first n bytes out, the rest begins the next chunk: the content of a frame (from malloc, the caller's), with
 * TAR_BLOCK bytes of room for the header in front and the padding behind. NULL: no memory.
 */
uint8_t *chunk_take(struct chunk *c, size_t n);

void chunk_free(struct chunk *c);

#endif
