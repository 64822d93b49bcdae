/* An archive, open for reading: its captures and their members. */
#ifndef XENMETER_ARCHIVE_ARCHIVE_H
#define XENMETER_ARCHIVE_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "archive/frames.h"
#include "archive/manifest.h"
#include "parser/error.h"
#include "parser/source/feed.h"

struct archive;

/*
 * Whether PATH is a regular file that begins like an archive. "-": standard input, if that is one from its beginning.
 */
bool archive_file_is(const char *path);

/*
 * Opens PATH ("-": standard input, which has to be a regular file) and reads the contents and all manifests. NULL with
 * `err` filled (offset: in the file): not an archive, never completed, or damaged there.
 */
struct archive *archive_open(const char *path, struct error *err);
void archive_close(struct archive *a);

const struct frames *archive_frames(const struct archive *a);

/* The captures, by host and time. They are the archive's. */
size_t archive_captures(const struct archive *a, const struct capture **captures);

/*
 * The bytes of a member of a capture of this archive: *bytes is valid until the next call. Checked against its digest.
 * -1 with `err` filled (offset: of its frame in the file).
 */
int archive_read(struct archive *a, const struct capture *p, const struct member *m, const uint8_t **bytes,
                 struct error *err);

/*
 * The bytes of the member whose header begins at `at` of a frame's content: which must have this path, n bytes and this
 * digest. NULL with `err` filled (offset: of the frame).
 */
const uint8_t *member_in_frame(const struct frame *frame, const uint8_t *content, size_t at, const char *path,
                               size_t n, const uint8_t digest[DIGEST_BYTES], struct error *err);

/* The member of that name, or NULL. */
const struct member *capture_member(const struct capture *p, const char *name);

/*
 * Whether capture `i` continues the timeline of the one before it: they adjoin (captures_adjoin), and their domains can be of
 * one boot.
 */
bool archive_continues(const struct archive *a, size_t i);

/* Where the timeline that begins with capture `first` ends: the capture after it. */
size_t archive_timeline_end(const struct archive *a, size_t first);

/*
 * Captures [*first, *first + *n) that make one timeline: `number` 1, 2, ... of this host (NULL: of the only host);
 * number 0: the only one, or, unless `timelines` is NULL, all of one host. *timelines: how many; *of: the first one's number.
 * -1 with `err` filled: no such timeline, or several; the message lists the timelines.
 */
int archive_timeline(const struct archive *a, const char *host, unsigned number, size_t *first, size_t *n,
                     unsigned *timelines, unsigned *of, struct error *err);

#endif
