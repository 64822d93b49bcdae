/* Every member of an archive, in the order of the file, without its manifests: also of one that is damaged or unfinished. */
#ifndef XENMETER_ARCHIVE_WALK_H
#define XENMETER_ARCHIVE_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parser/error.h"

struct walk_visitor {
    void *context;
    /* One whole member: its path in the tar file. Non-zero ends the walk. */
    int (*member)(void *context, const char *path, const uint8_t *bytes, size_t n);
    /* A frame, or the file from `offset` on, cannot be used. Non-zero ends the walk. May be NULL: any ends it. */
    int (*damage)(void *context, const struct error *why);
};

/*
 * Walks through the file at PATH. 0 at the end; what a visitor returned, if not 0; -1 with `err` filled: it cannot be read,
 * is no archive, or is damaged and there is no `damage`.
 */
int walk_archive(const char *path, const struct walk_visitor *visitor, struct error *err);

#endif
