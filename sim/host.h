/*
 * host.h - a simulated Xen host: pCPUs, domains, vCPUs, and the clock they live by.
 *
 * All times are ns of Xen's system time; 0 is when tracing began. The host is one loop over timers. Each pCPU has a clock
 * of its own, the time of the last thing that happened there: it never goes back, and runs ahead of the loop by what the
 * hypervisor's code takes (records of one act are about 1 us apart). Work of a guest begins after that.
 *
 * Layers of the folder, upper ones do not know lower ones: timeline, prng, trace_ring - host.h, emit.h, true_account.h -
 * scheduler.h and the schedulers - pcpu.h (who runs) - kernel.h (what a vCPU runs) - loads - simulation.h (all of it).
 */
#ifndef XENMETER_SIM_HOST_H
#define XENMETER_SIM_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/prng.h"
#include "sim/scenario.h"
#include "sim/timeline.h"
#include "sim/trace_layout.h"
#include "sim/trace_ring.h"
#include "sim/true_account.h"

#define SIM_IDLE_DOMAIN 32767
#define SIM_NEVER       UINT64_MAX
#define SIM_TASK_KINDS  4

/* Xen's RUNSTATE_*, in its order. */
enum sim_runstate { SIM_RUNNING, SIM_RUNNABLE, SIM_BLOCKED, SIM_OFFLINE };

struct sim_host;
struct sim_domain;
struct sim_pcpu;
struct sim_task;
struct sim_scheduler_ops;
struct sim_driver;
struct sim_pair;

/* Something that happens at a time of its own. */
struct sim_timer {
    void (*due)(struct sim_host *host, void *context, uint64_t now_ns);
    void *context;
    uint32_t actor; /* on the host's timeline */
};

/* A first-in first-out list of tasks. */
struct sim_task_list {
    struct sim_task *head, *tail;
};

/* What is counted of a vCPU, in the order of sim_count_names. */
enum sim_count {
    COUNT_WAKE_WAIT_NS,    /* runnable after it was blocked */
    COUNT_PREEMPT_WAIT_NS, /* runnable after it ran */
    COUNT_EXECUTIONS,      /* runnable -> running */
    COUNT_WAKES,           /* blocked -> runnable */
    COUNT_BLOCKS,          /* running -> blocked */
    COUNT_PREEMPTIONS,     /* running -> runnable without a yield */
    COUNT_YIELDS,          /* calls of SCHEDOP_yield */
    COUNT_MIGRATIONS,      /* executions on another pCPU than that of the one before, within the trace */
    SIM_COUNTS
};
extern const char *const sim_count_names[SIM_COUNTS];

struct sim_vcpu {
    struct sim_domain *domain;
    struct sim_pcpu *pcpu; /* where it runs, or ran last, or is to run first */
    uint32_t index;        /* among all vCPUs of the host, idle ones excluded */
    uint16_t id;
    int16_t pin;         /* the only pCPU it may run on; -1: any */
    uint8_t runstate;    /* enum sim_runstate */
    bool blocked;        /* it has asked to block and was not woken since */
    bool parked;         /* the scheduler has paused it (a cap of Credit) */
    bool paused;         /* by the toolstack: its domain does not run yet, or not any more */
    bool yields;         /* it has asked to yield and was not descheduled since */
    uint64_t changed_ns; /* of its last runstate change */
    uint64_t saved_ns;   /* its last change was recorded, and it was saved: others must not touch it before */
    uint64_t switched_ns; /* it was last switched in or out */
    uint64_t ran_ns;      /* running time up to changed_ns, for the watchdog */
    uint64_t noise_ns;    /* running time until its next noise (vcpu_noise.h); SIM_NEVER: it makes none */
    uint64_t noise_mean_ns;
    /* What its kernel runs (kernel.h). */
    struct sim_task *running; /* whose left_ns goes down while the vCPU runs */
    struct sim_task *current; /* the task of the last task switch */
    struct sim_task *idle, *timer_interrupt, *reschedule;
    struct sim_task_list interrupts, softirqs, threads, programs, low; /* pending, in order of precedence */
    bool in_interrupt;
    struct sim_task *ksoftirqd, *softirq; /* the thread, and what it runs */
    bool ksoftirqd_runs;                  /* or is to run: softirqs are left to it */
    uint8_t polls;       /* softirqs run since the interrupt, or the turn of the thread, began */
    uint64_t softirq_ns; /* when that was */
    struct sim_timer tick;
    uint64_t tick_ns; /* its next tick, had it never stopped; 0: its kernel has not begun */
    bool ticks;       /* the timer is set */
    /* What its time is accounted as (true_account.h). */
    uint64_t charged_ns; /* up to here */
    uint32_t charged_to; /* a cell; of a guest CELL_NONE */
    uint32_t first_state_cell;
    uint64_t worked_ns[SIM_TASK_KINDS]; /* of a driver domain: by enum sim_task_kind (kernel.h) */
    uint32_t first_count_cell;          /* of SIM_COUNTS */
    uint8_t came_from;                  /* enum sim_runstate: that before the present one */
    int16_t ran_on;                     /* pCPU of its last execution within the trace; -1: none */
};

struct sim_load;

struct sim_domain {
    const struct scenario_domain *plan;
    struct sim_vcpu *vcpus;
    struct sim_load *loads; /* load_count of them (load.h) */
    size_t load_count;
    bool alive;                /* it exists: created, and not removed */
    uint64_t born_ns, died_ns; /* SIM_NEVER: not within the trace */
    uint32_t life;             /* which one of its id, from 1 on */
    struct sim_timer fate;     /* toolstack.h */
    int fate_step;
    struct sim_timer pauser;
    bool paused;              /* by xl pause */
    uint32_t index;           /* in host->domains */
    uint32_t first_done_cell; /* of SIM_DONES (driver.h) */
    uint32_t own_cell;        /* a driver domain's work for itself; of guests CELL_NONE */
    uint16_t id;
};

struct sim_pcpu {
    struct sim_host *host;
    struct sim_vcpu *current;
    struct sim_vcpu idle;
    uint64_t clock_ns;     /* of the last thing that happened on it */
    uint64_t work_ns;      /* up to when its current task's work is accounted */
    uint64_t resched_ns;   /* it enters the scheduler then; SIM_NEVER: nobody asked for it */
    uint64_t kick_ns;      /* an interrupt for its current vCPU arrives; SIM_NEVER: none */
    uint64_t slice_end_ns; /* SIM_NEVER: no end */
    struct sim_timer timer;
    uint64_t exit_ns; /* of the last VM exit */
    bool in_guest;    /* its current vCPU, of an HVM guest, is between VM entry and exit */
    struct trace_ring ring;
    uint32_t id;
};

/*
 * Somebody who follows the host instead of its trace buffers: with a tap nothing goes into the buffers. All times are those that
 * records and the truth have.
 */
struct sim_tap {
    void *context;
    /* A record of the pCPU, of an event that the mask has; pcpu->ring.current_* is Xen's `current`. */
    void (*record)(void *context, const struct sim_pcpu *pcpu, enum trace_event event, uint64_t at_ns,
                   const uint32_t *words, unsigned count);
    /* The vCPU is in the state from at_ns on, by an act on the pCPU `on`, where it runs if it does; the record follows. */
    void (*change)(void *context, const struct sim_pcpu *on, const struct sim_vcpu *v, enum sim_runstate to,
                   uint64_t at_ns);
    /* The domain was created (`alive`, at born_ns; all its vCPUs are offline) or removed (at died_ns). */
    void (*life)(void *context, const struct sim_domain *d);
};

struct sim_host {
    const struct scenario *plan;
    const struct sim_tap *tap; /* NULL: none */
    struct prng rng;
    struct timeline timeline;
    uint64_t loop_ns;          /* what happens now was due then */
    uint32_t loop_actor;       /* the highest one whose time it was at loop_ns */
    struct sim_timer **timers; /* by actor */
    uint32_t timer_count, timer_space;
    struct sim_pcpu *pcpus;
    struct sim_domain *domains; /* in the scenario's order */
    struct sim_domain idle_domain;
    struct sim_vcpu *vcpus; /* of all domains, by index */
    uint32_t vcpu_count;
    const struct sim_scheduler_ops *scheduler;
    void *scheduler_state;
    struct sim_driver *drivers; /* the domains that are driver domains, in the scenario's order */
    size_t driver_count;
    struct sim_pair *pairs; /* guests and their driver domains; a list */
    struct true_account truth;
    uint64_t cycles_per_ns; /* 16.48 fixed point */
    uint64_t slow_tick_ns; /* of a counter whose ticks are longer than a ns, rounded up; 0: of a faster one */
    uint64_t
        handover_ns; /* so long after one pCPU is done with a vCPU another one is at work on it, if that shows in no other way */
    uint64_t last_ns;               /* of the latest record or runstate change */
    struct trace_layout layout;     /* of its records */
    bool recorded[TRC_EVENT_COUNT]; /* by the event mask, and there are such records in the layout */
    bool sweep_wanted;
    bool stands_still; /* too much happened at one instant: the results are void */
    bool no_memory;    /* an allocation failed while it ran: the results are void */
};

/* The timestamp counter at ns. It is far above 0 when tracing begins, as on a host that has been up for a while. */
static inline uint64_t host_tsc(const struct sim_host *host, uint64_t ns)
{
    return ((uint64_t)1 << 44) + (uint64_t)(((uint128)ns * host->cycles_per_ns) >> 48);
}

/* Xen's NOW() at ns: its clock advances with the timestamp counter. */
static inline uint64_t host_system_time(const struct sim_host *host, uint64_t ns)
{
    if (host->slow_tick_ns == 0)
        return ns;
    uint64_t ticks = host_tsc(host, ns) - host_tsc(host, 0);
    return (uint64_t)(((uint128)ticks * 1000000000u + host->plan->cpu_hz - 1) / host->plan->cpu_hz);
}

static inline bool vcpu_is_idle(const struct sim_vcpu *v)
{
    return v->domain->id == SIM_IDLE_DOMAIN;
}

/* Whether a scheduler may run it. */
static inline bool vcpu_is_runnable(const struct sim_vcpu *v)
{
    return !v->blocked && !v->parked && !v->paused;
}

static inline bool vcpu_is_hvm(const struct sim_vcpu *v)
{
    return !vcpu_is_idle(v) && v->domain->plan->guest == GUEST_HVM;
}

/* How a vCPU is named in one word of a record: vCPU low, domain high. */
static inline uint32_t vcpu_word(const struct sim_vcpu *v)
{
    return (uint32_t)v->domain->id << 16 | v->id;
}

/* Adds a timer, before the host starts. False: no memory. */
bool host_add_timer(struct sim_host *host, struct sim_timer *timer);

/* The timer is due at that time next, SIM_NEVER: not any more. A time that has passed: at once. */
static inline void host_set_timer(struct sim_host *host, const struct sim_timer *timer, uint64_t due_ns)
{
    if (due_ns != SIM_NEVER &&
        host_system_time(host, due_ns) < due_ns) /* at the next tick of a slow counter */
        due_ns = host_system_time(host, due_ns + host->slow_tick_ns);
    timeline_set(&host->timeline, timer->actor, due_ns);
}

#endif
