/* The archives that paths name. */
#ifndef XENMETER_ACCOUNT_FILES_H
#define XENMETER_ACCOUNT_FILES_H

#include <stddef.h>

#include "parser/error.h"

/* Paths, by folder and name, each once; all zero is an empty list. */
struct files {
    char **paths;
    size_t n, capacity;
    size_t open;    /* files NAME.xma.partial in the folders, which are being written */
    size_t damaged; /* files NAME.xma.damaged, of which a recorder could complete nothing */
};

/*
 * Adds the file, or all files NAME.xma in the folder and those below it; links are followed to files only. -1 with `err` filled: there is
 * no such path, a folder cannot be read or has no archive, or memory ran out.
 */
int files_add(struct files *f, const char *path, struct error *err);

/* Puts the list in order: call when all are added. */
void files_sort(struct files *f);
void files_free(struct files *f);

#endif
