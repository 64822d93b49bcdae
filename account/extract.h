/*
 * What an account needs of an archive, as one compressed text, a hundredth of the archive: written once, read as often as need be, and
 * kept in an index (index.h) for the next account.
 */
#ifndef XENMETER_ACCOUNT_EXTRACT_H
#define XENMETER_ACCOUNT_EXTRACT_H

#include "account/recorded.h"
#include "parser/error.h"

/* A capture, and where its lines are in the text. */
struct extract_capture {
    struct recorded recorded;
    uint64_t lives_bytes, whole_bytes; /* of struct recorded_rows */
    uint64_t lives_at;                 /* in the text; the lines of the whole follow */
};

/* All captures of an archive; all zero is none. */
struct extract {
    struct extract_capture *captures;
    size_t n;
    char *text; /* decompressed */
    size_t text_n;
};
void extract_free(struct extract *e);

/* Reads all captures of an archive, and appends the frame to *frame. -1 with `err` filled: damaged. */
int extract_make(const char *path, const struct host_facts *given, struct extract *e, struct buffer *frame,
                 struct error *err);

/* Reads a frame, which may be hostile. -1 with `err` filled. */
int extract_read(const void *frame, size_t n, struct extract *e, struct error *err);

/* Only decompresses it: *text from malloc, the caller's. -1 with `err` filled. */
int extract_text(const void *frame, size_t n, char **text, size_t *text_n, struct error *err);

#endif
