/*
 * An archive whose writing was cut short (PATH.partial), made complete up to its last checkpoint (archive/capture_writer.h): its frames
 * are copied as they are stored, and what an archive has at its end is put after them. The rows of the whole capture are added up
 * from the intervals that were kept.
 *
 * The outcome holds the time up to the last kept interval before the checkpoint: at most one interval less than the checkpoint.
 */
#ifndef XENMETER_RECORD_SALVAGE_H
#define XENMETER_RECORD_SALVAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "archive/manifest.h"
#include "parser/error.h"

struct salvage_result {
    bool nothing; /* it failed because the file has no whole checkpoint, or none with an interval before it */
    bool complete; /* nothing but the seal, or the archive's own name, was missing: nothing was cut */
    char host[HOST_MAX], id[CAPTURE_ID_BYTES];
    uint64_t tsc_first, tsc_last;
    uint64_t duration_ns;
    uint64_t cut_bytes; /* of the file: what came after the checkpoint */
    uint64_t stored;    /* bytes of the new archive */
};

/*
 * Makes the archive `to` ("-": standard output) of the file at `partial`, which stays as it is. The archive appears under its name when
 * it is complete and every byte of it was verified. 0; -1 with `err` filled: also if the file is a complete archive already.
 */
int salvage_archive(const char *partial, const char *to, struct salvage_result *result, struct error *err);

/*
 * What a recorder does with a PATH.partial that it finds: puts PATH in its place; or, where nothing can be salvaged, gives it the name
 * PATH.damaged (result->nothing). A complete archive that lacked only its name gets it. A crash at any moment leaves PATH.partial or
 * PATH, and the next call completes the work. 0; -1 with `err` filled: the files are as they were, or, with result->nothing, `err` says
 * why the file is damaged.
 */
int salvage_partial(const char *partial, struct salvage_result *result, struct error *err);

#endif
