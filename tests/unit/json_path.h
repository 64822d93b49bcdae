/* Values in a JSON document by their path, "a/0/b", and documents with one value changed. */
#ifndef XENMETER_TESTS_UNIT_JSON_PATH_H
#define XENMETER_TESTS_UNIT_JSON_PATH_H

#include <jansson.h>

#include "formats/buffer.h"

/* `value` is JSON, which goes where the path leads; NULL: what is there goes away. */
struct json_change {
    const char *path, *value;
};

/* Borrowed from the document; NULL: there is none. */
json_t *json_at(json_t *document, const char *path);

/* The JSON in `text` after the change, to be freed. A path whose parent is missing fails a check. */
char *json_changed(const struct buffer *text, const struct json_change *change);

/* The JSON in `text` without blanks, to be freed. */
char *json_compact(const struct buffer *text);

#endif
