/*
 * A dump of the flight recorder: bytes of a spool on their way to a file, PATH.partial until it is complete. A thread of its own writes
 * (disk_writer.h): nothing here waits for the disk, unless it is asked to, and the pipe is read on.
 *
 *     flight_dump_new -> flight_dump_give* -> flight_dump_end -> flight_dump_poll* -> flight_dump_commit, or flight_dump_discard
 */
#ifndef XENMETER_RECORD_FLIGHT_DUMP_H
#define XENMETER_RECORD_FLIGHT_DUMP_H

#include <stdbool.h>
#include <stdint.h>

#include "parser/error.h"
#include "record/spool.h"
#include "record/store_room.h"

struct flight_dump;

/*
 * Begins with byte `from` of the spool. Each write has room in the folder before it is made (`room`; NULL: no limit). Both outlive
 * the dump. NULL with `err` filled.
 */
struct flight_dump *flight_dump_new(const char *path, struct spool *spool, uint64_t from,
                                    struct store_room *room, struct error *err);

/* The first byte that was not given to the disk: from here on the spool is to hold them. */
uint64_t flight_dump_next(const struct flight_dump *d);

/* Bytes that the disk has taken. */
uint64_t flight_dump_written(const struct flight_dump *d);

/*
 * Gives the disk bytes up to `to`, as far as there is room in its queue; all of them, if `wait`. -1 with `err` filled: something cannot be
 * written, or the spool dropped bytes since, as the disk was too slow.
 */
int flight_dump_give(struct flight_dump *d, uint64_t to, bool wait, struct error *err);

/* All bytes were given. -1 with `err` filled. */
int flight_dump_end(struct flight_dump *d, struct error *err);

/* After flight_dump_end: 1: all is on the disk; 0: not yet (never, if `wait`); -1 with `err` filled. */
int flight_dump_poll(struct flight_dump *d, bool wait, struct error *err);

/* Gives the file its name, and frees `d`. -1 with `err` filled: there is none then. */
int flight_dump_commit(struct flight_dump *d, struct error *err);

/* Removes the file, and frees `d`. NULL is fine. */
void flight_dump_discard(struct flight_dump *d);

#endif
