/* A small recording, for tests that keep a part of its bytes in files, and what its archive has to say. */
#ifndef XENMETER_TESTS_UNIT_CUT_RECORDING_H
#define XENMETER_TESTS_UNIT_CUT_RECORDING_H

#include "archive/capture_writer.h"
#include "archives.h"

#define FIRST_TSC 1000

/*
 * A cycle is a ns. In interval i of 10 ns domain 7 runs i + 1 ns, and domain 0 runs 10 ns: 4 for domain 7, 5 for itself, 1 for
 * nobody that is known. Domain 8 is seen first at 25 ns, and was blocked before; from then on it runs 2 ns in each interval. Intervals of 40 ns are
 * kept, too.
 */
struct recording {
    struct kept kept;
    struct frame_writer *frames;
    struct capture_writer *writer;
    struct consumer consumer;
    struct clock clock;
    struct summary summary;
    struct measures fine[3], coarse[3];
    uint64_t intervals;
    unsigned facts; /* members */
};

/* ---- made ---- */

/* It keeps intervals of two lengths, and the whole. */
void begin_recording(struct recording *r, const uint64_t granularities_ns[2]);

/* Hands out an interval, with its charges. */
void hand_out(struct recording *r, uint64_t granularity_ns, uint64_t start_ns, uint64_t end_ns,
              const struct measures m[3]);

/* A checkpoint, with facts before it, when all up to that moment is settled. */
void check_point(struct recording *r, uint64_t settled_ns);
void end_recording(struct recording *r);

/*
 * Two checkpoints: at 57 ns, after 5 intervals, and at 93 ns, after 9; then results without one. `first` and `second`: bytes of the
 * file with them.
 */
void record_two(struct recording *r, size_t *first, size_t *second);

/* And the end, as it is after 10 intervals; `frames`: bytes without seal and seek table. */
void complete(struct recording *r, size_t *frames);

/* ---- files ---- */

extern char partial[80], whole[80], damaged[80]; /* in a folder of the test's own */
void begin_folder(void);

/* Nothing else may be left in it. */
void end_folder(void);
void write_file(const char *path, const void *bytes, size_t n);
bool is_there(const char *path);

/* ---- what an archive says ---- */

struct said {
    uint64_t whole_ns, whole_ran[9], whole_blocked[9], charged, own, unattributed, cut_start, cut_end;
    int64_t cut_ran; /* of domain 7, in the interval of 40 ns that ends with the archive */
    size_t wholes, fine, coarse;
};

/* Verifies it, too. summary_free. */
void read_archive(const char *path, struct said *said, struct summary *summary);

/* What the archive of n intervals (5 or 9) says: all sums, worked out from the comment above. */
void check_archive(const char *path, uint64_t n);

#endif
