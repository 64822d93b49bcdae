#include "json_memory.h"

#include <stdlib.h>

static _Thread_local bool failed;

static void *allocate(size_t n)
{
    void *at = malloc(n);
    failed |= !at;
    return at;
}

/* Before main: no thread uses jansson yet. What it frees is of malloc either way. */
__attribute__((constructor)) static void watch(void)
{
    json_set_alloc_funcs(allocate, free);
}

void json_memory_begin(void)
{
    failed = false;
}

bool json_memory_failed(void)
{
    return failed;
}

json_t *json_whole(json_t *document)
{
    if (!failed)
        return document;
    json_decref(document);
    return NULL;
}

json_t *json_parse(const char *text, size_t n, json_error_t *why)
{
    json_memory_begin();
    return json_whole(
        json_loadb(text ? text : "", n, JSON_REJECT_DUPLICATES, why)); /* one may come incomplete */
}
