/*
 * What a trace cannot say about its host: who the domains are, what time of day it is, when nothing was recorded. Lines of JSON, each
 * an object with one key, the fact's kind, in the order in which they were learnt; every one has the moment, as the time stamp
 * counter had it. They are members host/NNNNNN.jsonl of archives, and files beside captures that were taken by hand.
 */
#ifndef XENMETER_ARCHIVE_HOST_FACTS_H
#define XENMETER_ARCHIVE_HOST_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/buffer.h"
#include "parser/error.h"

#define FACT_NAME 128 /* bytes of a name, with its NUL; longer ones are cut at a character's end */
#define FACT_UUID 37  /* 36 characters and the NUL; "": not known */

enum fact_kind {
    FACT_BOOT,
    FACT_CLOCK,
    FACT_DOMAIN,
    FACT_DOMAIN_GONE,
    FACT_AFFINITY,
    FACT_GAP,
    FACT_REDUCED,
    FACT_RECORDER,
    FACTS
};

/* Of the host; the first line. */
struct fact_boot {
    uint64_t tsc;
    int64_t utc_ns;          /* since 1970 */
    char boot_id[FACT_UUID]; /* of the driver domain's kernel */
    char host[FACT_NAME];    /* its name */
    char xen[FACT_NAME];     /* "4.17.5"; "": not known */
    uint32_t pcpus;          /* 0: not known */
};

/* The time of day at a moment, and how exact that is. */
struct fact_clock {
    uint64_t tsc;
    int64_t utc_ns;
    uint64_t monotonic_ns; /* CLOCK_MONOTONIC: a difference between the two is a step of the time of day */
    uint64_t error_ns;     /* at most */
    bool by_stream; /* read when the record with that tsc came, as this domain's counter is not the trace's */
};

/* A domain, from this moment on; again whenever anything of it has changed. */
struct fact_domain {
    uint64_t tsc;
    uint32_t domain;
    char uuid[FACT_UUID];
    char name[FACT_NAME];
    uint32_t vcpus;       /* online; 0: not known */
    uint32_t weight, cap; /* 0: not known */
    uint64_t memory_kib;
};

struct fact_domain_gone {
    uint64_t tsc;
    uint32_t domain;
};

struct fact_affinity {
    uint64_t tsc;
    uint32_t domain, vcpu;
    char hard[FACT_NAME], soft[FACT_NAME]; /* "0-3", "all", as xl has it */
};

/* Nothing was recorded. */
struct fact_gap {
    uint64_t tsc;                /* when recording went on, */
    int64_t from_utc_ns, utc_ns; /* since when it had not; 0: not known */
    char why[FACT_NAME];
};

/* From now on less is recorded; without `why`: all that was asked for again. */
struct fact_reduced {
    uint64_t tsc;
    int64_t utc_ns;
    uint32_t mask; /* of events, xentrace's */
    char why[FACT_NAME];
};

/* What recording itself took since it began. */
struct fact_recorder {
    uint64_t tsc;
    int64_t utc_ns;
    uint64_t cpu_ns, rss_bytes, trace_bytes, lost_records, stalled_ns;
    uint32_t restarts; /* of xentrace */
};

struct fact {
    enum fact_kind kind;
    union {
        struct fact_boot boot;
        struct fact_clock clock;
        struct fact_domain domain;
        struct fact_domain_gone gone;
        struct fact_affinity affinity;
        struct fact_gap gap;
        struct fact_reduced reduced;
        struct fact_recorder recorder;
    };
};

/* Copies a text into `size` bytes, and zeros after it: longer ones are cut at a character's end. */
void fact_text(char *to, size_t size, const char *s);

/* Appends its line. Names that are no UTF-8 are stored as JSON texts of their bytes, U+0080 to U+00FF. b->failed: no memory. */
void fact_put(struct buffer *b, const struct fact *f);

/* What lines say together. */
struct host_facts {
    struct fact_boot boot;     /* of the last line of its kind; boot_id "": none */
    struct fact_clock *clocks; /* by tsc, which differ */
    size_t clocks_n, clocks_capacity;
    struct fact_domain *
        domains; /* by domain, then tsc; one with a domain_gone has a row of its own, without name and UUID */
    size_t domains_n, domains_capacity;
    struct fact_affinity *affinities; /* by domain, vCPU, then tsc */
    size_t affinities_n, affinities_capacity;
    struct fact_gap *gaps; /* by tsc */
    size_t gaps_n, gaps_capacity;
    struct fact_reduced *reduced; /* by tsc */
    size_t reduced_n, reduced_capacity;
    struct fact_recorder recorder; /* the last */
};

/*
 * Adds what n bytes of whole lines say to *f (all zero at first). A fact that comes twice counts once; of two at one tsc the later
 * line counts. A line of another boot drops what was known before it, whose times and domains are not those of this boot. -1 with `err` filled: a line is none of these (the message names
 * its number), or there is no memory. Lines of kinds that are not known are passed over. host_facts_free in both cases.
 */
int host_facts_read(struct host_facts *f, const char *text, size_t n, struct error *err);
void host_facts_free(struct host_facts *f);

/* The domain at that moment, or, before its first line, as that says; NULL: none is known, or it is gone. */
const struct fact_domain *host_facts_domain(const struct host_facts *f, uint32_t domain, uint64_t tsc);

/*
 * The time of day of a moment, on the straight line between the pairs around it, and the other way round. Beyond the pairs by cpu_hz (0:
 * by what the pairs say), which is less exact. Where the time of day was set in between, each half counts from its own pair; of a
 * time of day that came twice the first moment counts. *error_ns (may be NULL): at most so far off. False: there is no pair, or
 * no frequency, or the result is out of range.
 */
bool host_facts_utc(const struct host_facts *f, double cpu_hz, uint64_t tsc, int64_t *utc_ns,
                    uint64_t *error_ns);
bool host_facts_tsc(const struct host_facts *f, double cpu_hz, int64_t utc_ns, uint64_t *tsc);

#endif
