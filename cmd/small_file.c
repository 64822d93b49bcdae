#include "small_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define STEP 65536 /* bytes read at once */

static int read_all(FILE *f, const struct small_file *kind, struct buffer *text, struct error *err)
{
    size_t got = 1;
    while (got > 0 && text->n <= kind->most) {
        char *room = buffer_room(text, STEP);
        if (!room)
            return error_no_memory(err, "a file");
        got = fread(room, 1, STEP, f);
        text->n += got;
    }
    if (ferror(f))
        return error_set(err, ERROR_IO, "%s: %s", kind->cannot, strerror(errno));
    return text->n <= kind->most ? 0 : error_set(err, ERROR_FORMAT, "%s", kind->too_large);
}

int small_file_read(const char *path, const struct small_file *kind, struct buffer *text, struct error *err)
{
    FILE *f = kind->standard_input && strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    if (!f)
        return error_set(err, ERROR_IO, "%s: %s", kind->cannot, strerror(errno));
    int status = read_all(f, kind, text, err);
    if (f != stdin)
        fclose(f);
    return status;
}
