/*
 * A capture of an archive as an account sees it: which host, which time, who its VMs were, what they used. It is read once; from then on
 * all but single intervals is known without the archive.
 */
#ifndef XENMETER_ACCOUNT_RECORDED_H
#define XENMETER_ACCOUNT_RECORDED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "archive/archive.h"
#include "archive/host_facts.h"
#include "formats/buffer.h"
#include "metrics/verdict.h"
#include "parser/error.h"

#define RECORDED_WHY 160

/* What of it fits in a document; the rest is in struct recorded_rows. */
struct recorded {
    char host[HOST_MAX];       /* its label */
    char id[CAPTURE_ID_BYTES]; /* in its archive */
    char boot_id[FACT_UUID];   /* "": not known */
    bool timed;                /* the times of day are known; else the capture cannot be placed */
    bool given;                /* these are by the facts that were given, not by its own */
    bool goes_on;              /* it adjoins the capture before, and its incarnations have the same numbers */
    bool whole; /* rows of the whole capture are kept; else its intervals have to be added up */
    uint64_t from_tsc, to_tsc; /* what is accounted for: from <= to */
    uint64_t length_ns;        /* the same in ns */
    int64_t begin_utc_ns, end_utc_ns;
    uint64_t error_ns;      /* these are off by at most that */
    uint32_t pcpus;         /* of the host, as far as known; at least those that wrote */
    uint64_t idle_ns;       /* of all pCPUs in all of it; 0 where rows by pCPU are not kept */
    uint64_t shortest_ns;   /* the shortest intervals that are kept; 0: none */
    bool by_pcpu;           /* rows by pCPU are kept */
    uint32_t verdict;       /* enum verdict */
    char why[RECORDED_WHY]; /* the first reason; "": it is good */
    uint64_t lost_records;
};

/* Lines of the capture's rows, in the form in which they are stored again. */
struct recorded_rows {
    struct buffer
        lives; /* who the VMs were: facts about domains (host_facts.h), whose "tsc" is the number of the incarnation */
    struct buffer
        whole; /* results (results.h): the whole by domain, without lengths of executions and blockings; and charges */
};
void recorded_rows_free(struct recorded_rows *rows);

/*
 * Reads capture p of an archive. `given` (NULL: none): facts for a capture that has no times of day itself. `rows` is all zero, and freed
 * by the caller in both cases. -1 with `err` filled: damaged.
 */
int recorded_read(struct archive *a, const struct capture *p, const struct host_facts *given,
                  struct recorded *r, struct recorded_rows *rows, struct error *err);

/* All facts of a capture, added to *facts (all zero; host_facts_free in both cases). -1 with `err` filled: damaged. */
int recorded_facts(struct archive *a, const struct capture *p, const struct host_facts *given,
                   struct host_facts *facts, struct error *err);

/* The shortest interval lengths, ns; 0: none. */
uint64_t recorded_shortest(const struct capture *p);

#endif
