/*
 * The bytes of a live trace, between the pipe and who decodes them: a thread reads the pipe all the time, so that work that takes a
 * moment, or a disk that does, does not stop xentrace. What was decoded is kept for a while, so that decoding can begin again there.
 *
 *     spool_new -> (spool_feed, decode, spool_keep)* -> spool_free
 */
#ifndef XENMETER_RECORD_SPOOL_H
#define XENMETER_RECORD_SPOOL_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parser/error.h"
#include "parser/source/feed.h"

struct spool;

/* Who looks after other things while no bytes come: at least every SPOOL_TICK_NS, and when a signal came. */
struct spool_watch {
    void *context;
    void (*tick)(void *context);
    const sigset_t
        *wait_mask; /* signals that are blocked otherwise may come while it waits; NULL: as they are */
};
#define SPOOL_TICK_NS 100000000u

/*
 * Begins to read `fd`, which is the spool's. For decoding it keeps at most bytes_max, a third of which may wait to be decoded; and held_max
 * bytes more, of what is held (spool_hold). Where there is no room, what is kept or held is dropped; and where nothing is, the pipe waits.
 * NULL with `err` filled. The watch is copied.
 */
struct spool *spool_new(int fd, size_t bytes_max, size_t held_max, const struct spool_watch *watch,
                        struct error *err);
void spool_free(struct spool *s);

/* The bytes from `offset` on, which are kept: for one reader at a time, who is to read them all. */
struct feed spool_feed(struct spool *s, uint64_t offset);

/* Bytes from `offset` on are to be kept from now on, as far as there is room. */
void spool_keep(struct spool *s, uint64_t offset);

/* So are they for spool_copy; UINT64_MAX, as at first: none are. Nobody waits for them. */
void spool_hold(struct spool *s, uint64_t offset);

/* Copies n bytes from `offset` on, all of which were read. False: not all of them are there any more. */
bool spool_copy(struct spool *s, uint64_t offset, uint8_t *to, size_t n);

/* The first byte that is there still. */
uint64_t spool_kept(struct spool *s);

/* Reads no more: what is there is the end. */
void spool_end(struct spool *s);

/* What a spool has done so far. */
struct spool_state {
    uint64_t bytes;      /* read from the pipe */
    uint64_t waiting;    /* of them: not given to the reader yet */
    uint64_t stalled_ns; /* how long the pipe had to wait for room */
    uint64_t read_at_ns; /* when bytes came last, by io_clock_ns */
    int error;           /* errno of the read that failed; 0: none did */
    bool ended;          /* the pipe is at its end, or failed */
};
struct spool_state spool_state(struct spool *s);

#endif
