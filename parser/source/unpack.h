/*
 * Decompression on a thread of its own, which reads and decompresses ahead while the caller decodes. The result does
 * not depend on how the two run.
 */
#ifndef XENMETER_PARSER_UNPACK_H
#define XENMETER_PARSER_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec.h"
#include "parser/error.h"
#include "source.h"

struct unpacker;

/*
 * Begins to decompress `source` by a codec that has `open`, from its current position on. The `first_n` bytes at
 * `first` (copied; 0 of a mapped
 * source) were read from it already and come first. The source belongs to the thread until unpack_end. NULL with `err`
 * filled: no memory, or no thread.
 */
struct unpacker *unpack_begin(const struct codec *codec, struct source *source, const uint8_t *first,
                              size_t first_n, struct error *err);

/* Ends the thread, even if it waits for a pipe, and frees everything. NULL is allowed. */
void unpack_end(struct unpacker *u);

/*
 * Waits for the next bytes: 1 with `*bytes`, `*n` (> 0), valid until the next call; 0 at the end; -1 with `err` filled:
 * read error, damaged compression (at the offset after decompression).
 */
int unpack_next(struct unpacker *u, const uint8_t **bytes, size_t *n, struct error *err);

/* After unpack_next has returned 0: whether the compressed data ended in the middle of a member. */
bool unpack_cut_short(const struct unpacker *u);

#endif
