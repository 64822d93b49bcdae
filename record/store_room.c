#include "record/store_room.h"

#include <inttypes.h>

#include "metrics/min_max.h"

#define RESERVE_MOST ((uint64_t)16 << 20)
#define RESERVE_PART 16 /* of the limit, at most */

uint64_t store_room_reserve(uint64_t keep_bytes)
{
    return min64(RESERVE_MOST, keep_bytes / RESERVE_PART);
}

/* Removes files until n bytes more, and the reserve, have room; as far as possible. */
static int remove_files(struct store_room *r, uint64_t keep_bytes, uint64_t n, struct error *err)
{
    const struct store_limits limits = {.keep_bytes = keep_bytes};
    struct store_pruned pruned;
    if (store_prune(r->store, &limits, 0, n + store_room_reserve(keep_bytes), &pruned, err) != 0)
        return -1;
    r->files += pruned.files;
    r->bytes += pruned.bytes;
    return 0;
}

int store_room_for(void *context, size_t n, struct error *err)
{
    struct store_room *r = context;
    uint64_t keep_bytes = r->keep_bytes;
    struct store_usage usage;
    if (keep_bytes == 0)
        return 0;
    if ((r->removes && remove_files(r, keep_bytes, n, err) != 0) || store_usage(r->store, &usage, err) != 0)
        return -1;
    uint64_t then = usage.bytes + n;
    r->near = then > keep_bytes || keep_bytes - then < store_room_reserve(keep_bytes);
    return then <= keep_bytes ? 0
                              : error_set(err, ERROR_IO,
                                          "no more may be kept (--keep-bytes): %" PRIu64
                                          " bytes are there, and %zu more were to be written",
                                          usage.bytes, n);
}
