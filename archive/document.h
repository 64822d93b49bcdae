/*
 * JSON documents of an archive: one function describes a document's members in both directions, so that what is written
 * and what is read cannot drift apart. Read, all its members must be there, in the order of writing, and no others.
 */
#ifndef XENMETER_ARCHIVE_DOCUMENT_H
#define XENMETER_ARCHIVE_DOCUMENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "archive/fields.h"
#include "formats/buffer.h"
#include "parser/error.h"

struct document_reading;

/* The members of one object, one after the other. */
struct members {
    struct document_reading *reading; /* NULL: they are written */
    json_t *object;                   /* written: NULL once an allocation has failed */
    void *at;                         /* read: the next member */
};

struct document {
    const char *name;   /* in messages */
    const char *schema; /* its first member */
    size_t most;        /* bytes of its text */
    /* Describes its members with the functions below; what is written is not changed. */
    void (*members)(struct members *m, void *what);
};

/* Appends the document, on one line. b->failed: no memory. */
void document_put(struct buffer *b, const struct document *d, const void *what);

/*
 * The document as JSON, the caller's, if it is one of at most d->most bytes that begins with the schema; else NULL with `err` filled.
 * d->members is not looked at.
 */
json_t *document_parse(const struct document *d, const char *text, size_t n, struct error *err);

/*
 * Reads the document, which may be hostile. *texts (NULL: it has no STORED_TEXT) gets the memory of its texts, the caller's to free
 * in both cases. -1 with `err` filled.
 */
int document_read(const struct document *d, const char *text, size_t n, void *what, char **texts,
                  struct error *err);

/* ---- members, in both directions ---- */

/* Whether the document that is read is wrong: its first error is kept, and later members have their absent values. */
bool members_failed(const struct members *m);

/* Says what is wrong with the member of that key, if they are read. The message is "KEY WHAT". */
void members_wrong(struct members *m, const char *key, const char *what);

/* Memory ran out. Returns 0, what there is then. */
size_t members_no_memory(struct members *m);

/* The members of a table. */
void members_fields(struct members *m, const struct stored_field *fields, void *of);

/* A member, or nothing unless `there`. Read: whether it is there. */
bool members_has(const struct members *m, const char *key, bool there);

/* An object; members_end(). */
struct members members_object(struct members *m, const char *key);
void members_end(struct members *m, struct members *of, const char *key);

/* A list of objects of one table. */
struct stored_list {
    void *at;    /* read: NULL gets memory from malloc, the caller's; else room for `most` */
    size_t n;    /* read: gets how many there are */
    size_t size; /* of one */
    size_t most;
};
void members_list(struct members *m, const char *key, const struct stored_field *fields,
                  struct stored_list *list);

/* A list of numbers, each at most `most`; `to` has room for `room` of them. */
void members_numbers(struct members *m, const char *key, uint64_t *to, size_t *n, size_t room, uint64_t most);

/* An object with a value of 8 bytes, SCALAR_U64 or SCALAR_REAL, for each of n names. */
void members_named(struct members *m, const char *key, const char *const *names, size_t n,
                   enum scalar_type type, void *values);

/* A list of names, each of which stands for the bit of its place in `names`, which ends with NULL. */
void members_bits(struct members *m, const char *key, unsigned *bits, const char *const *names);

#endif
