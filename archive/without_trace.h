/* Rewrites an archive without the trace that it keeps: its results and all other members stay as they are, byte for byte. */
#ifndef XENMETER_ARCHIVE_WITHOUT_TRACE_H
#define XENMETER_ARCHIVE_WITHOUT_TRACE_H

#include <stddef.h>
#include <stdint.h>

#include "parser/error.h"

/* Asked before each write of n bytes: -1 with `err` filled ends the work. */
struct write_limit {
    void *context;
    int (*room)(void *context, size_t n, struct error *err);
};

/*
 * Replaces the archive at PATH by one without traces and snapshots. It is written beside it under a temporary name
 * (formats/output.h), verified as a whole, synced and renamed, so that there is a whole archive at PATH at any time. Other frames are copied as
 * they are stored. *freed: by how many bytes it is smaller; 0: it kept no trace, and nothing was done.
 * 0; -1 with `err` filled: the archive is damaged or cannot be written; PATH is as it was. `limit` NULL: there is none.
 */
int archive_drop_trace(const char *path, const struct write_limit *limit, uint64_t *freed, struct error *err);

#endif
