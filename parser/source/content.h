/* What a file is that does not begin like a capture, and what to do with it. */
#ifndef XENMETER_PARSER_CONTENT_H
#define XENMETER_PARSER_CONTENT_H

#include <stddef.h>
#include <stdint.h>

#include "parser/error.h"

#define CONTENT_BYTES 512 /* that tell most: the header of a tar file */

/*
 * Looks at the first bytes (CONTENT_BYTES, or all) of what should be a capture, and was compressed by `outer` (a codec's
 * name, "none"). 0: no kind of file that is known, so that it may be a damaged capture; -1 with `err` saying what the
 * file is, and the command that makes a capture of it.
 */
int content_check(const uint8_t *bytes, size_t n, const char *outer, struct error *err);

#endif
