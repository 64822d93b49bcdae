/* Lines that are wider than a terminal, broken at blanks. */
#ifndef XENMETER_FORMATS_WRAP_H
#define XENMETER_FORMATS_WRAP_H

#include "formats/buffer.h"

/* Columns of a terminal that n bytes of text take; sequences that switch colours (ESC [ ... m) take none. */
size_t text_width(const char *text, size_t n);

/*
 * Breaks the lines of the buffer from offset `from` on so that none is wider than `width` columns (0: none is broken):
 * at blanks, or within a word that is wider than a line. The rest of a line is indented by `indent` blanks, by none
 * where that leaves too little room.
 */
void wrap_lines(struct buffer *b, size_t from, unsigned width, unsigned indent);

#endif
