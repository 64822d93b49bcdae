#include "error.h"

#include <stdio.h>

static void fill(struct error *err, enum error_code code, const char *format, va_list args)
{
    err->code = code;
    vsnprintf(err->message, sizeof err->message, format, args);
}

int error_set(struct error *err, enum error_code code, const char *format, ...)
{
    if (err) {
        va_list args;
        va_start(args, format);
        fill(err, code, format, args);
        va_end(args);
        err->has_offset = false;
        err->offset = 0;
    }
    return -1;
}

int error_no_memory(struct error *err, const char *what)
{
    return error_set(err, ERROR_MEMORY, "not enough memory for %s", what);
}

int error_set_at(struct error *err, enum error_code code, uint64_t offset, const char *format, ...)
{
    if (err) {
        va_list args;
        va_start(args, format);
        fill(err, code, format, args);
        va_end(args);
        err->has_offset = true;
        err->offset = offset;
    }
    return -1;
}
