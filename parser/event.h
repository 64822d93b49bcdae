/*
 * What the parser delivers: the records that somebody is interested in, as they stand in the trace, and pseudo-events for
 * what the decoder knows beside them.
 */
#ifndef XENMETER_PARSER_EVENT_H
#define XENMETER_PARSER_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "parser/decode/event_table.h"

#ifndef PCPUS_MAX      /* fuzz targets have few */
#define PCPUS_MAX 4095 /* pCPU numbers 0..4094; larger ones are damage */
#endif

/* Slots of events that are no records of the trace. The last one is attached: it follows its record immediately. */
enum pseudo_event {
    /*
     * The blind time of a pCPU, in which its records were lost. _BEGIN: w[2], w[3] = its true beginning (tsc), which may lie
     * before what was already delivered. _END: w[1] = dom | vcpu << 16 of the vCPU that runs then, UINT32_MAX: not known.
     * Both: w[0] = records lost.
     */
    EVENT_BLIND_BEGIN = EVENT_SLOTS,
    EVENT_BLIND_END,
    /* Nothing was recorded, on any pCPU, since w[0], w[1] = the tsc of the last record before this one. */
    EVENT_HOLE,
    /* The null scheduler keeps the pCPU for a vCPU, w[0] = dom << 16 | vcpu; whether it runs is not known. */
    EVENT_ASSIGNED,
    EVENT_CURRENT, /* with raw records: the pCPU's current vCPU from now on, w[0] = dom << 16 | vcpu, CURRENT_UNKNOWN */
    EVENT_MORE /* attached to a raw record of more than four words: the rest */
};
#define EVENT_ATTACHED  EVENT_MORE
#define CURRENT_UNKNOWN 0xffffffffu

/* Or-ed: who wants the event, and what the decoder knows of it besides. */
enum event_flag {
    EVENT_RAW = 1,     /* a consumer of raw records */
    EVENT_MODEL = 2,   /* the model of domains and vCPUs */
    EVENT_CLOCK = 4,   /* the measurement of the clock; never delivered */
    EVENT_BY_SEND = 8, /* WAKE: an event-channel operation caused it */
    EVENT_WHO =
        8, /* others, with raw records: it may say who is current on a sibling; alone, nobody wants the event */
    EVENT_SWITCHED_IN =
        16, /* RUNSTATE_CHANGE to running: right after the one that ended the running of another vCPU */
    /* RUNSTATE_CHANGE of one word: the words after it say what the decoder knows besides. */
    EVENT_SLICED = 32, /* to running: w[1] = slice granted, ns */
    EVENT_RAN = 64,    /* from running: w[2] = how long it ran, ns modulo 2^32 (SWITCH_INFPREV) */
    EVENT_RAISED =
        128 /* w[3] = by how many cycles tsc is later than its stamp, which was too old; UINT32_MAX: or by more */
};
#define EVENT_WANTED (EVENT_RAW | EVENT_MODEL | EVENT_CLOCK)

struct event {
    uint64_t tsc;    /* cycles; never below that of an earlier event of the trace */
    uint32_t header; /* as in the trace: event number, payload words, tsc flag; 0 of pseudo-events */
    uint16_t pcpu;   /* */
    uint8_t slot;    /* enum event_slot, enum pseudo_event */
    uint8_t flags;   /* enum event_flag */
    uint32_t w
        [4]; /* the first four payload words; words beyond the record's own: as the flags say, else not defined */
};

_Static_assert(sizeof(struct event) == 32, "two events in a cache line");
_Static_assert(EVENT_MORE <= UINT8_MAX, "a slot fits into its byte");

static inline uint32_t event_number(const struct event *e)
{
    return e->header & 0x0fffffff;
}

static inline unsigned event_words(const struct event *e)
{
    return (e->header >> 28) & 7;
}

/* The slice granted with a runstate change, in ns; UINT32_MAX: none, or not limited. */
static inline uint32_t event_slice(const struct event *e)
{
    return e->flags & EVENT_SLICED ? e->w[1] : UINT32_MAX;
}

/* The time of a runstate change by its pCPU's own counter, as far as that is known. */
static inline uint64_t event_stamp(const struct event *e)
{
    return e->flags & EVENT_RAISED ? e->tsc - e->w[3] : e->tsc;
}

/*
 * Which events are wanted. Raw records come with their own times (a record without a tsc has that of the one before it on
 * its pCPU; CPU_CHANGE that of the first record of its window), with all their words, and with EVENT_CURRENT. Every record
 * that trace_quality counts can be wanted, EVENT_UNRECOGNISED, too.
 */
struct event_interest {
    bool raw[EVENT_SLOTS];
    bool raw_pcpus[PCPUS_MAX]; /* raw records of these pCPUs only, if */
    bool raw_some_pcpus;       /* set */
    bool model[EVENT_SLOTS];
    bool model_without_runstates[EVENT_SLOTS]; /* further ones, for a trace that holds no runstate changes */
    bool io;     /* model: the records of I/O between domains (parser/decode/io_filter.h) */
    bool tasks;  /* model, with `io`: those that say what driver domains' kernels run */
    bool slices; /* model: EVENT_SLICED */
};

/* Adds the interest of another consumer. Each gets what the other one asked for, too, and skips it. */
void event_interest_add(struct event_interest *into, const struct event_interest *from);

/* Whether any raw records, and any events of the model, are wanted. */
bool event_interest_raw(const struct event_interest *i);
bool event_interest_model(const struct event_interest *i);

#endif
