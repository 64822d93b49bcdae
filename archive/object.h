/* Members of JSON objects from files: each has to be there, of its type and in its range; the first that is not is told. */
#ifndef XENMETER_ARCHIVE_OBJECT_H
#define XENMETER_ARCHIVE_OBJECT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parser/error.h"

/* What is read goes on after a failure, with zeros: `failed` is looked at once, at the end. */
struct object {
    const json_t *json; /* borrowed; NULL once it failed */
    struct error *err;
    bool failed;
};

/* A document: *root is the caller's (json_decref). Fails if it is no JSON object, or of another schema. */
struct object object_document(const char *text, size_t n, const char *schema, json_t **root,
                              struct error *err);

/* An object that is an element of a list or a member, of the same document. */
struct object object_in(struct object *of, const json_t *json);

/* Fails, and its document with it, for a reason of the caller's. */
void object_wrong(struct object *o, const char *key, const char *what);

const json_t *object_member(struct object *o, const char *key);
uint64_t object_u64(struct object *o, const char *key, uint64_t most);
double object_real(struct object *o, const char *key); /* finite, >= 0; null is 0 */
bool object_flag(struct object *o, const char *key);
const char *object_text(struct object *o, const char *key); /* "" where it fails; the document's */
const json_t *object_list(struct object *o, const char *key);

/* Bytes as hexadecimal digits, lower case. */
void object_hex(struct object *o, const char *key, uint8_t *to, size_t n);

#endif
