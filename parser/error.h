/* Errors are values: a function that can fail fills one of these and returns a status. */
#ifndef XENMETER_PARSER_ERROR_H
#define XENMETER_PARSER_ERROR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

enum error_code {
    ERROR_NONE = 0,
    ERROR_USAGE,  /* the options ask for something impossible */
    ERROR_IO,     /* open, read, write, map, rename failed */
    ERROR_FORMAT, /* the bytes are not a xentrace capture, or their compression is damaged */
    ERROR_MEMORY, /* the memory limit was reached, or an allocation failed */
};

struct error {
    enum error_code code;
    bool has_offset;   /* `offset` means something */
    uint64_t offset;   /* byte in the (decompressed) trace where the error is */
    char message[320]; /* one line, no newline, without the file's name */
};

/* Fills `err` (which may be NULL) and returns -1, so that `return error_set(...)` reads well. */
int error_set(struct error *err, enum error_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Out of memory: "not enough memory for WHAT", a noun phrase; ERROR_MEMORY, returns -1. A function whose allocation fails
 * returns -1, NULL or false; the first caller that has an `err` fills it by this function. Accumulators on a hot path set
 * a flag `failed` instead, which stays set, and whoever hands in events or takes results checks it.
 */
int error_no_memory(struct error *err, const char *what);

/* The same as error_set, with the byte offset in the trace at which it happened. */
int error_set_at(struct error *err, enum error_code code, uint64_t offset, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The same for a file of lines: "line N: ..."; ERROR_FORMAT. */
int error_on_line(struct error *err, uint64_t line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
