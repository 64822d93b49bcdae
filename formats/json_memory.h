/*
 * Whether jansson had memory. Where it has none it leaves a member out of a document that is built, or reports an error of
 * syntax in one that is read: neither can be noticed by what it returns. So allocations of jansson are watched, on each
 * thread:
 *
 *     json_memory_begin();
 *     build a document with any of jansson's functions
 *     document = json_whole(document);
 */
#ifndef XENMETER_FORMATS_JSON_MEMORY_H
#define XENMETER_FORMATS_JSON_MEMORY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* From here on failures on this thread are noted; those before are forgotten. */
void json_memory_begin(void);

/* Whether jansson had no memory on this thread since json_memory_begin. */
bool json_memory_failed(void);

/* Takes over `document`, which may be NULL, and returns it; if memory failed since json_memory_begin, releases it and
 * returns NULL. */
json_t *json_whole(json_t *document);

/*
 * Parses n bytes as a document without duplicate keys, which the caller owns. NULL: if json_memory_failed() then for want of
 * memory; else it is not JSON, and `why`, which may be NULL, is filled.
 */
json_t *json_parse(const char *text, size_t n, json_error_t *why);

#endif
