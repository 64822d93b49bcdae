/*
 * A snapshot: the state of something as bytes, from which it goes on as if it had seen all that came before. One function
 * for each struct describes its members in both directions, so that what is written and what is read cannot drift apart:
 *
 *     void track_snapshot(struct snapshot *s, struct track *k) { SNAPSHOT(s, k->pcpu, PCPUS_MAX); ... }
 *
 * Every number has its bound, in both directions: what breaks one makes the snapshot fail. Read bytes may be hostile.
 * Numbers take as few bytes as they need, seven bits in each, the lowest first; the first one is SNAPSHOT_VERSION.
 */
#ifndef XENMETER_METRICS_MODEL_SNAPSHOT_H
#define XENMETER_METRICS_MODEL_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SNAPSHOT_VERSION 2 /* of all that the functions describe */

struct snapshot {
    const uint8_t *from; /* read: the bytes, the caller's; NULL: it is written */
    size_t at;           /* read up to here */
    uint8_t *bytes;      /* written: from malloc, the caller's to free; kept from one snapshot to the next */
    size_t n, capacity;
    uint64_t now_ns; /* no time that comes is later; below 2^55 */
    bool
        failed; /* a bound was broken, the bytes ended, or memory ran out: all that is read from then on is the least */
};

/* Begins to write one, into the memory of the last one, or to read one from n bytes, of time now_ns. */
void snapshot_write(struct snapshot *s, uint64_t now_ns);
void snapshot_read(struct snapshot *s, const void *bytes, size_t n, uint64_t now_ns);

/* Whether all of it was read, and nothing is wrong with it. */
bool snapshot_is_read(const struct snapshot *s);

/* Writes a number of at most `most` and returns it, or returns one that is read. */
uint64_t snapshot_number(struct snapshot *s, uint64_t value, uint64_t most);

/* The same of a number from `least` to `most`. */
int64_t snapshot_signed(struct snapshot *s, int64_t value, int64_t least, int64_t most);

/*
 * The same of a time up to now (`none`: or UINT64_MAX: there is none), and of a length of time up to that from 0 to now, or
 * UINT64_MAX: not known.
 */
uint64_t snapshot_time(struct snapshot *s, uint64_t ns, bool none);
uint64_t snapshot_span(struct snapshot *s, uint64_t ns);

/* The same of the number of items that follow, each of at least one byte. */
size_t snapshot_count(struct snapshot *s, size_t n, size_t most);

/* The same of a number that is 0 or more, not infinite: exact. */
double snapshot_real(struct snapshot *s, double x);

/* Writes a snapshot, which may be empty, as a part of this one; or returns the next part, which is read at the same time. */
void snapshot_put_part(struct snapshot *s, const struct snapshot *part);
struct snapshot snapshot_take_part(struct snapshot *s);

#define SNAPSHOT(s, x, most) ((x) = (__typeof__(x))snapshot_number(s, (uint64_t)(x), most))
#define SNAPSHOT_FLAG(s, x)  ((x) = snapshot_number(s, x, 1) != 0)
#define SNAPSHOT_TIME(s, x)  ((x) = snapshot_time(s, x, false))
#define SNAPSHOT_UNTIL(s, x) ((x) = snapshot_time(s, x, true))
#define SNAPSHOT_REAL(s, x)  ((x) = snapshot_real(s, x))
#define SNAPSHOT_SPAN(s, x)  ((x) = snapshot_span(s, x))
/* The number of one of n things; all bits set: of none. */
#define SNAPSHOT_ID(s, x, n) ((x) = (__typeof__(x))(snapshot_number(s, (__typeof__(x))((x) + 1u), n) - 1u))

#endif
