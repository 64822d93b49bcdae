/*
 * What the charging stage (charging.h) makes of the running time of driver domains: periods, what happened in them and
 * how their time is shared out, and the slices of vCPUs' running that they consist of.
 */
#ifndef XENMETER_METRICS_CHARGE_PERIOD_H
#define XENMETER_METRICS_CHARGE_PERIOD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "charge.h"
#include "io.h"
#include "metrics/pool.h"

/* Who a share of a driver domain's time goes to, if not to the guest of a pair. */
#define SHARE_OWN          UINT32_MAX
#define SHARE_UNATTRIBUTED (UINT32_MAX - 1)

/* Events of one pair in one period. */
struct pair_tally {
    uint32_t pair;
    uint32_t events[IO_TRACE_KINDS];
    uint32_t inferred[IO_TRACE_KINDS]; /* of the events */
    uint32_t arrived; /* T is a task: notifications by the guest, which are in no `events` then */
};

/* How one part of a period's time is charged. */
struct share {
    uint32_t to;             /* pair, SHARE_OWN, SHARE_UNATTRIBUTED */
    bool grounded;           /* what of it was not measured rests on events */
    float by_kind[IO_KINDS]; /* what part of it rests on which kind of events */
    float inferred;          /* what part of it rests on inferred events */
    float measured;          /* what part of it the driver domain's own kernel measured; rests on no events */
    float given;             /* of SHARE_OWN: what part of it is own only by the known load */
};

/* The slice of time T over which a driver domain's running time is charged in one proportion. */
/* Why a period's time may be with the wrong one. */
enum charge_doubt {
    DOUBT_NONE,
    DOUBT_MIXED,    /* part of it was for others, as far as that can be estimated */
    DOUBT_UNMARKED, /* a kernel thread left no record, and guests' disks leave none */
    CHARGE_DOUBTS
};

struct period {
    struct pooled in_pool;
    struct pair_tally *tallies;
    struct share *shares;
    uint64_t *weights; /* of the shares; see apportion.h */
    size_t tallies_capacity, shares_capacity, weights_capacity;
    /* From here on all zero in one that is new: */
    size_t tallies_n, shares_n;
    uint64_t serial;
    uint32_t idd;
    uint32_t references; /* slices not yet booked, and one while it is open */
    uint64_t from_ns;    /* interval periods: where T begins */
    uint64_t ran_ns;     /* C(T) */
    uint64_t waited_ns;  /* how long what ran in it had no pCPU, preempted; in stretches of thread_times.h */
    uint64_t interrupted_ns; /* how long interrupts were handled on top of it; likewise */
    bool partial;            /* records were lost in it */
    bool io;                 /* I/O of the driver domain was seen in it */
    bool arrivals;           /* T is a task: guests notified it, see tally.arrived */
    bool half_own;     /* half of it is own, besides what arrived: the idle loop wakes, and sleeps again */
    bool of_thread;    /* a kernel thread ran in it */
    uint32_t received; /* batches of packets that guests sent, see charge_softirqs.h */
    uint64_t lead_ns;  /* before the first one */
    bool lead_known;   /* the thread began with it */
    bool unfollowed;   /* interrupts, and no thread that they may have woken had its turn */
    uint8_t doubt;     /* enum charge_doubt */
    bool estimated;    /* where the interrupt began is estimated */
    const struct period *like;      /* while it is closed: it is charged as that one, which is over; NULL */
    double unattributed;            /* weight of I/O whose guest is not known */
    bool closed;                    /* the shares are known */
    struct run_slice *first, *last; /* T is a task: slices that wait until it is closed */
    struct idle_group *group; /* idle time is shared like this and other periods, once it is final; NULL */
    uint32_t number;          /* while a snapshot is made: its place there, from 1; else 0 */
};

/* A stretch of one vCPU's running in a period. */
struct run_slice {
    struct pooled in_pool;
    struct period *period; /* NULL while it is open and the driver domain is measured, or T is a task */
    uint64_t from_ns, to_ns;
    uint64_t offset_ns;             /* of the period's running time, what came before it */
    uint64_t booked_ns;             /* the ledger's: how much of it was booked */
    struct run_slice *next_waiting; /* of its period */
    uint32_t vcpu;
    uint16_t pcpu;
    bool io_free; /* an execution ended with it, and no I/O was seen in that */
    bool
        of_task; /* what the driver domain does for itself is known: T is a task, or its kernel recorded it */
};

#endif
