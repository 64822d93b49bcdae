#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "parser/decode/own_events.h"

#define FILE_MOST ((size_t)1 << 20) /* bytes: a table of events is some kB */

/* The bytes of the file, the caller's; NULL with `err` filled. */
static char *read_all(const char *path, size_t *n, struct error *err)
{
    FILE *f = fopen(path, "re");
    char *text = f ? malloc(FILE_MOST + 1) : NULL;
    if (!f)
        error_set(err, ERROR_IO, "cannot open: %s", strerror(errno));
    else if (!text)
        error_no_memory(err, "the events");
    *n = text ? fread(text, 1, FILE_MOST + 1, f) : 0;
    bool failed = text && ferror(f);
    if (failed)
        error_set(err, ERROR_IO, "cannot read: %s", strerror(errno));
    else if (*n > FILE_MOST)
        error_set(err, ERROR_USAGE, "is no table of events: it is larger than 1 MiB");
    if (f)
        fclose(f);
    if (!failed && *n <= FILE_MOST)
        return text;
    free(text);
    return NULL;
}

int events_file_read(const struct options *o, struct own_events **own)
{
    struct error err = {0};
    size_t n;
    *own = NULL;
    if (!o->events_file)
        return EXIT_DONE;
    char *text = read_all(o->events_file, &n, &err);
    if (text)
        *own = own_events_read(text, n, &err);
    free(text);
    return *own ? EXIT_DONE : fail(o->events_file, &err);
}
