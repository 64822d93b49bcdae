/* All captures of all archives of a fleet, read once. */
#ifndef XENMETER_ACCOUNT_FLEET_H
#define XENMETER_ACCOUNT_FLEET_H

#include "account/files.h"
#include "account/recorded.h"
#include "account/statement.h"
#include "account/texts.h"
#include "account/vm.h"

struct fleet_capture {
    size_t file; /* its number among the files */
    size_t nth;  /* and among the captures of that archive */
    struct recorded recorded;
    const char *host; /* the label; where a boot has several, the first in order. A kept text */
    struct vm_life *lives;
    size_t lives_n;
    uint64_t frame_at, frame_n;              /* its archive's extract, in the spool */
    uint64_t rows_at, rows_n;                /* and in its text lines of recorded_rows.whole */
    uint64_t counts_from_tsc, counts_to_tsc; /* what counts of it (overlap.h); nothing: both are from_tsc */
};

struct fleet {
    struct files files;
    struct texts texts;
    int spool; /* a file without a name that has all extracts */
    uint64_t spool_n;
    struct fleet_capture *captures; /* those that have their place in time, by host, boot and time stamps */
    size_t n, capacity;
};

/*
 * Reads all archives, reports those that cannot be used (options.finding), and decides what counts where they overlap. -1 with `err`
 * filled: none can be used, or memory ran out. Folders' indexes are used, and written anew where they are not right any more (index.h).
 * fleet_free in both cases.
 */
int fleet_read(struct fleet *f, const struct account_options *o, struct error *err);
void fleet_free(struct fleet *f);

/* The text of the capture's archive, from malloc, the caller's; from any thread. -1 with `err` filled. */
int fleet_text(const struct fleet *f, const struct fleet_capture *c, char **text, size_t *n,
               struct error *err);

/* The path of its archive. */
const char *fleet_file(const struct fleet *f, const struct fleet_capture *c);

#endif
