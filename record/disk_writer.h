/*
 * Writes an archive on a thread of its own, with a queue of bounded size before it: a disk that hangs stops whoever writes only when
 * the queue is full.
 *
 *     disk_new -> (write to disk_sink, disk_sync)* -> disk_finish -> disk_free
 */
#ifndef XENMETER_RECORD_DISK_H
#define XENMETER_RECORD_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "archive/frames.h"
#include "parser/error.h"

struct output;
struct disk;

/* Where the bytes go. Called by the disk's thread only; -1 with `err` filled ends the work. */
struct disk_target {
    void *context;
    int (*write)(void *context, const uint8_t *bytes, size_t n, struct error *err);
    int (*sync)(void *context, struct error *err); /* what was written is on the disk then */
};

/* To an output (formats/output.h), which nobody else uses until disk_finish. */
struct disk_target disk_target_of(struct output *out);

/* The target is copied. The queue holds at most queue_bytes, or one frame that is larger. NULL with `err` filled. */
struct disk *disk_new(const struct disk_target *to, size_t queue_bytes, struct error *err);

/*
 * Where frames go: a write takes a copy, and waits only while the queue is full. It fails (-1 with `err` filled) once a write or sync
 * before it has failed; what is in the queue then is dropped.
 */
struct frame_sink disk_sink(struct disk *d);

/* The thread syncs after all bytes so far. Does not wait. -1 with `err` filled: something has failed before. */
int disk_sync(struct disk *d, struct error *err);

/* Waits until all bytes so far are written. -1 with `err` filled. */
int disk_finish(struct disk *d, struct error *err);

/* Waits for the write that is going on, drops the rest and ends the thread. NULL is allowed. */
void disk_free(struct disk *d);

struct disk_state {
    uint64_t written;    /* bytes */
    uint64_t waiting;    /* bytes in the queue, with those that are being written */
    uint64_t syncs;      /* done */
    uint64_t longest_ns; /* that one write or sync took, the one that is going on included */
    uint64_t stalled_ns; /* how long callers waited for room in the queue */
    bool failed;         /* `why` */
    struct error why;
};
struct disk_state disk_state(struct disk *d);

#endif
