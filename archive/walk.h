/* Every member of an archive, in the order of the file, without manifests; the archive may be damaged or unfinished. */
#ifndef XENMETER_ARCHIVE_WALK_H
#define XENMETER_ARCHIVE_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "archive/frames.h"
#include "parser/error.h"
#include "parser/source/source.h"

/* The frames of a file, which may be damaged or unfinished. */
struct walk {
    struct source source;
    struct frames frames;
    struct frame_reader reader;
    bool
        by_table; /* the list of frames comes from the seek table; else by walking them, up to the first that is not whole, */
    struct error why; /* because of this */
};

/* 0, or -1 with `err` filled: the file cannot be read, or is no archive. walk_close in both cases. */
int walk_open(struct walk *w, const char *path, struct error *err);
void walk_close(struct walk *w);

struct walk_visitor {
    void *context;
    /* One whole member: its path in the tar file. Non-zero ends the walk. */
    int (*member)(void *context, const char *path, const uint8_t *bytes, size_t n);
    /* A frame, or the file from `offset` on, is damaged. Non-zero ends the walk. NULL: any damage ends the walk. */
    int (*damage)(void *context, const struct error *why);
};

/*
 * Walks through the file at PATH. 0 at the end; the value of a visitor, if not 0; -1 with `err` filled: the file cannot
 * be read, is no archive, or is damaged and `damage` is NULL.
 */
int walk_archive(const char *path, const struct walk_visitor *visitor, struct error *err);

#endif
