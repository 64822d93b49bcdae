/*
 * Closed statements, and corrections of them: files that never change. Lines of JSON: what the statement is and rests on, an entry for
 * each row, and the seal, which is the XXH3-128 of all bytes before its line. It shows that a file was altered by accident or by hand;
 * it is no signature.
 *
 * A correction belongs to an open period. It takes back entries of a closed one, and says what stands in for them. A statement and all
 * its corrections, added up, are what a new statement of the period would say, to the ns and the last digit.
 */
#ifndef XENMETER_ACCOUNT_CLOSED_H
#define XENMETER_ACCOUNT_CLOSED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "account/entry.h"
#include "archive/manifest.h"
#include "formats/buffer.h"
#include "parser/error.h"

#define CLOSED_WORD 16

/* A file that it rests on: an archive, or a closed statement or correction. */
struct closed_file {
    const char *file; /* its name without folders */
    uint64_t bytes;
    uint8_t digest[DIGEST_BYTES]; /* of an archive: of all its bytes; else its seal */
};

struct closed {
    char kind[CLOSED_WORD]; /* "statement" "correction" */
    const char *program;    /* "xenmeter 0.1.0" */
    const char *label;      /* the period, as it was asked for: "2026-11" */
    const char *zone;       /* NULL: that of the system */
    struct account_period period;
    /* of a correction: the closed period; else the same as above */
    const char *closed_label;
    struct account_period closed_period;
    const char *reason; /* as it was given; NULL: none */
    const char *cause;  /* what differs from what was closed; NULL: none */
    /* how rows were made */
    char granularity[CLOSED_WORD], share_idle[CLOSED_WORD], share_overhead[CLOSED_WORD], basis[CLOSED_WORD];
    const char *currency; /* NULL: nothing was priced */
    uint32_t digits;
    const char *rounding;     /* the rule, in words; NULL: nothing was priced */
    const char *rates, *tags; /* the files' texts; NULL: none */
    struct closed_file *archives, *corrects;
    size_t archives_n, corrects_n;

    struct entries entries; /* in order */
    uint8_t seal[DIGEST_BYTES];
    char *texts; /* memory of the texts of one that was read; NULL: they are somebody else's */
};

/* Appends the whole file, and fills the seal. Entries are brought into order. b->failed: no memory. */
void closed_put(struct buffer *b, struct closed *c);

/* Reads one, which may be hostile; closed_free in both cases. -1 with `err` filled, which names the line: altered, or damaged. */
int closed_read(struct closed *c, const char *text, size_t n, struct error *err);
void closed_free(struct closed *c);

/*
 * What has to be added to `old` (statement and corrections so far, in any order) so that it becomes `now`: reversals and new entries,
 * added to `to`. Where nothing differs, nothing. -1 with `err` filled: no memory, or sums out of range.
 */
int closed_correct(struct entries *to, const struct entries *old, struct entries *now, struct error *err);

/*
 * Adds up what is about the same: `to` gets an entry for each, with the prices and texts of the last round, without those that are nothing. -1 as
 * above.
 */
int closed_replay(struct entries *to, struct entries *all, struct error *err);

/* In words how what a correction rests on differs from what was closed: "2 archives more, 1 other, 1 missing; other rates". */
void closed_cause(struct buffer *to, const struct closed *old, const struct closed *now);

/* Adds the file's name, size and digest. -1 with `err` filled: it cannot be read, or no memory. */
int closed_add_archive(struct closed *c, size_t *capacity, const char *path, struct error *err);

/* DIGEST_BYTES as text. */
#define CLOSED_HEX (2 * DIGEST_BYTES + 1)
const char *closed_hex(char to[CLOSED_HEX], const uint8_t digest[DIGEST_BYTES]);

#endif
