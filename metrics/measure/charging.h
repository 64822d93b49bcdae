/*
 * The charging stage, between the model and the ledger: settled transitions in; the same transitions out, with I/O
 * records turned into I/O events of pairs (guest, driver domain); and the executions of driver domains as slices that
 * say to whom they are charged. What an execution is charged for is known when its period ends, at most
 * CHARGE_SLICE_NS later: until then the ledger must keep the intervals open in which it lies (charging_safe).
 *
 * charge_period.h has the periods and slices. Fifteen files: charging.c follows the vCPUs, charging_slices.c cuts
 * their running into slices, charge_tasks.c where tasks switch, charge_marks.c says when they do, charge_interrupts.c
 * and charge_softirqs.c know what interrupts and softirqs do not tell, charge_measured.c goes by what the driver
 * domain's kernel recorded, charge_pairs.c knows who deals with whom, charge_choice.c by which events a driver domain
 * is charged, attribution.c tells for whom an I/O record was, charge_tally.c counts what happens in a charging
 * period, charge_period.c weighs that and shares the time out, own_load.c takes a known load of own work out,
 * idle_share.c shares out the idle time between tasks, charging_summary.c says what all of it rests on.
 */
#ifndef XENMETER_METRICS_CHARGING_H
#define XENMETER_METRICS_CHARGING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "charge.h"
#include "charge_period.h"
#include "charge_softirqs.h"
#include "charge_tasks.h"
#include "parser/decode/task_marks.h"
#include "idle_share.h"
#include "own_load.h"
#include "thread_times.h"
#include "parser/order/clock.h"
#include "metrics/model/model.h"

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

struct idd {
    uint32_t life;
    uint64_t since_ns; /* when it turned out to be one: the ledger may be behind */
    unsigned methods;  /* enum charge_method, or-ed: those in force for it */
    bool counted;      /* packets or requests of its guests were counted outside */
    bool measured;     /* its kernel recorded whose work it did: no method is in force */
    bool undecided;    /* whether it will be: charge_choice.c */
    bool tasks_seen;   /* records distinguish its tasks: T is a task from now on */
    struct softirq_leads leads;
    uint64_t
        shortest_wake_ns; /* of interrupts without I/O that woke it, see charge_interrupts.h; 0: there was none */
    uint32_t own_ppm;     /* its known load of own work; 0: none is given */
    uint32_t woken, wakes; /* it seemed to wake this driver domain, `wakes` times in a row, */
    uint64_t woken_ns;     /* last then: see attribution.c */
    uint32_t *awaiting;    /* pairs whose guest `awaits`, in the order in which they began to */
    uint32_t awaiting_n, awaiting_capacity;
    uint32_t *awake; /* pairs whose guest has a vCPU awake */
    uint32_t awake_n, awake_capacity;
    uint32_t *pairs; /* all of it, ordered by guest domain and life */
    uint32_t pairs_n, pairs_capacity;
    struct period *interval; /* the open one, when T is an interval */
    struct period *own;      /* of all slices that are its own for sure; NULL: there was none yet */
};

/*
 * What a vCPU of a driver domain runs, when T is a task. Its running is looked at in stretches, which end with each return
 * from an interrupt or to user mode, each switch of tasks, and each stop. See charge_tasks.c.
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
    struct idle_group *group; /* see idle_share.h; NULL: nothing in it yet */
    uint64_t from_ns;  /* where the stretch begins; what of the slice lies between the two is `whole`'s */
    uint64_t timer_ns; /* since then the stretch has handled the timer's interrupt; 0: not */
    uint64_t turn_ns;  /* when the kernel switched to it, if: */
    bool whole_turn;   /* the vCPU ran since, and no batch of packets was received */
    uint32_t open_at;  /* index in charging.open while it has a `whole` */
    enum stretch_begin begin;
    uint8_t returns;    /* without any interrupt, up to USER_RETURNS: a program in user mode makes them */
    bool idle;          /* the idle loop: it lets the vCPU sleep */
    bool own_idle;      /* what is before own_to_ns is the idle loop's */
    bool slept;         /* the vCPU blocked: what it runs next begins with an interrupt */
    bool by_sibling;    /* another vCPU of the domain woke it, and no interrupt was handled since */
    bool device_before; /* the kernel switched tasks since `device` began */
    struct period
        *device;    /* gathers interrupts that wait for a thread, see charge_interrupts.h; NULL: none */
    uint32_t wakes; /* another vCPU of the domain, which the stretch woke last; NOBODY */
    uint32_t device_wakes; /* the last one that its interrupts woke; NOBODY */
    bool polls;            /* it is about to sleep in the middle of a task */
    bool unmapped; /* the stretch unmapped no pages: what it notifies next has its disk request done */
};

/* Marks of a pCPU that were not applied yet: [head, n), ascending. */
struct mark_queue {
    uint64_t *at;
    size_t head, n, capacity;
    uint64_t next_ns; /* when at[head] was; UINT64_MAX: there is none */
};

/* A party to whom a measured driver domain's time goes, and how long it worked for it. */
struct measured {
    uint32_t to; /* as struct share has it */
    uint64_t ns;
};

/* A period that is over at to_ns, of a driver domain that is undecided; with a reference. */
struct waiting_period {
    struct period *period;
    uint64_t to_ns;
};

struct charging_vcpu {
    bool in_driver_domain; /* a driver domain's */
    bool io_seen;          /* in the execution so far */
    bool whole;            /* the execution was seen from its beginning */
    bool blind;            /* it began where records were lost */
    uint32_t copies;       /* grant copies done, for whom is not known yet */
    struct period *
        period; /* of a driver domain, when T is no interval: gathers for this or the next execution, or stretch of a task */
    struct task task;        /* when T is a task */
    struct run_slice *slice; /* while it runs */
    uint32_t running_at;     /* index in charging.running while it has a slice */
    uint16_t pcpu;           /* of its slice */
    size_t measured_at;      /* see dom0_trace_owner */
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
/* Takes what comes out of the charging stage, in time order; called from charging_take and charging_end. */
struct charging_sink {
    void *context;
    void (*transition)(void *context, const struct transition *t);
    void (*event)(void *context, uint64_t time_ns, const struct io_event *h);
};

struct charging {
    struct charge_options options;
    const struct population *population;
    const struct model_view *view;          /* the host after the transition being taken */
    struct clock clock;                     /* for the outside counters; see charging_set_clock */
    int64_t counted_from_ns, counted_to_ns; /* where the outside counters begin and end */
    uint32_t *first_device; /* by guest's domain id, of the outside counters; NOBODY; NULL: no counters */
    uint32_t *next_device;  /* of the same guest */
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
    uint32_t *running; /* vCPUs of driver domains that run */
    size_t running_n, running_capacity;
    struct mark_queue *marks; /* by pCPU, PCPUS_MAX; NULL: T is no task */
    uint32_t *open;           /* vCPUs whose task has a `whole` */
    size_t open_n, open_capacity;
    size_t
        devices_n; /* vCPUs whose task has a `device`: there are none but in the charging periods up to cut_ns */
    uint64_t length_ns; /* no period is longer: that of T when it is an interval, else CHARGE_SLICE_NS */
    uint64_t cut_ns;    /* the next multiple of it: open periods end there */
    uint64_t now_ns;    /* all before has been taken */
    uint64_t serial;    /* periods made so far */
    uint64_t scale_base_ns;
    struct charging_sink sink;
    struct run_slice **done; /* closed, for the ledger */
    size_t done_head, done_n, done_capacity;
    struct period *free_periods, *periods_made;
    struct run_slice *free_slices, *slices_made;
    struct idle_group *free_groups, *groups_made;
    size_t groups_open;        /* of vCPUs; there are none but in the charging periods up to cut_ns */
    struct measured *measured; /* of one slice, the idle loop and the scheduler left out */
    size_t measured_n, measured_capacity;
    struct waiting_period *waiting;
    size_t waiting_n, waiting_capacity;
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

/* The model stays the caller's; option arrays are copied, counters are not. NULL: no memory. */
struct charging *charging_new(const struct charge_options *options, const struct model *model,
                              const struct charging_sink *sink);
void charging_free(struct charging *c);

/* How the outside counters' tsc becomes ns. Call before the first transition. */
void charging_set_clock(struct charging *c, const struct clock *clock);

/* More vCPUs or domains may be in the population: makes room for them. Call before charging_take. */
void charging_make_room(struct charging *c);

/*
 * No transition before settled_ns is to come: ends the periods that end by then. False: not all of them yet, as a trace
 * can have gaps of hours, and the slices wait in memory; call again after the ledger has taken them.
 */
bool charging_advance(struct charging *c, uint64_t settled_ns);

/* The next settled transition, in time order; the model's view is as it leaves it. Call charging_advance before. */
void charging_take(struct charging *c, const struct transition *t);

/* The trace ends at now_ns: all periods end. */
void charging_end(struct charging *c);

/* The slices that began before this are all closed: the ledger may close intervals up to here. */
uint64_t charging_safe(const struct charging *c);

/* How many closed slices wait for the ledger. */
static inline size_t charging_waiting(const struct charging *c)
{
    return c->done_n - c->done_head;
}

/* The next closed slice, or NULL; the caller gives it back: charging_release. */
struct run_slice *charging_next_slice(struct charging *c);

/* What was seen by now; the trace was accounted up to end_ns. */
void charging_summarise(const struct charging *c, uint64_t end_ns, struct charge_summary *s);

/* All was taken: whether idle time is to be shared out, and no driver domain's tasks were told apart. */
bool charging_lacks_tasks(const struct charging *c);

/* Bytes held. */
size_t charging_memory(const struct charging *c);

/* The driver domain of a life: index in `idds`, NOBODY. */
uint32_t charging_idd_of(const struct charging *c, uint32_t life);

/* The pair of a driver domain and a guest's life, NOBODY: they had nothing to do with each other so far. */
uint32_t charging_find_pair(const struct charging *c, uint32_t idd, uint32_t guest_life);

/* ---- between the files ---- */

/* Room for a slice. NULL: no memory. */
struct run_slice *charging_new_slice(struct charging *c);
/* A slice whose period is over goes to the ledger, which gets it when the shares are known. False: no memory. */
bool charging_append_done(struct charging *c, struct run_slice *slice);

/* Whether the vCPU is of a driver domain that is measured. */
bool charging_is_measured(const struct charging *c, uint32_t vcpu);
/* The slice of such a vCPU ends. */
void charging_close_measured(struct charging *c, uint32_t vcpu, uint64_t end_ns);
/* The share of a period without I/O: the driver domain's own, spread, or unattributed. */
void charging_share_own(struct charging *c, struct period *p);
/* Keeps in mind to whom the period, whose weights are in c->real_weights, is charged. */
void charging_remember(struct charging *c, const struct period *p);

static inline void charging_emit(struct charging *c, const struct transition *t)
{
    c->sink.transition(c->sink.context, t);
}

/* The guest of a domain id, its life; NOBODY: the trace does not show it, or it is the idle domain, which is no guest. */
static inline uint32_t charging_guest(const struct charging *c, uint16_t domain)
{
    uint32_t life = domain == IDLE_DOMAIN ? NOBODY : population_life(c->population, domain);
    return life < c->incarnations_n ? life : NOBODY;
}

/* Appends to an array of n items. False: memory ran out. */
bool charging_append_index(struct charging *c, uint32_t **items, uint32_t *n, uint32_t *capacity,
                           uint32_t item);

/* Whether T is a task for this vCPU of a driver domain. */
static inline bool charging_by_task(const struct charging *c, uint32_t vcpu)
{
    return c->idds[c->incarnations[c->population->vcpus[vcpu].life].idd].tasks_seen;
}

/* Applies the marks up to now of the vCPU of a driver domain, which may run. */
static inline void tasks_catch_up(struct charging *c, uint32_t vcpu)
{
    if (c->marks && c->vcpus[vcpu].slice && c->marks[c->vcpus[vcpu].pcpu].next_ns <= c->now_ns)
        tasks_apply_marks(c, vcpu);
}

/* The tasks of the driver domain can be told apart from now on: the executions that go on end, and tasks begin. */
void charging_see_tasks(struct charging *c, uint32_t idd);

/* One vCPU more (+1) or less (-1) of the life is awake. */
void charging_count_awake(struct charging *c, uint32_t life, int change);

/* The methods for a driver domain whose packets and requests are counted from outside, or not; and CPU times, or not. */
unsigned charging_methods(const struct charging *c, bool counted, bool measured);

/* The driver domain has just been made: what charges it may depend on whether records tell its tasks apart. */
void charging_begin_choice(struct charging *c, uint32_t idd);
/* Of an undecided driver domain: keeps the period, which is over at to_ns. */
void charging_wait_for_choice(struct charging *c, struct period *p, uint64_t to_ns);
/* Records tell the tasks of an undecided driver domain apart. */
void charging_choose_tasks(struct charging *c, uint32_t idd);
/* The tasks of undecided driver domains that have run are not told apart by now. */
void charging_choose_executions(struct charging *c);
/* When the first period began that waits; UINT64_MAX: none does. */
uint64_t charging_waiting_since(const struct charging *c);

/* The period that what happens now with this vCPU of a driver domain belongs to. NULL: no memory. */
struct period *charging_period(struct charging *c, uint32_t vcpu);
/* The period is over at to_ns: who is charged what part of it. Slices that waited for that go to the ledger. */
void charging_close_period(struct charging *c, struct period *p, uint64_t to_ns);
/* Its shares are known, but for a known load of own work: they are final, or it waits for that. */
void charging_settle_period(struct charging *c, struct period *p);
/* Adds `weight` to the share of `to` in c->real_weights, which are those of the period; makes the share if there is none. */
void charging_add_weight(struct charging *c, struct period *p, uint32_t to, double weight);
/* Adds the share of a pair, which has none, that rests on inferred events of the kind. */
void charging_add_inferred(struct charging *c, struct period *p, uint32_t pair, enum io_kind kind,
                           double weight);
/* Makes room in c->real_weights for the shares of the period. False: no memory. */
bool charging_restore_weights(struct charging *c, const struct period *p);
/* The sum of the weights of the shares of the period. */
double charging_sum_weights(const struct period *p);
/* One of its references is gone. */
static inline void charging_release_period(struct charging *c, struct period *p)
{
    if (--p->references == 0) {
        p->next_free = c->free_periods;
        c->free_periods = p;
    }
}
static inline void charging_release(struct charging *c, struct run_slice *slice)
{
    charging_release_period(c, slice->period);
    slice->next_free = c->free_slices;
    c->free_slices = slice;
}
/* A period, over, of which all is the own of the vCPU's driver domain. NULL: no memory. */
struct period *charging_own_period(struct charging *c, uint32_t vcpu);
/* A period of the driver domain of this vCPU, with one reference. NULL: no memory. */
struct period *charging_new_period(struct charging *c, uint32_t vcpu, uint64_t from_ns);
/* What happened in `from`, which is nothing then, happened in `into`, of the same driver domain. */
void charging_merge_period(struct charging *c, struct period *into, struct period *from);
/* Nothing happened in it. */
void charging_clear_period(struct charging *c, struct period *p);
/* The guest's notifications await that the driver domain deals with them, or no longer. */
void charging_set_awaits(struct charging *c, uint32_t pair, bool awaits);
/* The guest of the pair notified the vCPU. */
void charging_tally_arrival(struct charging *c, uint32_t vcpu, uint32_t pair);

/* T is a task. What the vCPU's slice has before to_ns, if anything, is the period's; the slice goes on after that. */
void charging_part_slice(struct charging *c, uint32_t vcpu, uint64_t to_ns, struct period *p);
/* The same, and it is the driver domain's own for sure. */
void charging_part_own(struct charging *c, uint32_t vcpu, uint64_t to_ns);
/* What the slice has left is the period's: it ends now. */
void charging_end_slice(struct charging *c, uint32_t vcpu, struct period *p);

/* The vCPU of a driver domain runs from now on. */
void charging_begin_running(struct charging *c, uint32_t vcpu);
/* It runs no longer on the pCPU, but is in the state `to`; `lost`: records may be missing before. */
void charging_end_running(struct charging *c, uint32_t vcpu, uint16_t pcpu, unsigned to, bool lost);
/* A slice of the vCPU, which runs on the pCPU, begins now. */
void charging_open_slice(struct charging *c, uint32_t vcpu, uint16_t pcpu);
/* The slice of an execution, or of one in an interval, goes to the ledger; the shares are known when its period is over. */
void charging_close_slice(struct charging *c, uint32_t vcpu, bool lost);
/* The slice of an execution ends; the next one goes on at once. */
void charging_cut_slice(struct charging *c, uint32_t vcpu);

/* One I/O record at c->now_ns. */
void attribution_record(struct charging *c, const struct transition *t);
/* What the kernel of the driver domain's vCPU, which runs, says at c->now_ns of its tasks. */
void attribution_mark(struct charging *c, uint32_t vcpu, enum task_mark mark);
/* A vCPU was woken on recorded_pcpu, as its runstate says. */
void attribution_woken(struct charging *c, uint32_t vcpu, uint16_t recorded_pcpu);
/* The vCPU of a driver domain stops running on the pCPU. */
void attribution_stops(struct charging *c, uint32_t vcpu, uint16_t pcpu);

/* The pair, made on first sight. NOBODY: no memory. */
uint32_t charging_pair(struct charging *c, uint32_t idd, uint32_t guest_life);
/* A domain turns out to be a driver domain. Its index; NOBODY: no memory. */
uint32_t charging_make_idd(struct charging *c, uint32_t life);

/* An I/O event at c->now_ns. */
void charging_event(struct charging *c, const struct io_event *h);
/* `count` events of the driver domain's vCPU, which runs on the pCPU, whose guest is not known. */
void charging_unattributed(struct charging *c, uint32_t idd_vcpu, uint16_t pcpu, enum io_kind kind,
                           uint32_t count);

/* Weight of now among sums that forget: what happened a second earlier counts half. */
double charging_scale(struct charging *c);

#endif
