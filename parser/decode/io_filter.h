/*
 * Which records are of I/O between domains: of the many hypercalls only those that copy between domains or notify
 * another domain, of a driver domain also those that say what its kernel runs, and of the many wakes only those that a
 * notification caused.
 *
 * A notification is an event-channel operation: the hypercall's record comes first, and if the target was asleep its
 * WAKE is the very next record of that pCPU (xen/common/event_channel.c wakes before the hypercall returns).
 */
#ifndef XENMETER_PARSER_IO_FILTER_H
#define XENMETER_PARSER_IO_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "event_table.h"
#include "task_marks.h"

/* Hypercall numbers (Xen public/xen.h) and sub-operations. */
#define HYPERCALL_STACK_SWITCH     3  /* the kernel of a PV guest switches to another task */
#define HYPERCALL_SET_TIMER_OP     15 /* */
#define HYPERCALL_GRANT_TABLE_OP   20 /* */
#define HYPERCALL_IRET             23 /* it returns from an interrupt, or to user mode */
#define HYPERCALL_VCPU_OP          24 /* */
#define HYPERCALL_SCHED_OP         29 /* */
#define HYPERCALL_EVENT_CHANNEL_OP 32 /* send is by far the most frequent one */
#define GNTTABOP_UNMAP             1
#define GNTTABOP_COPY              5
#define VCPUOP_SET_TIMER           8 /* set_singleshot_timer */
#define SCHEDOP_POLL               3 /* waits for an event, as a kernel's spinlock does */

/* The hypercall of a record of these slots; UINT32_MAX: not one of them, or its number is not in the record. */
uint32_t record_hypercall(unsigned slot, const uint8_t *payload, unsigned words);

/* Whether records of the slot are hypercalls of PV domains. */
static inline bool io_filter_is_pv(unsigned slot)
{
    return slot == EVENT_HYPERCALL_V2 || slot == EVENT_HYPERCALL_SUBCALL || slot == EVENT_PV_HYPERCALL;
}

/* What a hypercall can be now. */
enum call_interest {
    CALL_PASSED_OVER,
    CALL_OF_INTEREST,
    CALL_MARKS /* it may be a mark (task_marks.h), and is nothing else */
};

/* Or-ed: which records of filtered slots can be of I/O now; those of others always can. */
enum io_heed {
    HEED_EXITS = 1,      /* none of the domain that runs was seen yet */
    HEED_WAKES = 2,      /* the next record is a WAKE, by an event-channel operation */
    HEED_INTERRUPTS = 4, /* a driver domain runs */
    HEED_ALL = 8,        /* it is open who runs: whatever the others say */
    IO_HEEDS = 16
};

/* What the filter knows of a pCPU. */
struct io_filter {
    /*
     * By hypercall number (there are fewer than 64): the actions (enum record_action) that a record with this number may be
     * taken for, so that one operation says whether a record can be of interest: all, or all but RECORD_HYPERCALL.
     */
    uint8_t call_actions[64];
    uint64_t marks;   /* a bit for each number: CALL_MARKS */
    uint8_t heeds;    /* enum io_heed */
    bool tasks;       /* the domain that runs is a driver domain: what its kernel runs is of interest */
    bool wants_tasks; /* of driver domains at all */
    uint16_t domain;  /* whose vCPU runs there; 0xffff: not known */
    uint8_t *
        hypercalls_seen; /* a bit for each `domain` of which a hypercall was seen there; NULL until the first use */
    uint8_t *
        drivers; /* a bit for each `domain` that mapped, copied, or unmapped no pages there; NULL as hypercalls_seen */
};

/* What a filter knows by the records before a place, from which another one goes on there (parser/trace.h: trace_resume). */
struct io_past {
    const uint8_t *hypercalls_seen, *drivers; /* as the filter's, IO_DOMAIN_BYTES each; NULL: of no domain */
    uint32_t current;                         /* the vCPU that runs: dom << 16 | vcpu, or CURRENT_UNKNOWN */
    uint16_t pcpu;
    bool ends_copies; /* a batch of copies ends with the next switch of tasks */
};

#define IO_DOMAIN_BYTES (65536 / 8) /* a bit for each domain id */

#define CALL_NO_ACTION 0xbfu /* all but RECORD_HYPERCALL */
#define CALL_ANY       0xffu

void io_filter_init(struct io_filter *f);

/* What a hypercall, below 64, can be from now on, and what it can be. */
static inline void io_filter_set_call(struct io_filter *f, unsigned call, enum call_interest interest)
{
    uint64_t bit = 1ull << call;
    f->call_actions[call] = interest == CALL_PASSED_OVER ? CALL_NO_ACTION : CALL_ANY;
    f->marks = interest == CALL_MARKS ? f->marks | bit : f->marks & ~bit;
}

static inline enum call_interest io_filter_call(const struct io_filter *f, unsigned call)
{
    return f->call_actions[call] != CALL_ANY ? CALL_PASSED_OVER
           : f->marks >> call & 1            ? CALL_MARKS
                                             : CALL_OF_INTEREST;
}

static inline void io_filter_heed(struct io_filter *f, enum io_heed what, bool heeded)
{
    f->heeds = (uint8_t)(heeded ? f->heeds | what : f->heeds & ~what);
}

/* Whether records of a filtered slot can be of I/O, by what is heeded. */
bool io_filter_heeds(unsigned slot, unsigned heeds);

/* A window of this pCPU begins with the records [p, end). False when there is no memory. */
bool io_filter_window(struct io_filter *f, const uint8_t *p, const uint8_t *end);

/* What driver domains' kernels run is of interest, or not; a driver domain is domain 0, and one that maps or copies pages, or unmaps none. */
void io_filter_want_tasks(struct io_filter *f, bool wanted);
void io_filter_free(struct io_filter *f);

/* What it knows, but for who runs; points into the filter. Or it goes on from there, when it is new: false, no memory. */
void io_filter_past(const struct io_filter *f, struct io_past *past);
bool io_filter_go_on(struct io_filter *f, const struct io_past *past);

/*
 * Whether a record of a filtered slot is one to deliver: a copy; an event-channel operation that wakes nobody (the
 * record after it is no WAKE); a wake by one; a switch of tasks that ends a batch of copies; and the first of all these
 * hypercalls, or exits, of a domain on this pCPU, so that it is known that they are traced. Where tasks are wanted, also
 * an unmap of no pages, which only driver domains ask for (the end of a disk request whose pages stay mapped), and
 * interrupts of devices while a driver domain runs.
 * `next` .. `end`: the bytes of the trace after the record.
 */
bool io_filter_passes(struct io_filter *f, unsigned slot, const uint8_t *payload, unsigned words,
                      const uint8_t *next, const uint8_t *end);

/* Whether a hypercall of the domain that runs was seen on this pCPU. */
static inline bool io_filter_seen(const struct io_filter *f)
{
    return f->hypercalls_seen && f->hypercalls_seen[f->domain / 8] >> f->domain % 8 & 1;
}

/* Of the domain that runs: whether a hypercall, or exit, was seen. If not, the next one is of interest. */
static inline void io_filter_set_seen(struct io_filter *f, bool seen)
{
    enum call_interest otherwise = f->tasks ? CALL_MARKS : CALL_PASSED_OVER;
    io_filter_set_call(f, HYPERCALL_STACK_SWITCH, seen ? otherwise : CALL_OF_INTEREST);
    io_filter_heed(f, HEED_EXITS, !seen);
}

/* Whether it is a driver domain, of which more is asked. */
void io_filter_set_tasks(struct io_filter *f, bool tasks);

/* A vCPU of the domain runs from now on. */
static inline void io_filter_runs(struct io_filter *f, uint16_t domain)
{
    f->domain = domain;
    bool drives = domain == 0 || (f->drivers && f->drivers[domain / 8] >> domain % 8 & 1);
    bool tasks = drives && (f->tasks || f->wants_tasks);
    if (tasks != f->tasks)
        io_filter_set_tasks(f, tasks);
    else
        io_filter_set_seen(f, io_filter_seen(f));
}

/* Whether a hypercall of a driver domain is a mark, and of what kind; `argument`: its first one, if `words` is above 1. */
static inline bool io_filter_mark(uint32_t call, uint32_t argument, unsigned words, enum task_mark *kind)
{
    switch (call & 0xfffff) {
    case HYPERCALL_STACK_SWITCH:
        *kind = TASK_SWITCHES;
        return true;
    case HYPERCALL_IRET:
        *kind = TASK_RETURNS;
        return true;
    case HYPERCALL_SET_TIMER_OP:
        *kind = TASK_TIMER;
        return true;
    case HYPERCALL_VCPU_OP:
        *kind = TASK_TIMER;
        return words >= 2 && argument == VCPUOP_SET_TIMER;
    case HYPERCALL_SCHED_OP:
        *kind = TASK_POLLS;
        return words >= 2 && argument == SCHEDOP_POLL;
    default:
        return false;
    }
}

/* The domain that runs maps, or hands over, a page, or unmaps none: it is a driver domain. */
static inline void io_filter_drives(struct io_filter *f)
{
    if (f->wants_tasks && !f->tasks && f->drivers) {
        f->drivers[f->domain / 8] |= (uint8_t)(1u << f->domain % 8);
        io_filter_set_tasks(f, true);
    }
}

/* The slots of which only some records are of I/O, and those of which all are; both end with EVENT_UNRECOGNISED. */
extern const unsigned io_filtered_slots[];
extern const unsigned io_slots[];

#endif
