/*
 * Who used the driver domains: how the running time of a driver domain (IDD) is charged to the guests it worked for.
 *
 * For a driver domain D and a slice of time T in which it ran C(T): each guest g has the weight w_g = sum over the
 * kinds of I/O of weight[kind] * events(kind, g, D, T), and is charged C(T) * w_g / sum of all w. Without any event in
 * T its time is D's own. T is one execution of a vCPU of D (in slices of CHARGE_SLICE_NS where it is longer), or an
 * interval of fixed length. Events whose guest is not known have their weight, too: their share is unattributed. So is T
 * where no I/O was seen but records were lost, or where outside counters do not cover it.
 *
 * Where the driver domain's own kernel recorded whose work it did (dom0_trace.h), its running is cut by that: every part goes
 * to the guest whose thread, interrupt or softirq ran, or is own; what was not recorded is unattributed.
 *
 * Where neither tells the driver domain's own work apart, a known load of it can be given (own_load.h).
 *
 * charged to guests + own + unattributed = running, to the ns, in every interval: shares are rounded by Webster's
 * method, which hands out every ns and takes none back as T grows.
 */
#ifndef XENMETER_METRICS_CHARGE_H
#define XENMETER_METRICS_CHARGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "counters.h"
#include "dom0_trace.h"
#include "io.h"
#include "own_load.h"

#define CHARGE_SLICE_NS 100000000u /* an execution longer than this is charged slice by slice */

/* What the weights are taken from. Several can be combined. */
enum charge_method {
    CHARGE_GRANTS = 1 << 0,        /* map, unmap */
    CHARGE_COPIES = 1 << 1,        /* copy */
    CHARGE_TRANSFERS = 1 << 2,     /* transfer */
    CHARGE_NOTIFICATIONS = 1 << 3, /* notify */
    CHARGE_PACKETS = 1 << 4,       /* tx, rx, read, write: outside counters */
    CHARGE_AUTO = 1 << 5,          /* the outside counters where given, else all the trace has */
    CHARGE_THREADS =
        1 << 6 /* CPU times of threads, as the driver domain's kernel counted them; the rest by */
               /* the other methods, without any by those of CHARGE_AUTO */
};

struct charge_options {
    bool wanted;              /* account I/O and charges at all */
    unsigned methods;         /* enum charge_method, or-ed; 0: CHARGE_AUTO */
    double weights[IO_KINDS]; /* of one event; >= 0 */
    uint64_t interval_ns;     /* T is an interval of this length from the trace's start; 0: a task, or */
    bool per_execution;       /* an execution, even where the trace tells tasks apart */
    bool spread_own;          /* own time goes to the guests, in the proportion of their recent charges */
    const uint8_t
        *idds; /* a byte for each of 65536 domain ids: these are the driver domains. NULL: domain 0, and */
               /* each domain from the moment on at which it maps another one's page, or unmaps none */
    const struct own_load *
        own; /* known loads of driver domains' own work, ordered by domain: taken out before time is charged. For */
             /* those whose own work is not told apart; for others the pass fails */
    size_t own_n;
    const struct counters
        *counters; /* outside counters or NULL; the caller's, kept until the meter is freed */
    bool
        charge_idle; /* where T is a task, or measured: the idle loop, and the timer or the scheduler, go to those whose */
                     /* work surrounds them. It is an error if that is so of no driver domain */
    const struct dom0_trace *
        dom0_trace; /* whose work a driver domain did, by its own kernel, or NULL; as `counters`. Its time is cut by */
                    /* that, whatever the methods and the interval are */
};

/* Whether it is left to what is given and seen which events charges rest on. */
bool charge_methods_are_automatic(unsigned methods);

/* Whether T is what one task, or interrupt, of the driver domain ran; where the trace does not tell: an execution. */
static inline bool charge_by_task(const struct charge_options *o)
{
    return o->interval_ns == 0 && !o->per_execution;
}

/* The default weights: what one event of a kind costs a driver domain, in units of one page copied. */
extern const double charge_default_weights[IO_KINDS];

/* The method that looks at events of a kind. */
extern const enum charge_method charge_method_of_kind[IO_KINDS];

/* One guest of a driver domain in one interval. */
struct charge_guest {
    int32_t domain;
    uint32_t life;
    uint64_t charged_ns;
    uint64_t measured_ns; /* of charged_ns: by the driver domain's own kernel, and */
    uint64_t certain_ns;  /* by events whose guest is certain; what is left of it is inferred */
    uint64_t events[IO_KINDS];
    bool counted[COUNTER_KINDS];       /* of tx, rx, read, write: whether a device of it counts them at all */
    uint64_t inferred[IO_TRACE_KINDS]; /* of the events: for whom they were is inferred, not certain */
    double charged_by_ns[IO_KINDS];    /* charged_ns by the kind of the events it rests on */
    double charged_inferred_ns;        /* charged_ns that rests on inferred events */
    double
        charged_measured_ns; /* charged_ns that the driver domain's own kernel measured; rests on no events */
};

/* One driver domain in one interval. charged_ns + own_ns + unattributed_ns = running_ns. */
struct charge_idd {
    int32_t domain;
    uint32_t life;
    uint64_t running_ns;
    uint64_t charged_ns;
    uint64_t own_ns;
    uint64_t unattributed_ns;
    uint64_t executions;         /* dispatches in the interval */
    uint64_t io_free_executions; /* executions that ended in it and in which no I/O was seen */
    uint64_t
        separated_ns; /* of running_ns: charged per task, or by its kernel's recording; only there own_ns is the domain's own work alone */
    uint64_t own_given_ns;               /* of own_ns: own only by the known load that was given */
    uint64_t unassigned[IO_TRACE_KINDS]; /* events whose guest is not known */
    const struct charge_guest *guests;   /* ordered by domain, life; those with charges or events */
    size_t guests_n;
};

/* Add what does add, said in charge.def: all but who they are, and of a driver domain its guests. */
void charge_idd_merge(struct charge_idd *into, const struct charge_idd *from);
void charge_guest_merge(struct charge_guest *into, const struct charge_guest *from);

/* What was seen of I/O in the whole trace and what the charges made of it. */
struct charge_summary {
    unsigned methods;                    /* those in force; of CHARGE_AUTO those that had any event */
    uint64_t events[IO_KINDS];           /* seen, whether the methods use them or not */
    uint64_t inferred[IO_TRACE_KINDS];   /* of the events */
    uint64_t unassigned[IO_TRACE_KINDS]; /* further events, whose guest is not known */
    size_t idds;                         /* driver domains seen */
    size_t
        idds_unseparated; /* of them: what they did for themselves is not told from what they did for guests, but where an */
    /* execution (or an interval) saw no I/O at all; without those of which their own load is given: */
    size_t idds_own_given;
    uint64_t ran_ns, unattributed_ns; /* driver domains', while reporting; and of it: unattributed */
    uint64_t
        mixed_ns; /* of ran_ns: of softirqs that may have served other guests, too, of which the trace does not tell */
    uint64_t
        unmarked_ns; /* of ran_ns: of kernel threads without a record, while guests had disks that leave none */
    size_t
        cuts; /* between traces whose results are added up: who dealt with whom before one is not known after it */
    bool counted; /* outside counters were given, and a device was read twice at least: */
    int64_t counted_from_ns,
        counted_to_ns; /* the part of the trace's time that they cover (it may lie outside) */
    bool measured;     /* a driver domain's own kernel recorded whose work it did: */
    int64_t measured_from_ns,
        measured_to_ns; /* the part of the trace's time that it covers (it may lie outside) */
    uint64_t
        cpu_impossible_ns; /* of the trace's time: CPU times that cannot be, and were not used, are given for it, */
    uint64_t cpu_impossible_at_ns; /* first in the stretch that begins there */
    size_t
        devices_unused; /* devices that counted something in domains that are no driver domains of the trace */
    size_t devices_unknown; /* devices that counted something, of domains that the trace does not show */
};

#endif
