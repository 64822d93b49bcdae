/* Names of domains come from files: they may hold any bytes. */
#ifndef XENMETER_FORMATS_UTF8_H
#define XENMETER_FORMATS_UTF8_H

#include <stddef.h>

/* Bytes (1..4) of the UTF-8 character that a NUL-terminated string begins with, 0 if it is none (RFC 3629). */
size_t utf8_length(const char *s);

#endif
