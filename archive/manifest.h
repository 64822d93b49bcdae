/*
 * The manifest of a capture: one trace of one host, its results, and the place of each member in the archive. Merging
 * archives does not change manifests.
 */
#ifndef XENMETER_ARCHIVE_MANIFEST_H
#define XENMETER_ARCHIVE_MANIFEST_H

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/buffer.h"
#include "metrics/measure/meter_options.h"

#define MANIFEST_SCHEMA "xenmeter.piece/2"

#define MANIFEST_BYTES_MAX (32u << 20)     /* of its text: some 150000 members */
#define NAMES_MEMBER       "names.txt"     /* the file of --names */
#define IO_COUNTS_MEMBER   "io-counts.csv" /* the file of --io-counts: outside counters */
#define HOST_FACTS_MEMBER                                                                                    \
    "host/000000.jsonl" /* the file of --host-facts, or the first that a recording wrote */
#define COUNTS_MEMBER "io-counts/%06" PRIu32 ".csv" /* counters that a recorder kept beside the trace */
#define CHECKPOINT_MEMBER                                                                                    \
    "checkpoint/%06" PRIu32 ".json"  /* a line with the manifest, and one with the summary, so far */
#define HOST_MAX         41          /* a host's label, with the NUL */
#define CAPTURE_ID_BYTES 17          /* 16 hexadecimal digits and the NUL */
#define MEMBER_NAME      48          /* a member's name inside its capture, with the NUL */
#define CHUNK_MAX        (32u << 20) /* bytes of a chunk of the trace; a reader holds several chunks */
#define DIGEST_BYTES     16          /* XXH3-128, most significant byte first */

enum member_kind {
    MEMBER_TRACE,    /* trace/NNNNNN.xt: a chunk of the trace */
    MEMBER_SNAPSHOT, /* snapshot/NNNNNN.bin: with it reading can begin at that chunk */
    MEMBER_RESULTS,  /* results/BY/NNNNNN.jsonl */
    MEMBER_HOST,     /* host/NNNNNN.jsonl: what the trace cannot tell of its host (host_facts.h) */
    MEMBER_COUNTS,   /* io-counts/NNNNNN.csv: outside counters that a recorder kept */
    MEMBER_OTHER
};

struct member {
    char name[MEMBER_NAME];
    enum member_kind kind;
    uint32_t frame; /* index in the capture's frames */
    uint32_t at;    /* where the member's content begins in the frame's content */
    uint32_t bytes;
    uint8_t digest[DIGEST_BYTES];
    uint32_t number; /* NNNNNN */
    enum by by;      /* MEMBER_RESULTS */
    /*
     * MEMBER_RESULTS: the span of its intervals and executions, ns, without whole-trace rows. MEMBER_TRACE: from:
     * offset of its first byte in the trace.
     */
    uint64_t from, to;
    uint64_t tsc; /* MEMBER_SNAPSHOT: it has all up to there; no record before the chunk is later */
};

/* The options with which the capture was made. */
struct capture_options {
    unsigned bys; /* 1 << enum by, or-ed */
    uint64_t granularities_ns[METER_GRANULARITIES];
    size_t granularities;
    bool executions;
    double cpu_hz; /* given; 0: measured */
    struct charge_options
        charge;     /* `idds` (65536 bytes, or NULL) belongs to the capture; `counters` is not kept here */
    bool io_counts; /* there is a member io-counts.csv */
};

struct capture {
    char host[HOST_MAX];
    char id[CAPTURE_ID_BYTES];
    const char *source; /* the name of the file, without directories; "-": standard input */
    const char *tool;   /* the program that made it: "xenmeter 0.1.0" */
    char *texts;        /* memory of the capture's, in which these may lie; or NULL */
    uint64_t tsc_first, tsc_last;
    double cpu_hz;
    uint64_t duration_ns;
    uint64_t trace_bytes; /* of the trace, decompressed */
    bool trace_stored;
    bool
        goes_on; /* it goes on with what was known at the end of the capture before: lives have the same numbers */
    struct capture_options options;
    struct member *members; /* in the order in which they were written */
    size_t members_n, members_capacity;
    /* place in the archive, from the archive's contents */
    uint32_t first_frame;
    uint32_t frames; /* the last one has the manifest */
    uint32_t manifest_bytes;
    uint8_t manifest_digest[DIGEST_BYTES];
};

void capture_free(struct capture *p);

/* Copies the options, and their lists. False: no memory; capture_free in both cases. */
bool capture_keep_options(struct capture *p, const struct capture_options *o);

/* The member's name in the tar file, "HOST/ID/NAME". `to` has TAR_NAME_MAX bytes. */
void capture_member_path(const struct capture *p, const char *name, char *to);

/* Whether a label is valid for a host: 1 to 40 of [A-Za-z0-9._-], the first a letter or digit. */
bool host_label_fine(const char *label);

/* Whether this is a capture's id: 16 lower-case hexadecimal digits. */
bool capture_id_fine(const char *id);

/* Room for one more member at the end; NULL: no memory. */
struct member *capture_new_member(struct capture *p);

/* Fills name, kind, number and by from a name inside a capture. False: no valid name. */
bool member_named(struct member *m, const char *name);

/* Appends the JSON document (without the capture's place in the archive). b->failed: no memory. */
void manifest_put(struct buffer *b, const struct capture *p);

/*
 * Reads the document, which may be hostile, into a capture that has nothing but a place: afterwards the names and numbers of all
 * members are valid (but for their places, which are the caller's to check), and the chunks of a stored trace follow each
 * other without a gap and make up trace_bytes. -1 with `err` filled; capture_free in both cases.
 */
int manifest_read(struct capture *p, const char *text, size_t n, struct error *err);

/* The digest of n bytes. */
void digest_of(const void *bytes, size_t n, uint8_t digest[DIGEST_BYTES]);

#endif
