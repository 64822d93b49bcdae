/*
 * What the parts of the charging stage (charging.h) share: the moment, the driver domains and their guests, what of them runs.
 * What a part keeps for itself is opaque to the others, or a struct of its own here, which only that part touches.
 *
 * The parts, each of which calls only those before it: charge_pairs knows who deals with whom, charge_shares has the
 * periods, their slices and shares; charge_own takes a known load of own work out, idle_share shares out the idle time
 * between tasks, thread_times sets measured times against the model's; charge_softirqs and charge_weigh say whose a period
 * is, charge_choice by which events a driver domain is charged; charge_tally counts what happens in a period,
 * charge_measured cuts running by what the driver domain's kernel recorded, charge_interrupts
 * and charge_tasks where tasks switch; charge_running follows the vCPUs, charge_marks keeps what kernels say of
 * tasks until it is due, attribution tells for whom an I/O record was, charging takes transitions and time.
 */
#ifndef XENMETER_METRICS_CHARGING_STATE_H
#define XENMETER_METRICS_CHARGING_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "charge.h"
#include "charge_period.h"
#include "metrics/array.h"
#include "metrics/model/model.h"
#include "metrics/pool.h"
#include "parser/order/clock.h"

/* A driver domain and a guest it worked for. */
struct pair {
    uint32_t idd;           /* index in charging.idds */
    uint32_t guest;         /* life */
    uint32_t notifies;      /* vCPU of the driver domain that the guest woke last; NOBODY */
    uint32_t next_of_guest; /* pair of the same guest with another driver domain; NOBODY */
    bool granted;           /* the driver domain mapped its pages, or handed it some */
    uint32_t awake_at; /* index in the driver domain's list of awake guests; NOBODY: all its vCPUs sleep */
    double copied;     /* recent copies that were surely for it; scaled, see charging_scale */
    double copied_notified; /* of them: those that a notification followed; scaled */
    double charged;         /* recent charges; scaled */
    double passed_on;       /* recent copies by threads that received nothing; scaled */
    double handled,
        handled_ns; /* I/O in interrupts whose beginning is known, in units of one page copied; how long they took */
    double completed;     /* recent disk requests whose end unmapped nothing; scaled */
    bool awaits;          /* the same guest notified the driver domain, and no task has dealt with it yet */
    uint64_t hint_serial; /* the period in which it was tallied last, and where */
    uint32_t hint_index;
};

/* How long ksoftirqd, and threads that poll, ran before their first batch: charge_softirqs.c. */
struct softirq_leads {
    double mean_ns; /* of turns with several batches; forgets */
    double low_ns;  /* about a quarter of all turns is shorter */
    uint32_t n, several_n;
};

struct indices {
    uint32_t *at;
    size_t n, capacity;
};

struct idd {
    uint32_t life;
    uint64_t since_ns;    /* when it turned out to be one: the ledger may be behind */
    unsigned methods;     /* enum charge_method, or-ed: those in force for it */
    bool counted;         /* packets or requests of its guests were counted outside */
    bool measured;        /* its kernel recorded whose work it did: no method is in force */
    bool undecided;       /* whether it will be: charge_choice.c */
    bool tasks_seen;      /* records distinguish its tasks: T is a task from now on */
    bool serves_unmarked; /* disks of guests whose requests ended without an unmap */
    struct softirq_leads leads;
    uint64_t
        shortest_wake_ns; /* of interrupts without I/O that woke it, see charge_interrupts.h; 0: there was none */
    uint32_t own_ppm;     /* its known load of own work; 0: none is given */
    uint32_t woken, wakes;   /* it seemed to wake this driver domain, `wakes` times in a row, */
    uint64_t woken_ns;       /* last then: see attribution.c */
    struct indices awaiting; /* pairs whose guest `awaits`, in the order in which they began to */
    struct indices awake;    /* pairs whose guest has a vCPU awake */
    struct indices pairs;    /* all of it, ordered by guest domain and life */
    struct period *interval; /* the open one, when T is an interval */
    struct period *own;      /* of all slices that are its own for sure; NULL: there was none yet */
};

/*
 * What a vCPU of a driver domain runs, when T is a task. Its running is looked at in stretches, which end with each return
 * from an interrupt or to user mode, each switch of tasks, and each stop. charge_tasks.c.
 */
enum stretch_begin {
    AT_SWITCH, /* a task begins */
    AT_RETURN, /* it goes on after an interrupt, or in user mode */
    AT_RESUME, /* the vCPU runs again after it had to wait: an interrupt may be pending */
    AT_WAKE,   /* it runs again after it slept: the interrupt that woke it comes first */
    AT_ARRIVAL /* a guest's notification interrupts it */
};

struct task {
    struct period
        *whole;         /* gathers what the task runs by itself, also across preemptions; NULL: nothing yet */
    uint64_t own_to_ns; /* what of the slice is before it is own: of tasks before this one */
    uint64_t from_ns;   /* where the stretch begins; what of the slice lies between the two is `whole`'s */
    uint64_t timer_ns;  /* since then the stretch has handled the timer's interrupt; 0: not */
    uint64_t turn_ns;   /* when the kernel switched to it, if: */
    uint32_t switch_ns; /* the stretch begins with a switch that Xen is so long busy with */
    bool whole_turn;    /* the vCPU ran since, and no batch of packets was received */
    uint32_t open_at;   /* index in charging.open while it has a `whole` */
    enum stretch_begin begin;
    uint8_t returns; /* without any interrupt, up to USER_RETURNS: a program in user mode makes them */
    bool idle;       /* the idle loop: it lets the vCPU sleep */
    bool own_idle;   /* what is before own_to_ns is the idle loop's */
    bool slept;      /* the vCPU blocked: what it runs next begins with an interrupt */
    bool by_sibling; /* another vCPU of the domain woke it, and no interrupt was handled since */
    bool polls;      /* it is about to sleep in the middle of a task */
    bool unmapped;   /* the stretch unmapped no pages: what it notifies next has its disk request done */
};

/* Interrupts of a vCPU that wait for a thread: charge_interrupts.c. */
struct interrupts {
    struct period *period; /* gathers them; NULL: none waits */
    uint32_t wakes;        /* another vCPU of the domain, which the stretch woke last; NOBODY */
    uint32_t woke;         /* the last one that those that wait woke; NOBODY */
    bool switched;         /* the kernel switched tasks since the period began */
};

struct charging_vcpu {
    bool in_driver_domain; /* a driver domain's */
    bool io_seen;          /* in the execution so far */
    bool whole;            /* the execution was seen from its beginning */
    bool blind;            /* it began where records were lost */
    uint32_t copies;       /* grant copies done, for whom is not known yet */
    struct period *
        period; /* of a driver domain, when T is no interval: gathers for this or the next execution, or stretch of a task */
    struct task task; /* when T is a task */
    struct interrupts interrupts;
    struct idle_group *idle_group; /* see idle_share.h; NULL: nothing in it yet */
    struct run_slice *slice;       /* while it runs */
    uint32_t running_at;           /* index in charging.running while it has a slice */
    uint16_t pcpu;                 /* of its slice */
    size_t measured_at;            /* see dom0_trace_owner */
    uint32_t
        granted_pair; /* the pair it had grants of last, as driver domain; valid if the guest is the same */
    /* While it waits, preempted, in a driver domain with thread times: what it had run, with a reference; since when. */
    struct period *preempted;
    uint64_t preempted_ns;
};

struct charging_life {
    uint32_t idd;     /* index in charging.idds, NOBODY */
    uint32_t awake;   /* vCPUs running or runnable */
    uint32_t can_run; /* the same, or in an unknown state */
    bool
        sends_traced; /* its event-channel operations are in the trace: a wake without one is no notification */
    uint32_t partner; /* the pair it dealt in last, as guest; NOBODY */
    uint32_t pairs;   /* the first of its pairs as guest; NOBODY */
};

/*
 * `count` events of the pair: in the driver domain's vCPU `idd_vcpu`'s current or next execution. `acting`: the vCPU
 * that ran when it happened on `pcpu`; `other`: the vCPU at the other end (IO_NOTIFY), NOBODY.
 */
struct io_event {
    uint32_t pair, idd_vcpu, acting, other, count;
    uint16_t pcpu;
    enum io_kind kind;
    bool inferred;
};

/*
 * Pages of one guest, one record after the other with nothing between: all but the first one are accounted at once, when the run
 * ends, at the latest at end_ns, up to which they belong to the same interval of every kind.
 */
struct page_run {
    struct io_event event; /* count: pages that are not accounted yet */
    uint64_t end_ns;       /* 0: there is no run */
    uint32_t guest;        /* life */
    uint16_t pcpu;         /* that wrote the records */
    uint8_t record;        /* enum io_record */
};

/* Takes what comes out of the charging stage, in time order; called from charging_take and charging_end. */
struct charging_sink {
    void *context;
    void (*transition)(void *context, const struct transition *t);
    void (*event)(void *context, uint64_t time_ns, const struct io_event *h);
};

/* Sums by the recipients of shares. */
struct share_sums {
    struct share_sum {
        uint32_t to; /* as struct share has it */
        double ns;
    } * at;
    size_t n, capacity;
};

/* Periods that are over, each with a reference, and when. */
struct held_periods {
    struct held_period {
        struct period *period;
        uint64_t to_ns;
    } * at;
    size_t n, capacity;
};

struct charging {
    struct charge_options options;
    const struct population *population;
    const struct model_view *view;          /* the host after the transition being taken */
    struct clock clock;                     /* for the outside counters; see charging_set_clock */
    int64_t counted_from_ns, counted_to_ns; /* where the outside counters begin and end */
    bool explicit_idds;
    uint8_t *is_idd; /* by domain id, 65536 */
    struct charging_vcpu *vcpus;
    size_t vcpus_n;
    struct charging_life *incarnations;
    size_t incarnations_n;
    struct idd *idds;
    size_t idds_n, idds_capacity;
    struct pair *pairs;
    size_t pairs_n, pairs_capacity;
    struct indices running;    /* vCPUs of driver domains that run */
    struct mark_queue *marks;  /* by pCPU, PCPUS_MAX; NULL: T is no task */
    struct indices open;       /* vCPUs whose task has a `whole` */
    size_t waiting_interrupts; /* vCPUs with such: there are none but in the charging periods up to cut_ns */
    uint64_t length_ns; /* no period is longer: that of T when it is an interval, else CHARGE_SLICE_NS */
    uint64_t cut_ns;    /* the next multiple of it: open periods end there */
    unsigned
        empty_cuts; /* how many ends of periods there were since a transition or a mark; EMPTY_CUTS: or more */
    uint64_t now_ns;   /* all before has been taken */
    uint64_t grain_ns; /* intervals, of what is reported too, end at multiples of it */
    struct page_run pages;
    uint32_t switch_ns; /* of the change to running that is being taken; else 0 */
    uint64_t serial;    /* periods made so far */
    uint64_t scale_base_ns;
    struct charging_sink sink;
    struct run_slice **done; /* closed, for the ledger */
    size_t done_head, done_n, done_capacity;
    struct pool periods, slices, groups;
    size_t groups_open;           /* of vCPUs; there are none but in the charging periods up to cut_ns */
    struct share_sums measured;   /* of one slice, the idle loop and the scheduler left out */
    struct held_periods waiting;  /* until their driver domain is decided: charge_choice.c */
    struct thread_times *threads; /* CPU times; NULL: there are none, or they are not looked at */
    struct own_loads *own_loads;  /* NULL: none are given */
    double *real_weights;         /* room for one period's */
    size_t real_capacity;
    struct charge_summary seen; /* but for the outside counters */
    size_t memory;
    bool failed; /* memory ran out, or: */
    uint32_t
        own_twice; /* the driver domain whose own work the trace separates although its load is given; NOBODY: none */
    bool idle_untold;   /* --charge-idle is wanted, and the trace separates the tasks of no driver domain */
    uint64_t untold_ns; /* with charge_idle: how long driver domains ran as long as that was so */
};

/* Open periods end at the next multiple of their length after after_ns (charging.c). */
void charging_set_cut(struct charging *c, uint64_t after_ns);

/* Room for `wanted` items, as array_make_room has it. False: no memory, which is noted. */
static inline bool charging_make_space(struct charging *c, void *array, size_t *capacity, size_t wanted,
                                       size_t size)
{
    return array_make_counted(array, capacity, wanted, size, &c->memory, &c->failed);
}

/* Appends to a list. False: no memory, which is noted. */
static inline bool charging_append(struct charging *c, struct indices *list, uint32_t item)
{
    if (!charging_make_space(c, &list->at, &list->capacity, list->n + 1, sizeof *list->at))
        return false;
    list->at[list->n++] = item;
    return true;
}

/* The driver domain that a vCPU belongs to, in `idds`; NOBODY: none. */
static inline uint32_t charging_idd_of_vcpu(const struct charging *c, uint32_t vcpu)
{
    return c->incarnations[c->population->vcpus[vcpu].life].idd;
}

/* The same of the vCPU of a driver domain. */
static inline struct idd *charging_driver(const struct charging *c, uint32_t vcpu)
{
    return &c->idds[charging_idd_of_vcpu(c, vcpu)];
}

/* Whether T is a task for this vCPU of a driver domain. */
static inline bool charging_by_task(const struct charging *c, uint32_t vcpu)
{
    return charging_driver(c, vcpu)->tasks_seen;
}

#endif
