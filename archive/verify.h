/* Checks every byte of an archive. */
#ifndef XENMETER_ARCHIVE_VERIFY_H
#define XENMETER_ARCHIVE_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parser/error.h"

struct verify_totals {
    uint64_t bytes;   /* of the file */
    size_t frames;    /* data frames checked */
    size_t members;   /* whole ones */
    uint64_t content; /* bytes of them */
    uint64_t
        whole_up_to; /* the first byte of the file that is not part of a whole frame or member; `bytes`: all is whole */
    bool finished; /* there is a seal and a seek table: the archive was completed */
};

/* One damage: its offset in the file, the member ("" when not known), and what is wrong. */
typedef void (*verify_finding)(void *context, uint64_t offset, const char *member, const char *what);

/*
 * Checks every frame and member of the file. Returns the number of damages reported, or -1 with `err` filled: the file
 * cannot be read, or is no archive at all.
 */
long verify_archive(const char *path, verify_finding finding, void *context, struct verify_totals *totals,
                    struct error *err);

#endif
