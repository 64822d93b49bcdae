/* An archive taken apart into its members and put together again: whole and right, whatever is in the members. */
#ifndef XENMETER_TESTS_FUZZ_REPACK_H
#define XENMETER_TESTS_FUZZ_REPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "archive/tar.h"
#include "formats/buffer.h"

#define REPACK_MEMBERS 256 /* more are left out */

struct loose_member {
    char path[TAR_NAME_MAX]; /* in the tar file; any name fits that is shorter */
    struct buffer bytes;
};

/* Members in the order of the file: those of each piece, its manifest.json behind them; contents.json at the end. */
struct loose {
    struct loose_member members[REPACK_MEMBERS];
    size_t n;
};

/* What is whole of the archive at PATH. False: it is no archive. loose_free in both cases. */
bool loose_read(struct loose *l, const char *path);
void loose_free(struct loose *l);

/* The number of the member whose path ends with this; l->n: there is none. */
size_t loose_find(const struct loose *l, const char *ending);

void loose_replace(struct loose *l, size_t member, const void *bytes, size_t n);

/*
 * Manifests and contents tell of the members what is so: sizes, digests, and that each has a frame of its own. What cannot be
 * understood of them stays as it is; so does member number `but` (l->n: none).
 */
void loose_repair(struct loose *l, size_t but);

/* Appends the archive: each member in a frame of its own, with seal and seek table. False: it cannot be. */
bool loose_pack(const struct loose *l, struct buffer *file);

#endif
