/*
 * The sums behind Prometheus' counters: what intervals add up to, by domain, vCPU or pCPU, and who used which driver domain. A sum
 * belongs to its labels: what has the same labels adds up, so a counter never falls, whatever happens to ids of domains or to the
 * pipe that the trace comes from.
 *
 *     metric_book_new -> (metric_book_add* metric_book_note prometheus_put)* -> metric_book_free
 */
#ifndef XENMETER_FORMATS_METRIC_BOOK_H
#define XENMETER_FORMATS_METRIC_BOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/writer.h"
#include "metrics/relation/charges.h"

#define METRIC_SUBJECTS     500           /* the default of `most` */
#define METRIC_SUBJECTS_MAX 100000        /* the largest */
#define METRIC_KEEP_NS      300000000000u /* of trace time: how long sums of what is gone stay */

struct metric_book_options {
    unsigned bys;           /* 1 << enum by, or-ed; not BY_DOMAIN_PCPU */
    const uint8_t *domains; /* a byte for each of 65536 domain ids: only these; NULL: all */
    size_t most;            /* subjects of a kind; what is beyond adds up under domain="other" */
    name_lookup name_of;    /* may be NULL */
    const void *names;
    name_lookup uuid_of; /* may be NULL */
    const void *uuids;
};

/* What sums are about: rows of enum by; driver domains; guests of driver domains. In the order in which they are written. */
enum metric_kind {
    METRIC_DOMAIN = BY_DOMAIN,
    METRIC_VCPU = BY_VCPU,
    METRIC_PCPU = BY_PCPU,
    METRIC_DRIVER_DOMAIN,
    METRIC_CHARGE,
    METRIC_KINDS
};

enum metric_charge {
    METRIC_CHARGED,
    METRIC_CHARGED_MEASURED,
    METRIC_RAN,
    METRIC_OWN,
    METRIC_UNATTRIBUTED,
    METRIC_CHARGES
};

struct metric_sum {
    enum metric_kind kind;
    int32_t driver_domain;              /* of the last two kinds; else -1 */
    struct row row;                     /* ids: INT32_MAX: of all others. Its `measures` are not set */
    uint64_t seen_ns;                   /* the book's time when it was seen last */
    struct measures measures;           /* of the kinds by row */
    uint64_t charge_ns[METRIC_CHARGES]; /* of the others */
    char *labels;                       /* domain="1",name="web" */
};

struct metric_book {
    struct metric_book_options options;
    struct metric_sum **sums; /* by kind, domain, vCPU, pCPU, labels */
    size_t n, capacity;
    size_t of_kind[METRIC_KINDS];
    uint64_t beyond;  /* rows that were added to "other" */
    uint64_t time_ns; /* that the intervals cover */
    /* The trace as it was noted last, and before it those that have ended. */
    struct quality quality, ended;
    enum verdict verdict, charges_verdict;
    bool noted, charges_judged;
    double cpu_hz;
    unsigned pcpus;
};

/* NULL: no memory. Options are copied, what they point to outlives the book. */
struct metric_book *metric_book_new(const struct metric_book_options *o);
void metric_book_free(struct metric_book *book);

/*
 * Adds one interval's rows (relation_rows; those of the first subject of `bys` first), or its charges (relation_charges). Intervals
 * must not overlap. False: no memory; the book can only be freed then.
 */
bool metric_book_add(struct metric_book *book, const struct rows *rows);

/* Notes what is known of the trace by now: counts, verdict, frequency. */
void metric_book_note(struct metric_book *book, const struct report_summary *summary);

/* The trace that was noted has ended, and another one follows. */
void metric_book_trace_ended(struct metric_book *book);

/* Drops the sums of what was not seen for METRIC_KEEP_NS. */
void metric_book_forget(struct metric_book *book);

#endif
