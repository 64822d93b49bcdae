/* What the model hands out, in time order: changes of vCPUs' states, records of I/O, time in which records were lost. */
#ifndef XENMETER_METRICS_TRANSITION_H
#define XENMETER_METRICS_TRANSITION_H

#include <stdint.h>

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

#endif
