/*
 * Reads a line of results in the one form in which the writer writes it: members in the order of the tables, no spaces,
 * one form for each number. A general JSON parser takes thirty times as long, and builds a tree many times the size of
 * the text.
 */
#ifndef XENMETER_ARCHIVE_LINE_H
#define XENMETER_ARCHIVE_LINE_H

#include <string.h>

#include "fields.h"

struct line {
    const char *at, *end; /* the rest of the line; `end` points to its newline */
    char before;          /* the byte before the next member: '{' before an object's first, else ',' */
    const char *wrong;    /* the first error, in words; NULL: none so far */
};

/* Notes an error, if it is the first. */
void line_wrong(struct line *l, const char *what);

/* Whether these n bytes come next; skips them if so. Inline, so that the compiler knows n: the hot path. */
static inline bool line_has(struct line *l, const char *text, size_t n)
{
    if ((size_t)(l->end - l->at) < n || memcmp(l->at, text, n) != 0)
        return false;
    l->at += n;
    return true;
}
#define LINE_HAS(l, literal) line_has(l, literal, sizeof(literal) - 1)

/* The same for a member's key, given as `,"key":`. */
static inline bool line_has_key(struct line *l, const char *text, size_t n)
{
    if ((size_t)(l->end - l->at) < n || *l->at != l->before || l->at[2] != text[2] ||
        memcmp(l->at + 1, text + 1, n - 1) != 0)
        return false;
    l->at += n;
    l->before = ',';
    return true;
}
#define LINE_HAS_KEY(l, key) line_has_key(l, ",\"" key "\":", sizeof(",\"" key "\":") - 1)

/* An object begins or ends here, or a line, whose two objects do. */
void line_open(struct line *l);
void line_close(struct line *l);
void line_finish(struct line *l);

/* Reads a number; 0 on error. */
uint64_t line_u64(struct line *l);

/* Reads the fields of a table into their struct; a missing field gets its `absent` value. */
void line_fields(struct line *l, const struct stored_field *fields, void *of);

#endif
