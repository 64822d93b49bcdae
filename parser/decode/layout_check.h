/* The grammar of payload layouts (head of events.def), checked for tables that do not come with the program. */
#ifndef XENMETER_PARSER_LAYOUT_CHECK_H
#define XENMETER_PARSER_LAYOUT_CHECK_H

#include "parser/error.h"

#define LAYOUT_ANY_WORDS 255

/*
 * Whether `fields` is a list of items that takes `words` payload words (LAYOUT_ANY_WORDS: at most 7), and that
 * event_fields can read. 0, or -1 with `err` saying which item is wrong and what is wanted.
 */
int layout_check(const char *fields, unsigned words, struct error *err);

/* Reads a name of a field or an event: a letter, then letters, digits and _, in lower case. Returns its length; 0: none. */
unsigned layout_name(const char *text);

#endif
