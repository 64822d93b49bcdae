/* Text in cells of CSV (RFC 4180) and TSV. */
#ifndef XENMETER_FORMATS_CSV_TEXT_H
#define XENMETER_FORMATS_CSV_TEXT_H

#include "formats/buffer.h"

#define CSV_GUARDED_BYTES 4096

/* Adds a cell, in quotes if its text would part cells or lines. */
void csv_add_quoted(struct buffer *b, const char *s);

/* The same where tabs part cells: a tab, a line end and a backslash become \t, \n, \r and \\, as databases write them. */
void csv_add_escaped(struct buffer *b, const char *s);

/*
 * Text for people and spreadsheets: nothing in it steers a terminal, and a spreadsheet does not run it as a formula. Its
 * beginning, if it is long. Returns `to`.
 */
const char *csv_guarded(char to[CSV_GUARDED_BYTES], const char *s);

#endif
