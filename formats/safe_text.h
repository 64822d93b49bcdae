/*
 * Names of domains and files come from outside: they may hold any bytes. What steers a terminal, or makes text read other
 * than it is, does not reach text output: control characters, line ends, invisible characters and those that turn the
 * direction of writing (Unicode's UAX 9).
 */
#ifndef XENMETER_FORMATS_SAFE_TEXT_H
#define XENMETER_FORMATS_SAFE_TEXT_H

#include <stddef.h>

/* Bytes (1..4) of the character at `s` that can be shown; 0: it is none in UTF-8, or not safe. `s` is not empty. */
size_t safe_length(const char *s);

/* Columns of a terminal (0..2) for a character of n bytes that can be shown. */
unsigned safe_width(const char *s, size_t n);

/* Copies a text into `size` bytes, cut to whole characters; what is not safe becomes '?'. Returns `to`. */
char *safe_text(char *to, size_t size, const char *s);

#endif
