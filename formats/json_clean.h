/* JSON of programs that put into strings what the one has whom they write about. */
#ifndef XENMETER_FORMATS_JSON_CLEAN_H
#define XENMETER_FORMATS_JSON_CLEAN_H

#include <stddef.h>

#include "formats/buffer.h"

/*
 * Adds n bytes of a JSON text, which holds no NUL. Inside strings, what RFC 8259 or jansson refuses becomes the character U+FFFD: a
 * byte that is not part of UTF-8, a control character, the escapes of NUL and of half a surrogate pair. All else stays.
 */
void json_clean(struct buffer *to, const char *text, size_t n);

#endif
