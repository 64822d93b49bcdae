/* Is an archive whole? Every byte of it has a part in the answer. */
#ifndef XENMETER_ARCHIVE_VERIFY_H
#define XENMETER_ARCHIVE_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parser/error.h"

struct verify_totals {
    uint64_t bytes;   /* of the file */
    size_t frames;    /* data frames looked at */
    size_t members;   /* found whole */
    uint64_t content; /* bytes of them */
    uint64_t
        whole_up_to; /* the first byte of the file that is not part of something whole; `bytes`: all is */
    bool finished;   /* there is a seal and a seek table: the archive was completed */
};

/* One damage: where in the file, in which member ("" when that is not known), what. */
typedef void (*verify_finding)(void *context, uint64_t offset, const char *member, const char *what);

/*
 * Looks at every frame and member of the file. Returns how many damages were told, or -1 with `err` filled: it cannot be
 * read, or is no archive at all.
 */
long verify_archive(const char *path, verify_finding finding, void *context, struct verify_totals *totals,
                    struct error *err);

#endif
