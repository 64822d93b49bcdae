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
    char *rows; /* lines of recorded_rows.whole */
    size_t rows_n;
    uint64_t counts_from_tsc, counts_to_tsc; /* what counts of it (overlap.h); nothing: both are from_tsc */
};

struct fleet {
    struct files files;
    struct texts texts;
    struct fleet_capture *captures; /* those that have their place in time, by host, boot and time stamps */
    size_t n, capacity;
};

/*
 * Reads all archives, reports those that cannot be used (options.finding), and decides what counts where they overlap. -1 with `err`
 * filled: none can be used, or memory ran out. fleet_free in both cases.
 */
int fleet_read(struct fleet *f, const struct account_options *o, struct error *err);
void fleet_free(struct fleet *f);

/* The path of its archive. */
const char *fleet_file(const struct fleet *f, const struct fleet_capture *c);

#endif
