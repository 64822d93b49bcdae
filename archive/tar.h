/*
 * The contents of an archive are a tar file (POSIX.1-1988 ustar) of regular files: a header of 512 bytes, the bytes of
 * the member, zeros up to the next multiple of 512. Headers are strict: a form that another tar may write, but ours
 * does not, is refused, so that a member has one form only.
 */
#ifndef XENMETER_ARCHIVE_TAR_H
#define XENMETER_ARCHIVE_TAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parser/error.h"

#define TAR_BLOCK    512
#define TAR_NAME_MAX 100             /* bytes of a name, with the NUL */
#define TAR_END      (2 * TAR_BLOCK) /* zeros after the last member */

/* Bytes a member of n bytes takes: header, content, padding. */
static inline size_t tar_bytes(size_t n)
{
    return TAR_BLOCK + (n + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
}

/*
 * Whether a name is valid in an archive: parts of [A-Za-z0-9._+-], separated by single '/', none of them beginning with
 * '.' or '-', shorter than TAR_NAME_MAX: nothing that leads out of a directory.
 */
bool tar_name_fine(const char *name);

/* Writes the header of a member. `name` is valid; n below 8 GiB. Mode 0644, owner 0, time 0. */
void tar_header(uint8_t header[TAR_BLOCK], const char *name, uint64_t n);

struct tar_member {
    char name[TAR_NAME_MAX];
    size_t at; /* offset of its first byte in the text */
    size_t n;  /* bytes of it */
};

/*
 * The member whose header is at `*at` of the n bytes at `tar`, wholly inside them, padding of zeros included; moves
 * `*at` past it. 1; 0 at the end, or where only zeros follow; -1 with `err` filled (offset: in the text): not a header
 * of ours, byte for byte, or not wholly there.
 */
int tar_next(const uint8_t *tar, size_t n, size_t *at, struct tar_member *member, struct error *err);

#endif
