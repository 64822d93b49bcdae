/* Tables of fields (fields.h) as members of JSON objects, for documents that are written once and read as a whole. */
#ifndef XENMETER_ARCHIVE_JSON_FIELDS_H
#define XENMETER_ARCHIVE_JSON_FIELDS_H

#include <jansson.h>

#include "fields.h"
#include "parser/error.h"

/* ---- writing: an object or array becomes NULL when an allocation fails, and stays NULL ---- */

/* Takes over the reference of `value`; NULL: its allocation failed. */
void json_put(json_t **object, const char *key, json_t *value);
void json_append(json_t **array, json_t *value);
void json_put_fields(json_t **object, const struct stored_field *fields, const void *of);

json_t *json_of_u64(uint64_t n);

/* Bytes as a value: a string, or {"hex":"..."} where they are not UTF-8; null for NULL. */
json_t *json_of_bytes(const char *text);

/* ---- reading, in the order of writing ---- */

/* A document being read: its first error fills `err`; later errors are ignored. */
struct json_reading {
    const char *name; /* "summary" */
    struct error *err;
    bool wrong;
};

/*
 * Begins to read a document of at most `most` bytes whose first member is its schema: `members` are the members after
 * it. r->name and r->err must be set. NULL, and r->wrong: not such a document; else the caller's (json_decref).
 */
struct members;
json_t *json_document(struct json_reading *r, const char *text, size_t n, size_t most, const char *schema,
                      struct members *members);

/* Fills the error: the member of that key is wrong. The message is "KEY WHAT". */
void json_wrong(struct json_reading *r, const char *key, const char *what);

/* Reads an object's members, one after the other. */
struct members {
    struct json_reading *reading;
    json_t *object;
    void *at;
};

/* Begins with the object `value`, the member `key` of the document; `value` may be NULL. */
struct members members_of(struct json_reading *r, const char *key, json_t *value);

/* The next member's value if it has this key; else NULL, which members_take reports as an error. */
json_t *members_look(struct members *m, const char *key);
json_t *members_take(struct members *m, const char *key);
uint64_t members_take_u64(struct members *m, const char *key, uint64_t most);
void members_take_fields(struct members *m, const struct stored_field *fields, void *of);

const char *members_take_text(struct members *m, const char *key); /* "" on error; owned by the document */
bool members_take_flag(struct members *m, const char *key);
double members_take_real(struct members *m, const char *key); /* not negative */

/* n bytes as lower-case hexadecimal digits. */
void members_take_hex(struct members *m, const char *key, uint8_t *to, size_t n);

/* An array of at most `most` elements; NULL, and *n 0, on error. */
json_t *members_take_array(struct members *m, const char *key, size_t most, size_t *n);

/* The end of the object: a further member is an error. */
void members_end(struct members *m);

/* Reads a number written by json_of_u64; 0 on error. */
uint64_t json_to_u64(struct json_reading *r, const char *key, const json_t *value, uint64_t most);

/*
 * Reads a text written by json_of_bytes: copies it with a NUL to **at, and moves *at past the NUL. NULL for null, and
 * on error. All texts of a document take less room than the document.
 */
const char *json_to_bytes(struct json_reading *r, const char *key, const json_t *value, char **at);

#endif
