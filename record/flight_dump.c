#include "record/flight_dump.h"

#include <stdlib.h>

#include "formats/output.h"
#include "metrics/min_max.h"
#include "record/disk_writer.h"

#define PIECE       ((size_t)256 << 10)
#define QUEUE_BYTES ((size_t)4 << 20)

struct flight_dump {
    struct spool *spool;
    struct output *output;
    struct disk *disk;
    struct store_room *room; /* NULL: no limit */
    struct disk_target file; /* what the disk's thread writes to */
    uint64_t next;
    uint8_t piece[PIECE];
};

/* By the disk's thread. */
static int write_to_file(void *context, const uint8_t *bytes, size_t n, struct error *err)
{
    const struct flight_dump *d = context;
    if (d->room && store_room_for(d->room, n, err) != 0)
        return -1;
    return d->file.write(d->file.context, bytes, n, err);
}

static int sync_file(void *context, struct error *err)
{
    const struct flight_dump *d = context;
    return d->file.sync(d->file.context, err);
}

struct flight_dump *flight_dump_new(const char *path, struct spool *spool, uint64_t from,
                                    struct store_room *room, struct error *err)
{
    struct flight_dump *d = calloc(1, sizeof *d);
    if (!d) {
        error_no_memory(err, "a dump of the trace");
        return NULL;
    }
    d->spool = spool;
    d->next = from;
    d->room = room;
    d->output = output_open_partial(path, err);
    if (d->output) {
        const struct disk_target target = {d, write_to_file, sync_file};
        d->file = disk_target_of(d->output);
        d->disk = disk_new(&target, QUEUE_BYTES, err);
    }
    if (d->disk)
        return d;
    flight_dump_discard(d);
    return NULL;
}

uint64_t flight_dump_next(const struct flight_dump *d)
{
    return d->next;
}

uint64_t flight_dump_written(const struct flight_dump *d)
{
    return disk_state(d->disk).written;
}

int flight_dump_give(struct flight_dump *d, uint64_t to, bool wait, struct error *err)
{
    const struct frame_sink sink = disk_sink(d->disk);
    while (d->next < to) {
        size_t n = (size_t)min64(PIECE, to - d->next);
        if (!wait && disk_state(d->disk).waiting + n > QUEUE_BYTES)
            return 0;
        if (!spool_copy(d->spool, d->next, d->piece, n))
            return error_set(err, ERROR_IO,
                             "the disk is slower than the trace: what was to be written is gone");
        if (sink.write(sink.context, d->piece, n, err) != 0)
            return -1;
        d->next += n;
    }
    return 0;
}

int flight_dump_end(struct flight_dump *d, struct error *err)
{
    return disk_sync(d->disk, err);
}

int flight_dump_poll(struct flight_dump *d, bool wait, struct error *err)
{
    if (wait && disk_finish(d->disk, err) != 0)
        return -1;
    struct disk_state s = disk_state(d->disk);
    if (!s.failed)
        return s.syncs > 0;
    *err = s.why;
    return -1;
}

int flight_dump_commit(struct flight_dump *d, struct error *err)
{
    disk_free(d->disk);
    output_discard_partial(d->output);
    int status = output_commit(d->output, err);
    free(d);
    return status;
}

void flight_dump_discard(struct flight_dump *d)
{
    if (!d)
        return;
    disk_free(d->disk);
    if (d->output)
        output_discard_partial(d->output);
    output_abort(d->output);
    free(d);
}
