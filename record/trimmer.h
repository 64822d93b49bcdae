/*
 * Removes the trace from archives that ended long enough ago, on a thread of its own: archives stay whole, and recording does not wait.
 *
 *     trimmer_new -> (trimmer_run, trimmer_take)* -> trimmer_free
 */
#ifndef XENMETER_RECORD_TRIMMER_H
#define XENMETER_RECORD_TRIMMER_H

#include <stdint.h>

#include "parser/error.h"
#include "record/store_room.h"

struct trimmer;

/* Traces are kept for keep_ns after the end of an archive, as store_ended_before has it. The room, and its store, outlive it. NULL with `err` filled: no thread. */
struct trimmer *trimmer_new(struct store_room *room, uint64_t keep_ns, struct error *err);

/* Waits for the archive that is being rewritten, if one is. NULL is fine. */
void trimmer_free(struct trimmer *t);

/* It is this time: archives that ended more than keep_ns ago lose their traces, the oldest first. Does not wait. */
void trimmer_run(struct trimmer *t, uint64_t now_utc_ns);

/* What was done since the last call. */
struct trimmed {
    uint32_t archives;
    uint64_t bytes; /* so much smaller they are together */
    struct error
        error; /* the last failure, which names its file; ERROR_NONE: none. It is tried again with the next one. */
};
struct trimmed trimmer_take(struct trimmer *t);

#endif
