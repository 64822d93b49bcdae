/*
 * What is known of one pCPU by its own records, and those of its events that were not delivered yet, in time order.
 *
 * Nothing here depends on other pCPUs' records, or on what is wanted; but for times that do not follow from the pCPU's
 * own records, which the ordering judges (struct odd_time).
 */
#ifndef XENMETER_PARSER_STREAM_H
#define XENMETER_PARSER_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io_filter.h"
#include "parser/event.h"

/* A tsc further than this from its neighbours needs a second record to confirm it: about 100 s. */
#define TSC_LEAP (1ull << 38)

/* The two records of one context switch are never this far apart: about 0.2 ms. */
#define SWITCH_SPAN (1ull << 19)

#define CURRENT_NONE 0xfffffffeu /* no vCPU: see struct stream */

#define TSC_NONE UINT64_MAX /* of an event: its pCPU had written no record with a time by then */

/* What becomes of the records of each slot: enum record_action. */
struct slot_actions {
    uint8_t of[256];
};

/* What is known of who runs on a pCPU. */
enum stream_mode {
    STREAM_UNSCHEDULED, /* nothing yet: see unscheduled.h */
    STREAM_BUSY,        /* the same, but a guest's records show that somebody runs */
    STREAM_SCHEDULED,   /* records of its scheduler say it */
    STREAM_MODES
};

/* The last context switch that is recorded in a ring: who stopped running, and who began; dom << 16 | vcpu. */
struct last_switch {
    uint64_t tsc;
    uint32_t out, in; /* `in` is CURRENT_NONE if records are missing since, or */
    uint32_t foreign; /* if it is the idle vCPU of another pCPU, this one; else CURRENT_NONE */
    uint32_t sweep;   /* in which it was read, modulo 2^32 */
};

struct stream {
    struct event *events; /* [head, n) wait to be delivered */
    size_t head, n, capacity;
    size_t fresh;    /* events from here on were appended since the ordering last looked at the stream */
    uint64_t *marks; /* task_marks.h: that were not delivered yet */
    size_t marks_n, marks_capacity;
    uint16_t pcpu;
    const struct slot_actions *actions; /* what becomes of its records, by what its filter heeds */
    uint64_t last_tsc;                  /* of the last record of any kind; TSC_NONE before one with a time */
    uint64_t first_tsc; /* of the first one with a time, or where time went back to before it; or TSC_NONE */
    uint64_t
        reach; /* a tsc so far beyond last_tsc, or farther, is judged; at most TSC_LEAP + 1; 0: the next one is */
    uint64_t earliest_tsc; /* events of its last window come no earlier: up to here others may be delivered */
    bool begun;            /* last_tsc is a time */
    bool late;             /* records of its last window are older than earliest_tsc */
    bool pulled_back;      /* time went back: events that are queued may lie beyond later ones */
    bool perhaps_blind;    /* the last window filled its ring: records may be missing after it */
    bool before_blind;     /* the same of the window before */
    uint64_t last_sweep;   /* of its last window */
    unsigned sweeps_in_row;   /* so many sweeps in a row, up to the last window's, it wrote, */
    uint32_t least_bytes;     /* and in each of them at least so much */
    uint64_t longest_silence; /* between two windows; at the ends of sweeps: to the last record of all */
    uint64_t sweeps;          /* so many of these have ended since it wrote first */
    /* What records say about later ones: */
    uint32_t
        window_bytes; /* of the window whose CPU_CHANGE waits for the time of the first record; WINDOW_NONE */
    bool old_lost;    /* a LOST_RECORDS without a time awaits the next record that has one */
    uint32_t old_lost_count;
    uint64_t run_since;         /* tsc of the last context switch that was recorded, 0: none, or not known */
    bool switched_out;          /* the last runstate change ended the running of a vCPU, */
    uint32_t switched_out_vcpu; /* of this one: dom << 16 | vcpu */
    struct last_switch last_switch, last_unit_switch; /* by runstate changes, by SWITCH */
    uint8_t together;                                 /* switches at once of several pCPUs (cores.h) */
    uint8_t elsewhere; /* switches from another vCPU than the last one in the window was to (cores.h) */
    uint8_t missed;    /* the same, whenever the last one was, up to SWITCHES_COUNTED */
    uint32_t slice_ns; /* granted by the last SWITCH_INFNEXT; UINT32_MAX: none or unlimited */
    bool ran;          /* SWITCH_INFPREV said how long the vCPU ran that is switched out next: */
    uint32_t ran_ns;   /* modulo 2^32, */
    uint64_t ran_who;  /* who it is: dom | vcpu << 32, or STREAM_ANY_VCPU | dom */
    uint64_t in_who;   /* whom the last SWITCH_INFNEXT named, in the same way; STREAM_NOBODY: not known */
    uint32_t current;  /* the vCPU that runs: dom << 16 | vcpu, CURRENT_UNKNOWN (current.h) */
    uint32_t emitted_current; /* that of the last EVENT_CURRENT; CURRENT_NONE: there was none yet */
    uint32_t next;            /* of a SWITCH that nothing followed yet, else CURRENT_NONE */
    enum stream_mode mode;
    uint64_t idle_tsc; /* not STREAM_SCHEDULED: of the last record that only the idle vCPU writes; 0: none */
    uint32_t
        assigned; /* the vCPU that null_schedule named in this window: dom << 16 | vcpu; else CURRENT_NONE */
    struct io_filter io;
};

#define WINDOW_NONE     UINT32_MAX
#define STREAM_ANY_VCPU 0xffffffff00000000u
#define STREAM_NOBODY   UINT64_MAX

/* What becomes of its next record. */
static inline const uint8_t *stream_actions(const struct stream *s)
{
    return s->actions[s->io.heeds].of;
}

/* A SWITCH named the next vCPU that runs; CURRENT_NONE: it is settled who runs. */
static inline void stream_set_next(struct stream *s, uint32_t vcpu)
{
    s->next = vcpu;
    io_filter_heed(&s->io, HEED_ALL, vcpu != CURRENT_NONE);
}

/* NULL when there is no memory. */
struct stream *stream_new(uint16_t pcpu);
void stream_free(struct stream *s);

/* Records are missing: whom the next context switch is from does not follow from the last one. */
static inline void stream_forget_switches(struct stream *s)
{
    s->last_switch.in = s->last_switch.foreign = CURRENT_NONE;
    s->last_unit_switch.in = s->last_unit_switch.foreign = CURRENT_NONE;
}

/* Makes room for `more` events, or marks. False when memory ran out. */
bool stream_reserve(struct stream *s, size_t more);
bool stream_reserve_marks(struct stream *s, size_t more);

/* Appends an event; room was reserved. Its words are the caller's to fill. */
static inline struct event *stream_append(struct stream *s, uint64_t tsc, uint32_t header, unsigned slot,
                                          unsigned flags)
{
    struct event *e = &s->events[s->n++];
    e->tsc = tsc;
    e->header = header;
    e->pcpu = s->pcpu;
    e->slot = (uint8_t)slot;
    e->flags = (uint8_t)flags;
    return e;
}

/* Time went back to `tsc`: what is queued beyond it moves back to it, at the latest with stream_settle. */
void stream_pull_back(struct stream *s, uint64_t tsc);

/*
 * Brings the times of what is queued into order, once for all times that time went back; or those of the fresh events only,
 * of which some can be removed then.
 */
void stream_settle(struct stream *s);
void stream_settle_fresh(struct stream *s);

/* Fresh events that are older than earliest_tsc come at that time. */
void stream_raise_late(struct stream *s);

/* Events that have no time (TSC_NONE) get this one. */
void stream_set_time(struct stream *s, uint64_t tsc);

/* The pCPU has a time, and so have all events that are queued; nothing to do if it had one before. */
void stream_begin(struct stream *s, uint64_t tsc);

/*
 * Puts the blind time [from, to] among the events that are queued; `vcpu`: see EVENT_BLIND_END. The first one lets it begin at
 * `at`, before which nothing may come any more, the second one not before earliest_tsc.
 */
void stream_insert_blind(struct stream *s, uint64_t at, uint64_t from, uint64_t to, uint32_t lost,
                         uint32_t vcpu);
void stream_append_blind(struct stream *s, uint64_t from, uint64_t to, uint32_t lost, uint32_t vcpu);

#endif
