/* Files that are read as a whole: policies, scenarios, tables of events. */
#ifndef XENMETER_CMD_SMALL_FILE_H
#define XENMETER_CMD_SMALL_FILE_H

#include "formats/buffer.h"
#include "parser/error.h"

struct small_file {
    const char *cannot;    /* what the reason follows if it cannot be read: "cannot read the policy" */
    const char *too_large; /* what is wrong with one of more bytes than these */
    size_t most;
    bool standard_input; /* "-" is that, and no file of this name */
};

/* Appends the bytes of the file, which may be a pipe, to `text`, the caller's in both cases. 0, or -1 with `err` filled. */
int small_file_read(const char *path, const struct small_file *kind, struct buffer *text, struct error *err);

#endif
