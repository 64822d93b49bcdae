/*
 * What several archives have of the same time counts once.
 *
 * Captures of one boot (boot id; where that is not known, the host's label) are compared by their time stamps, which one counter made.
 * Where two overlap, one wins and has all its time; of the other only what the winner has not. It wins
 *
 *     1. which holds all of the other's time, and more;
 *     2. else that with the better verdict;
 *     3. else the longer one, else that with fewer lost records, else the one of the file whose name comes first.
 *
 * What is left of the other counts by its shortest intervals: those that lie wholly outside the winner's time. An interval that lies
 * partly in it does not count: no moment counts twice, and less than one such interval is missing at each end, as not recorded.
 */
#ifndef XENMETER_ACCOUNT_OVERLAP_H
#define XENMETER_ACCOUNT_OVERLAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "metrics/verdict.h"

/* A capture, as far as this goes. */
struct overlap_claim {
    uint64_t from_tsc, to_tsc; /* from < to */
    enum verdict verdict;
    uint64_t lost_records;
    const char *file;
};

/* A part of a claim that counts. */
struct overlap_part {
    size_t claim; /* its index */
    uint64_t from_tsc, to_tsc;
};

/*
 * Shares out the time of n claims of one boot: *parts (from malloc, the caller's) gets the parts that count, by claim, then by time; a
 * claim that counts whole has one part that is all of it. False: no memory.
 */
bool overlap_resolve(const struct overlap_claim *claims, size_t n, struct overlap_part **parts,
                     size_t *parts_n);

#endif
