/*
 * Reads a line of results in the one form in which it is written: members in the order of the tables, no spaces, each
 * number in one way only. A general JSON parser takes thirty times as long, and builds a tree many times the size of
 * the text.
 */
#ifndef XENMETER_ARCHIVE_LINE_H
#define XENMETER_ARCHIVE_LINE_H

#include <string.h>

#include "fields.h"

struct line {
    const char *at, *end; /* what is left of it; end is where its newline is */
    char before;          /* the next member: '{' before an object's first, else ',' */
    const char *wrong;    /* the first thing that is wrong with it, in words; NULL: nothing so far */
};

/* Notes what is wrong, if it is the first thing. */
void line_wrong(struct line *l, const char *what);

/* Whether these n bytes come next; they are passed if so. Here, so that the compiler knows n: it is the hot path. */
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

/* The number that comes next; 0 where it is wrong. */
uint64_t line_u64(struct line *l);

/* Reads the fields of a table into their struct; those that are not there are absent. */
void line_fields(struct line *l, const struct stored_field *fields, size_t n, void *of);

#endif
