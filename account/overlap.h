/*
 * What several archives have of the same time counts once.
 *
 * Captures of one boot (by its id) are compared by their time stamps, which one counter made; those of hosts whose boots are not known, by
 * label and time of day:
 *
 *     1. A capture that lies wholly in another one's time does not count. Of two with the same time the better one counts.
 *     2. Where two others overlap, the better one has all its time, the other one what is left of it.
 *
 * Better is the one with the better verdict; else the longer one, the one with fewer lost records, the one whose file comes first by
 * name.
 *
 * What is left of a capture counts by its shortest intervals: those that lie wholly in what is left. An interval that lies partly in the
 * other capture's time does not count: no moment counts twice, and less than one such interval is missing, as not recorded.
 */
#ifndef XENMETER_ACCOUNT_OVERLAP_H
#define XENMETER_ACCOUNT_OVERLAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "metrics/verdict.h"

/* A capture, as far as this goes. */
struct overlap_claim {
    uint64_t from, to; /* from <= to */
    enum verdict verdict;
    uint64_t lost_records;
    const char *file;
    size_t of;                       /* for the caller */
    uint64_t counts_from, counts_to; /* the result: what counts of it; nothing: both are from */
};

/* Shares out the time of the n claims of one boot. The array is brought into another order: by time. False: no memory. */
bool overlap_resolve(struct overlap_claim *claims, size_t n);

/* Whether all of it counts. */
static inline bool overlap_is_whole(const struct overlap_claim *c)
{
    return c->counts_from == c->from && c->counts_to == c->to;
}

#endif
