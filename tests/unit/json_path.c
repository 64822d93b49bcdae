#include "json_path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

/* What the first part of a path names; *path moves to the next part. */
static json_t *step(json_t *document, const char **path)
{
    char key[48];
    size_t n = strcspn(*path, "/");
    snprintf(key, sizeof key, "%.*s", (int)n, *path);
    *path += n + ((*path)[n] == '/');
    return json_is_array(document) ? json_array_get(document, strtoul(key, NULL, 10))
                                   : json_object_get(document, key);
}

json_t *json_at(json_t *document, const char *path)
{
    while (*path && document)
        document = step(document, &path);
    return document;
}

static void apply(json_t *document, const struct json_change *change)
{
    const char *key = change->path;
    while (strchr(key, '/'))
        document = step(document, &key);
    json_t *value = change->value ? json_loads(change->value, JSON_DECODE_ANY, NULL) : NULL;
    CHECK(document && (value || !change->value));
    if (json_is_array(document) && value)
        CHECK(json_array_set_new(document, strtoul(key, NULL, 10), value) == 0);
    else if (value)
        CHECK(json_object_set_new(document, key, value) == 0);
    else
        CHECK(json_object_del(document, key) == 0);
}

static char *compact(json_t *document)
{
    char *text = json_dumps(document, JSON_COMPACT | JSON_REAL_PRECISION(17));
    json_decref(document);
    return text;
}

char *json_changed(const struct buffer *text, const struct json_change *change)
{
    json_t *document = json_loadb(text->at, text->n, 0, NULL);
    apply(document, change);
    return compact(document);
}

char *json_compact(const struct buffer *text)
{
    return compact(json_loadb(text->at, text->n, 0, NULL));
}
