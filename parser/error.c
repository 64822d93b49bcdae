#include "error.h"

#include <inttypes.h>
#include <stdio.h>

static void fill(struct error *err, enum error_code code, const uint64_t *offset, const char *format,
                 va_list args)
{
    if (!err)
        return;
    err->code = code;
    err->has_offset = offset != NULL;
    err->offset = offset ? *offset : 0;
    vsnprintf(err->message, sizeof err->message, format, args);
}

int error_set(struct error *err, enum error_code code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fill(err, code, NULL, format, args);
    va_end(args);
    return -1;
}

int error_set_at(struct error *err, enum error_code code, uint64_t offset, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fill(err, code, &offset, format, args);
    va_end(args);
    return -1;
}

int error_on_line(struct error *err, uint64_t line, const char *format, ...)
{
    char what[sizeof err->message];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return error_set(err, ERROR_FORMAT, "line %" PRIu64 ": %s", line, what);
}

int error_no_memory(struct error *err, const char *what)
{
    return error_set(err, ERROR_MEMORY, "not enough memory for %s", what);
}
