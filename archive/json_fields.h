/* Members of JSON objects, and tables of fields (fields.h) as such, for documents that are read as a whole. */
#ifndef XENMETER_ARCHIVE_JSON_FIELDS_H
#define XENMETER_ARCHIVE_JSON_FIELDS_H

#include <jansson.h>

#include "fields.h"
#include "formats/json_text.h"
#include "parser/error.h"

/* ---- writing, with json_put and json_append ---- */

json_t *json_of_u64(uint64_t n);

/* ---- reading, in the order of writing ---- */

/* A document being read: its first error fills `err`; later errors are ignored. */
struct json_reading {
    const char *name; /* "summary" */
    struct error *err;
    bool wrong;
    char *
        texts; /* members_text copies here, and moves on; all texts of a document take less room than the document */
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
    void *at; /* reading: the next member */
    /* of which this is an element, or the member `key` */
    struct members *parent;
    const char *key;
};

/* Begins with the object `value`, the member `key` of the document; `value` may be NULL. */
struct members members_of(struct json_reading *r, const char *key, json_t *value);

/* Whether the next member has this key. */
bool members_has(const struct members *m, const char *key);

/* The next member's value if it has this key; else NULL, which members_take reports as an error. */
json_t *members_look(struct members *m, const char *key);
json_t *members_take(struct members *m, const char *key);
uint64_t members_take_u64(struct members *m, const char *key, uint64_t most);

const char *members_take_text(struct members *m, const char *key); /* "" on error; owned by the document */

/* n bytes as lower-case hexadecimal digits. */
void members_take_hex(struct members *m, const char *key, uint8_t *to, size_t n);

/* An array of at most `most` elements; NULL, and *n 0, on error. */
json_t *members_take_array(struct members *m, const char *key, size_t most, size_t *n);

/* The end of the object: a further member is an error. */
void members_end(struct members *m);

/* Reads a number written by json_of_u64; 0 on error. */
uint64_t json_to_u64(struct json_reading *r, const char *key, const json_t *value, uint64_t most);

/*
 * ---- both directions: one function describes an object that is read, or written (reading is NULL) ----
 *
 * What is written is not changed. members.object is NULL once an allocation has failed.
 */

bool members_failed(const struct members *m); /* the document that is read is wrong */
void members_wrong(struct members *m, const char *key, const char *what);

void members_fields(struct members *m, const struct stored_field *fields, void *of);
void members_number(struct members *m, const char *key, uint64_t *n, uint64_t most);

/* Bytes: a string, or {"hex":"..."} where they are not UTF-8; null for NULL. Read, they lie at reading->texts. */
void members_text(struct members *m, const char *key, const char **text);

/* An object as the next member. members_end(), too, when it is written. */
struct members members_object(struct members *of, const char *key);

/* A list of objects as the next member: at most `most` are read, and *n says how many there are. members_end(). */
struct members members_list(struct members *of, const char *key, size_t most, size_t *n);
struct members members_element(struct members *list, size_t i);

#endif
