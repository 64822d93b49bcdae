/*
 * Writes the members of one capture, and notes each of them in the capture's description. Small members share frames: they lie in
 * the file in the order in which they were added.
 *
 *     member_writer_add, member_writer_add_large, member_writer_flush ... -> member_writer_finish
 *
 * The first failure is kept, and everything fails from then on.
 */
#ifndef XENMETER_ARCHIVE_MEMBER_WRITER_H
#define XENMETER_ARCHIVE_MEMBER_WRITER_H

#include "archive/frames.h"
#include "archive/manifest.h"
#include "archive/summary.h"
#include "formats/buffer.h"

/* All zero but for `frames`, and the capture's host and id, is a new one. */
struct member_writer {
    struct frame_writer *frames; /* outlives the writer */
    struct capture capture;      /* what was written so far: members, and how many frames; the writer's */
    struct buffer small;         /* the frame of small members that is being put together */
    bool failed;                 /* because of `why` */
    struct error why;
};
void member_writer_free(struct member_writer *w);

/* It fails from now on: there is no memory, unless it has failed before. Returns -1. */
int member_writer_no_memory(struct member_writer *w);

/* 0, or -1 with `err` filled if anything has failed. */
int member_writer_status(const struct member_writer *w, struct error *err);

/*
 * Adds a member of n bytes to the open frame. The description of the member is the capture's, valid until the next one; the caller
 * fills from, to and tsc. NULL: it failed.
 */
struct member *member_writer_add(struct member_writer *w, const char *name, const void *bytes, size_t n);

/*
 * The same in a frame of its own: `content` has TAR_BLOCK bytes of room and then the n bytes, and is taken, in failure too. What is in
 * the open frame is written before.
 */
struct member *member_writer_add_large(struct member_writer *w, const char *name, struct buffer *content,
                                       size_t n);

/* Writes the open frame. 0 or -1. */
int member_writer_flush(struct member_writer *w);

/* What the manifest says of the whole, from the summary. */
void member_writer_describe(struct member_writer *w, const struct summary *s, uint64_t trace_bytes);

/*
 * All other members were added: writes summary.json and manifest.json, which describes the capture by this summary. `capture` gets
 * what the archive's contents have to say of it (capture_free). -1 with `err` filled.
 */
int member_writer_finish(struct member_writer *w, const struct summary *s, uint64_t trace_bytes,
                         struct capture *capture, struct error *err);

/*
 * All members are there, the summary, too, and the description is complete: writes manifest.json. Else as member_writer_finish.
 */
int member_writer_manifest(struct member_writer *w, struct capture *capture, struct error *err);

#endif
