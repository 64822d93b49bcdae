/* What a capture, or the part of it that lies in a period, has: rows by domain, charges, idle time. */
#ifndef XENMETER_ACCOUNT_TALLY_H
#define XENMETER_ACCOUNT_TALLY_H

#include "account/peaks.h"
#include "account/period.h"
#include "account/recorded.h"
#include "archive/aggregate.h"
#include "parser/error.h"

/* All zero is a new one; tally_clear keeps its memory for the next. */
struct tally {
    struct aggregate domains;         /* rows by domain, and charges */
    struct aggregate pcpus;           /* rows by pCPU of a part; the whole has idle_ns only */
    uint64_t recorded_ns;             /* how long that is; each interval once */
    uint64_t idle_ns;                 /* of all pCPUs */
    struct peaks peaks;               /* as far as peaks_known says */
    bool peaks_known;                 /* tally_peaks was called */
    bool any;                         /* anything of it counts: */
    int64_t begin_utc_ns, end_utc_ns; /* from its first moment to its last */
    bool made;
};
void tally_free(struct tally *t);
void tally_clear(struct tally *t);

/* What counts of a capture. */
struct tally_part {
    struct account_period period; /* intervals whose middle is in it, */
    uint64_t from_tsc, to_tsc;    /* and that lie wholly in this part */
};

/* By the rows of the whole (struct recorded_rows). -1 with `err` filled: damaged, or no memory. */
int tally_whole(struct tally *t, const struct recorded *r, const char *rows, size_t n, struct error *err);

/* By the capture's shortest intervals (r->shortest_ns is not 0), with all facts about it. As tally_whole. */
int tally_intervals(struct tally *t, struct archive *a, const struct capture *p, const struct host_facts *f,
                    const struct recorded *r, const struct tally_part *part, struct error *err);

/*
 * Adds the peaks of the intervals that count: those of the part, or all (NULL). After tally_whole or tally_intervals. As tally_whole.
 */
int tally_peaks(struct tally *t, struct archive *a, const struct capture *p, const struct host_facts *f,
                const struct recorded *r, const struct tally_part *part, struct error *err);

/* What a tally has of all its domains. */
struct tally_totals {
    uint64_t running_ns;  /* all of them */
    uint64_t driver_ns;   /* of it: as driver domains, which is charged */
    uint64_t capacity_ns; /* pCPUs x time */
};

/* What cannot be in a tally, in words; NULL: nothing. `idds`: its charges (aggregate_charges). Fills *totals. */
const char *tally_wrong(const struct tally *t, const struct recorded *r, const struct charge_idd *idds,
                        struct tally_totals *totals);

/* The driver domain that this row is about, or NULL. */
const struct charge_idd *tally_idd_of(const struct charge_idd *idds, size_t n, const struct row *row);

#endif
