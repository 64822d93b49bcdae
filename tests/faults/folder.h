/*
 * A folder as it was at one moment: which files it has, and a digest of each.
 */
#ifndef TESTS_FAULTS_FOLDER_H
#define TESTS_FAULTS_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FOLDER_FILES 64

struct folder {
    size_t n;
    struct {
        char path[200];
        uint64_t digest;
    } files[FOLDER_FILES];
};

/* Looks at PATH and what is below it. False: it cannot be read, or has too many files. */
bool folder_look(struct folder *f, const char *path);

/* Forgets the files that a program which was killed leaves beside its outputs: of names .xenmeter-*, *.partial, *.new. */
void folder_forget_temporaries(struct folder *f);

/* Removes what is in PATH, which is created if it is not there, and copies the files of FROM (NULL: none) into it. */
bool folder_reset(const char *path, const char *from);

/* The first file of NOW that is neither in A nor in B as it is here, or that A and B both have and NOW has not; NULL: none. */
const char *folder_differs(const struct folder *now, const struct folder *a, const struct folder *b);

#endif
