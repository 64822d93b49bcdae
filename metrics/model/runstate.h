/*
 * The runstate machine: ordered events in, a stream of transitions without contradictions out.
 *
 * It knows for each vCPU the state it is in, checks every record's old state against that, and settles what does not
 * fit: time in which records were lost becomes `unknown`; a first record gives the state back to the vCPU's
 * beginning. Transitions wait in a queue until nothing can change them any more (runstates_settled): a later record
 * may still put `unknown` in front of them. What comes later than that begins at the settled time, and is counted.
 */
#ifndef XENMETER_METRICS_RUNSTATE_H
#define XENMETER_METRICS_RUNSTATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parser/order/clock.h"
#include "parser/quality.h"
#include "parser/trace.h"
#include "population.h"
#include "states.h"

enum transition_kind {
    TRANSITION_APPEAR, /* a vCPU exists since `value`, in state `to` */
    TRANSITION_STATE,  /* from one state to another; to running: `value` = transition_run(); */
                       /* to another state: the pCPU that recorded it, UINT32_MAX: not known */
    TRANSITION_YIELD,  /* it yields: a switch follows */
    TRANSITION_SLEEP,  /* it was put to sleep */
    TRANSITION_GO_ON,  /* it goes on running after all */
    TRANSITION_SKEWED, /* a change whose record came after the one that follows it: to be counted, no more */
    TRANSITION_DIE,    /* its domain is gone: the vCPU exists no longer */
    TRANSITION_DOUBT, /* from now on its state is doubtful, blind pCPUs or not (`value` = 1), or no longer (0) */
    TRANSITION_IO,    /* not of a vCPU: a record of I/O; `from` = enum io_record */
    TRANSITION_REMOVED, /* none: another one has taken its place; the model does not hand it out */
    /* what the charging stage (charging.h) adds for the ledger */
    TRANSITION_IO_EVENT,        /* an I/O event whose guest is known */
    TRANSITION_IO_UNATTRIBUTED, /* I/O events of a driver domain whose guest is not known */
    /* what the meter adds for it */
    TRANSITION_PCPU, /* a pCPU wrote its first record */
    TRANSITION_DARK  /* not of a vCPU: `value` = enum dark_change (blind.h) */
};

/* What an I/O record is about; its pCPU is `pcpu`. */
enum io_record {
    IO_RECORD_MAP,      /* vcpu = life of the domain whose page it is */
    IO_RECORD_UNMAP,    /* the same */
    IO_RECORD_TRANSFER, /* vcpu = life of the domain that is handed the page */
    IO_RECORD_COPY,     /* value = grant copy operations */
    IO_RECORD_SEND,     /* an event-channel operation that woke nobody */
    IO_RECORD_WAKE,     /* one that woke vcpu (NOBODY: not known by now), of life value */
    IO_RECORD_TRACED,   /* another hypercall, or exit: it shows that the domain's are recorded */
    IO_RECORD_TASK,     /* the kernel switches to another task, after copies */
    IO_RECORD_UNMAPPED, /* it unmaps no pages: a disk request is done whose pages stay mapped */
    IO_RECORD_IRQ       /* a device's interrupt was handled while it ran */
};

struct transition {
    uint64_t time_ns;
    uint64_t value;
    uint32_t vcpu;
    uint16_t pcpu; /* where it runs or ran last; NO_PCPU: not known */
    uint8_t kind;
    uint8_t from : 4, to : 4; /* enum runstate */
};

#define NO_PCPU UINT16_MAX

/*
 * The value of a change to running: the slice granted, UINT32_MAX without one, and in ns how long after the instant the change was
 * recorded, SWITCH_NS_MAX at most. So long Xen was busy with the switch.
 */
#define SWITCH_NS_MAX 18000000u
#define RUN_VALUE_MAX ((uint64_t)SWITCH_NS_MAX << 32 | UINT32_MAX)
static inline uint64_t transition_run(uint32_t slice_ns, uint64_t switch_ns)
{
    return (switch_ns < SWITCH_NS_MAX ? switch_ns : SWITCH_NS_MAX) << 32 | slice_ns;
}

static inline uint32_t transition_slice_ns(const struct transition *t)
{
    return (uint32_t)t->value;
}

static inline uint32_t transition_switch_ns(const struct transition *t)
{
    return (uint32_t)(t->value >> 32);
}

struct runstates;

/* Adds the events that the machine needs to an interest; who needs I/O or the slices granted adds those. */
void runstates_interest(struct event_interest *interest);

/* `population` and `quality` stay the caller's. NULL when there is no memory. */
struct runstates *runstates_new(struct population *population, struct quality *quality, uint64_t start_ns);

/*
 * Where the mask left runstate changes out, the states are rebuilt from switches, wakes, blocks and sleeps. To be
 * said before the first event.
 */
void runstates_use_switches(struct runstates *r);

/* Which pCPUs are scheduled together, as far as it is known by now (the caller's); NULL: none. */
void runstates_use_cores(struct runstates *r, const struct cores *cores);
void runstates_free(struct runstates *r);

/* So many pCPUs wrote nothing so far, though Xen made them schedule before the events that come next; 0: none. */
void runstates_tickled(struct runstates *r, unsigned pcpus);

/* So many pCPUs were not recorded, before the events that come next; 0: perhaps there are such, how many is not known. */
void runstates_unseen(struct runstates *r, unsigned pcpus);

/* The trace is damaged, or its times are, before the events that come next: contradictions prove nothing. */
void runstates_distrust(struct runstates *r);

/* Takes one event at `now_ns` (never below the one before); none that the model did not want. False when memory ran out. */
bool runstates_event(struct runstates *r, const struct event *e, uint64_t now_ns, const struct clock *clock);

/*
 * All events before watermark_ns have been given. Returns the time up to which transitions are settled; they can be
 * taken then.
 */
uint64_t runstates_settled(struct runstates *r, uint64_t watermark_ns);

/*
 * Up to when they are settled by now. Once runstates_settled was called, that moves by itself, too: after so many records about
 * states what is before the last event is settled, so that not too much waits.
 */
uint64_t runstates_settled_by_now(const struct runstates *r);

/* The trace is over: everything is settled. */
void runstates_end(struct runstates *r, uint64_t end_ns);

/* The next transition not after `upto_ns`, or NULL. Valid until the next call of any function here. */
const struct transition *runstates_take(struct runstates *r, uint64_t upto_ns);

/* Time in which records of this pCPU were lost, as far as it is known by now. */
uint64_t runstates_blind_ns(const struct runstates *r, uint16_t pcpu);

/*
 * Saves the machine, or restores it into a new one whose population is restored. It can be saved only where all
 * that its later results depend on is in it. Transitions before taken_ns were taken, and none after.
 */
bool runstates_can_be_saved(const struct runstates *r);
void runstates_snapshot(struct runstates *r, struct snapshot *s, uint64_t taken_ns);

/* Nobody wants the I/O that waits to be taken. */
void runstates_drop_io(struct runstates *r);

/* The vCPU that runs on a pCPU by the last event; NOBODY: not known. */
uint32_t runstates_current(const struct runstates *r, uint16_t pcpu);

/* Bytes held. */
size_t runstates_memory(const struct runstates *r);

#endif
