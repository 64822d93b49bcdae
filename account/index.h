/*
 * An index of a folder's archives: FOLDER/.xenmeter-account holds the extract of each, so that the next account need not read them again.
 *
 *     "xenmeter.index/1\n", then for each archive
 *     a line of JSON: the archive's name, size, time of change, the hash of its end; the size and the hash of the frame
 *     the frame (extract.h)
 *
 * An archive's end has its checksums: of every frame, and by its contents of every member. An entry is used only if
 * the archive still has this name, size, time and end, and the frame its hash. If an index is wrong in any way, or cannot be written,
 * the archives are read instead.
 */
#ifndef XENMETER_ACCOUNT_INDEX_H
#define XENMETER_ACCOUNT_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "archive/manifest.h"
#include "parser/error.h"

#define INDEX_NAME ".xenmeter-account"

/* What tells whether an archive is still the one that was read. */
struct index_key {
    char name[256]; /* in its folder */
    uint64_t bytes, mtime_ns;
    uint8_t end[DIGEST_BYTES]; /* of its last bytes */
};

/* False: it cannot be read, or its name is too long. */
bool index_key_of(const char *path, struct index_key *key);

struct index_entry {
    struct index_key key;
    const uint8_t *frame;
    uint64_t frame_bytes;
    uint8_t frame_digest[DIGEST_BYTES];
};

/* What an index holds; all zero is nothing. */
struct index {
    uint8_t *bytes;
    struct index_entry *entries;
    size_t n;
};

/* Reads the index of that folder, as far as it is whole; nothing if there is none. */
void index_load(struct index *x, const char *folder);
void index_free(struct index *x);

/* The entry that is still right, checked; NULL: there is none. */
const struct index_entry *index_find(const struct index *x, const struct index_key *key);

/* Frames of a new index, as they are read. */
struct index_source {
    void *context;
    bool (*frame)(void *context, size_t i, uint8_t *to, size_t n);
};

/* Writes the index of a folder, whole or not at all; entry i has its key and the size of its frame. False: it cannot be written. */
bool index_write(const char *folder, struct index_entry *entries, size_t n,
                 const struct index_source *source);

#endif
