#include "account/texts.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

const char *texts_keep(struct texts *t, const char *text)
{
    void *found = tfind(text, &t->tree, compare);
    if (found)
        return *(const char *const *)found;
    char *copy = strdup(text);
    if (!copy)
        return NULL;
    found = tsearch(copy, &t->tree, compare);
    if (!found)
        free(copy);
    return found ? copy : NULL;
}

void texts_free(struct texts *t)
{
    tdestroy(t->tree, free);
    t->tree = NULL;
}
