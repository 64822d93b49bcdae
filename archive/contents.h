/*
 * An archive's table of contents: its captures, ordered by host, beginning and id, with the place of each. It is the
 * last member, in a frame with the end of the tar file. Captures of one host that adjoin make a timeline.
 */
#ifndef XENMETER_ARCHIVE_CONTENTS_H
#define XENMETER_ARCHIVE_CONTENTS_H

#include "archive/frames.h"
#include "archive/manifest.h"

#define CONTENTS_NAME   "contents.json"
#define CONTENTS_SCHEMA "xenmeter.contents/2"

/*
 * Two captures adjoin if no more than this lies between the end of one and the beginning of the next, or overlaps:
 * parts of one capture overlap by the time between two readings of a pCPU's ring, and nothing lies between them.
 */
#define ADJOINING_GAP_NS     10000000u
#define ADJOINING_OVERLAP_NS 1000000000u

/* The order of captures in an archive: <0, 0, >0. */
int contents_compare(const struct capture *a, const struct capture *b);

/* The captures by their places in the file: n pointers and NULL, from malloc. NULL: no memory. */
const struct capture **contents_by_place(const struct capture *captures, size_t n);

/* The whole last frame, into an empty buffer: the member and the end of the tar file. b->failed: no memory. */
void contents_put_frame(struct buffer *b, const struct capture *captures, size_t n);

/* Writes that frame. -1 with `err` filled. */
int contents_write(struct frame_writer *w, const struct capture *captures, size_t n, struct error *err);

/*
 * Reads the text of contents.json: captures in their order, each apart from the others, inside the archive's `frames`
 * frames (the magic is 0; the last one is that of the contents). They have their place, host, id and tsc_first, and nothing
 * else yet. *captures is from malloc. -1 with `err` filled.
 */
int contents_read(const char *text, size_t n, size_t frames, struct capture **captures, size_t *captures_n,
                  struct error *err);

/* How long capture `b` overlaps the capture `a` before it, ns; 0: not at all. */
uint64_t captures_overlap_ns(const struct capture *a, const struct capture *b);

/* Whether capture `b`, next after `a` in the order, continues the timeline of `a`. */
bool captures_adjoin(const struct capture *a, const struct capture *b);

#endif
