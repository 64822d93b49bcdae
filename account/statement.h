/*
 * Statements: what each VM of a fleet used in each period, from any number of archives of any number of hosts.
 *
 * A statement comes period by period, in ascending order; of each period come all hosts of which anything was recorded, all VMs by
 * host, and what driver domains did for whom. These are sums of what archives keep, to the ns. Two identities hold:
 *
 *     of a host:   guests_ns + charged_ns + own_ns + unattributed_ns + idle_ns + unknown_ns = capacity_ns
 *     of its VMs:  used_ns, charged_ns, own_ns, unattributed_ns of all rows of a host add up to guests_ns, charged_ns, ... of the host;
 *                  so does served_ns, to charged_ns
 *
 * All times are ns of CPU time where nothing else is said, 0 or more. Moments are ns since 1970, UTC.
 *
 * Which period a row of an archive belongs to: an archive that lies inside one period counts by its row of the whole. One that lies in
 * several counts by its shortest intervals; each counts, undivided, in the period in which its middle lies. So periods add up
 * exactly, and may be off by half of such an interval at each end (1 s, unless it was recorded otherwise). An archive without intervals
 * counts where its middle lies. What lies less than ACCOUNT_SLACK_NS beyond a period's end does not divide an archive.
 *
 * What two archives both have counts once: see overlap.h.
 */
#ifndef XENMETER_ACCOUNT_STATEMENT_H
#define XENMETER_ACCOUNT_STATEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "account/period.h"
#include "archive/host_facts.h"
#include "metrics/measure/histogram.h"
#include "metrics/measure/io.h"
#include "metrics/measure/row.h"
#include "metrics/verdict.h"
#include "parser/error.h"

/* A time during which a host was recorded. */
struct account_span {
    int64_t begin_utc_ns, end_utc_ns;
};

/* A host in a period. */
struct account_host {
    const char
        *name;      /* the label of its archives; where a boot has archives of several, the first in order */
    uint32_t pcpus; /* the most that any of its archives has */
    uint32_t archives; /* captures that count in this period, whole or in part */
    uint32_t vms;      /* rows of this host, driver domains included */

    uint64_t capacity_ns;     /* pCPUs x recorded_ns, capture by capture: the sum of these: */
    uint64_t guests_ns;       /* ran: all but what driver domains ran as such */
    uint64_t charged_ns;      /* driver domains ran for guests, */
    uint64_t own_ns;          /* for themselves, */
    uint64_t unattributed_ns; /* and for nobody knows whom */
    uint64_t idle_ns;
    /* Nobody knows who ran, or that nobody did: lost records, pCPUs that were not recorded. Never idle. */
    uint64_t unknown_ns;

    uint64_t recorded_ns;             /* how long, by the clock of the traces, each moment once */
    uint64_t not_recorded_ns;         /* of the period's length what no span has, by the time of day */
    const struct account_span *spans; /* when, inside the period; ascending, none touches the next */
    size_t spans_n;
    enum verdict verdict; /* the worst of its captures, */
    const char *why;      /* and why; "": it is good */
};

/*
 * Who a VM is: by its UUID where that is known, else by its name, else by host, boot, domain id and incarnation. Domain 0 is its host's
 * in all boots.
 */
struct account_vm {
    const char
        *key; /* tells it from all others: "uuid:...", "name:...", "domain:HOST/BOOT/7#2", "domain:HOST/0" */
    const char *uuid; /* "": not known */
    const char *name; /* the last in this period; "": not known */
};

/* What a VM cost in the period before, as measured. */
struct account_before {
    uint64_t total_ns; /* NS_UNKNOWN: it was not there, or nothing was recorded just before this period */
    uint64_t recorded_ns;
};

/* A VM on a host in a period; or, added up by account_sum_add, on several hosts. */
struct account_row {
    struct account_period period;
    const struct account_vm *vm;     /* NULL: several (account_sum_add) */
    const struct account_host *host; /* NULL: several */
    /* Id and incarnation, the last on that host in this period; -1, 0: several, or time that is nobody's (bill.h). */
    int32_t domain;
    uint32_t life;
    uint32_t vcpus;       /* allocated: the most at a time */
    uint32_t weight, cap; /* of the scheduler, the last; 0: not known (cap: or none) */
    uint64_t memory_kib;  /* the last; 0: not known */
    bool driver_domain;   /* served_ns, own_ns, unattributed_ns are of use */

    uint64_t existed_ns; /* how long the VM was there, of recorded_ns; of several hosts: the sum */
    uint64_t vcpu_ns;    /* vCPUs x existed_ns, what was reserved: the sum of these: */
    uint64_t running_ns, runnable_ns, blocked_ns, offline_ns, unknown_ns;
    uint64_t doubtful_ns; /* part of these */

    uint64_t total_ns;   /* what the VM costs: used_ns + charged_ns + own_ns + unattributed_ns */
    uint64_t used_ns;    /* of running_ns: what it ran for itself; all, but of driver domains */
    uint64_t charged_ns; /* driver domains ran for it: the sum of these: */
    uint64_t measured_ns, certain_ns, inferred_ns;
    /* Of a driver domain: running_ns = used_ns + served_ns + own_ns + unattributed_ns */
    uint64_t served_ns, own_ns, unattributed_ns; /* for others; for itself; for nobody knows whom */

    uint64_t executions;
    uint64_t io[IO_KINDS];        /* as a guest; from IO_TX on: where outside counters were recorded */
    const struct histogram *wait; /* waits for a pCPU; never NULL. max_at is not of use: */
    int64_t wait_max_at_utc_ns;   /* where the longest ended; 0: there is none */
    /* The most of total_ns in any 1 s and any 300 s, counted from an archive's beginning; NS_UNKNOWN: not asked for, or not kept. */
    uint64_t peak_1s_ns, peak_5min_ns;

    /*
     * How long its host was recorded, and the rest of the period, as in struct account_host. Of one VM on several hosts: how long one of
     * them recorded the VM, or, if that is longer, how long all of them were recorded at once. Of several VMs, and of idle and unknown
     * time: of the host that was recorded least. So no row is more complete than what it adds up.
     */
    uint64_t recorded_ns, not_recorded_ns;
    struct account_before before;    /* on this host; of a sum: what it is compared with */
    struct account_before vm_before; /* on all hosts; a sum has none */
    enum verdict verdict;            /* of its hosts, the worst */
    const char *why;
};

/* What a driver domain did for a guest: one for each pair of a host and period. */
struct account_service {
    const struct account_host *host;
    const struct account_vm *driver_domain, *guest;
    uint64_t charged_ns, measured_ns, certain_ns, inferred_ns; /* charged_ns: the sum of the three */
};

/* All that a statement says of one period. */
struct account_statement {
    struct account_period period;
    const struct account_host *hosts; /* by name */
    size_t hosts_n;
    const struct account_row *rows; /* by host, then vm->key: those of one host follow each other */
    size_t rows_n;
    const struct account_service *services; /* by host, driver domain, guest */
    size_t services_n;
};

/* What a person ought to know of the archives. */
enum account_finding_kind {
    ACCOUNT_DAMAGED,      /* an archive cannot be read: left out */
    ACCOUNT_UNPLACED,     /* a capture has no wall clock: left out */
    ACCOUNT_OVERLAP,      /* two captures have the same time: it counts once */
    ACCOUNT_TWO_HOSTS,    /* a VM was on two hosts at one moment */
    ACCOUNT_COARSE,       /* intervals longer than a minute lie in two periods */
    ACCOUNT_INCONSISTENT, /* numbers of an archive contradict each other: left out */
    ACCOUNT_FINDINGS
};

struct account_options {
    const char *const *paths; /* archives, and folders, which are searched for NAME.xma; "-" is none */
    size_t paths_n;
    const struct host_facts *given; /* facts for captures without their own wall clock; NULL: none */
    enum account_granularity granularity;
    int64_t from_utc_ns, to_utc_ns; /* only this time; INT64_MIN, INT64_MAX: open */
    const int64_t *
        cuts; /* moments, ascending, at which periods are divided as well (prices change there); NULL: none */
    size_t cuts_n;
    bool
        before; /* the period before from_utc_ns is read, too, and not handed out: for the first row's changes */
    bool peaks;            /* peak_1s_ns, peak_5min_ns are wanted: all intervals are read, which takes long */
    unsigned jobs;         /* threads; 0 is 1 */
    uint64_t memory_limit; /* bytes for one period's sums; 0: no limit */
    void *context;
    /* A finding; NULL: not wanted. `file`: the archive. Called by the thread of account_run. */
    void (*finding)(void *context, enum account_finding_kind kind, const char *file, const char *what);
    /* An archive counts in a period that is handed out next; NULL: not wanted. May come several times. */
    void (*used)(void *context, const char *file);
    /* So many of all archives were read; NULL: not wanted. */
    void (*progress)(void *context, uint64_t done, uint64_t all);
};

/*
 * Reads the archives, and hands each period to `take`, in ascending order, those without anything recorded left out; what it is handed is
 * valid during the call. 0; -1 with `err` filled: no archive could be read, a path is none, memory ran out (or its limit); or what `take`
 * returned if that is not 0, at once, err untouched.
 */
int account_run(const struct account_options *o,
                int (*take)(void *context, const struct account_statement *statement), void *context,
                struct error *err);

/* A list of spans from malloc. */
struct account_spans {
    struct account_span *at;
    size_t n, capacity;
};

/*
 * For sums by VM, by host, by tag. All zero is an empty sum; `row.wait` points to its own histogram as soon as something was added, so it
 * is not copied. What differs (vm, host, domain) becomes NULL, -1, 0. Of several VMs there are no peaks, and nothing is compared.
 */
struct account_sum {
    bool
        all_hosts; /* set it before the first row: rows come of all hosts of a VM, and so does what they are compared with */
    struct account_row row;
    struct histogram wait;
    /* As long as the rows are of one VM: times in which any of its hosts was recorded; in which any was not. */
    struct account_spans any, gaps;
    uint64_t least_recorded_ns, most_missing_ns; /* of the host that was recorded least */
    int64_t latest_utc_ns; /* where the last recording of a host ends: that host's names count */
};
/* Adds a row of a statement, of the same period. False: no memory. */
bool account_sum_add(struct account_sum *into, const struct account_row *from);
void account_sum_free(struct account_sum *s);

/*
 * What the row is compared with: the total of the period before, scaled to as much recorded time as the row has. NS_UNKNOWN: nothing, or
 * one of the two was not recorded.
 */
uint64_t account_compared_ns(const struct account_row *row);

/* How much of the period was recorded, per cent. 100 only if all of it was. */
double account_covered_pct(const struct account_period *period, uint64_t not_recorded_ns);

/*
 * Sorts spans, puts those together that overlap or have less than ACCOUNT_SLACK_NS between them, and cuts them to the period, from whose
 * ends they are off by less. Returns how many are left.
 */
#define ACCOUNT_SLACK_NS 10000000
size_t account_spans_merge(struct account_span *spans, size_t n, const struct account_period *period);

/* Of the period's length what no span has. The spans are merged. */
uint64_t account_spans_lack(const struct account_span *spans, size_t n, const struct account_period *period);

/* What a VM is called: its name, else its UUID, else its domain id and host. */
const char *account_vm_shown(const struct account_vm *vm);

/* Whether a pattern of a shell matches what the VM is called, or its UUID. */
bool account_vm_matches(const struct account_vm *vm, const char *pattern);

#endif
