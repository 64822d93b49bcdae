/* How far a word that somebody typed is from a name that there is. */
#ifndef XENMETER_FORMATS_NEAREST_H
#define XENMETER_FORMATS_NEAREST_H

#include <stddef.h>

#define NEAREST_LONGEST 48 /* characters of a word or name; longer ones are far from everything */

/* Edit distance (insert, delete, replace) of the n characters of a word from a name; at most NEAREST_LONGEST. */
size_t edit_distance(const char *word, size_t n, const char *name);

#endif
