/* Pipelines whose results are kept as text, to be compared, and captures that can be read from a place in their middle. */
#ifndef XENMETER_TESTS_UNIT_SNAPSHOTS_KEPT_H
#define XENMETER_TESTS_UNIT_SNAPSHOTS_KEPT_H

#include "formats/buffer.h"
#include "metrics/pipeline.h"
#include "metrics/snapshot_maker.h"

#define BYS      4
#define CUTS_MAX 512

/* What part of the time is asked for; to 0: to the end. */
struct part {
    uint64_t from_ns, to_ns;
};

/*
 * Rows of that part, by intervals of 100 ms, the whole, and executions: all that is handed out is appended as lines. `charge`:
 * charges, too; NULL: without.
 */
struct pipeline *kept_pipeline(enum by by, const struct part *part, const struct charge_options *charge,
                               struct buffer *lines);

/* A place where the capture can be begun. */
struct cut {
    uint64_t offset, tsc;
    uint8_t *bytes; /* of the snapshot; NULL: there is none */
    size_t n;
};

struct capture_kept {
    uint8_t *bytes;
    size_t n, capacity;
    size_t chunk_bytes; /* at least, from one cut to the next */
    struct cut cuts[CUTS_MAX];
    unsigned cuts_n, snapshots;
    struct snapshot_maker *maker;
    struct charge_options charge; /* `wanted`: with charges */
    struct clock clock;
    uint64_t end_ns;
};

/* Reads a capture with the clock's frequency (0: measured) and keeps it with its snapshots; `charge`: with charges, or NULL. */
void kept_read(struct capture_kept *k, const char *path, double cpu_hz, size_t chunk_bytes,
               const struct charge_options *charge);
void kept_free(struct capture_kept *k);

/*
 * Reads the part from the beginning, and by way of the latest `ways` snapshots that are early enough, and checks that all
 * that comes out is the same. Returns how many ways there were.
 */
unsigned kept_compare(const struct capture_kept *k, const struct part *part, unsigned ways);

/* Whether two texts are the same. */
bool same_lines(const struct buffer *a, const struct buffer *b);

#endif
