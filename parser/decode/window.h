/*
 * Windows and records: the bytes of the trace cut into records, those that somebody wants appended to the stream of
 * their pCPU. Damage costs the window it is in: decoding resumes at the next window header that makes sense.
 */
#ifndef XENMETER_PARSER_WINDOW_H
#define XENMETER_PARSER_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parser/order/clock_probe.h"
#include "parser/source/input.h"
#include "parser/quality.h"
#include "stream.h"
#include "parser/trace.h"

struct decoder {
    struct input *input;
    struct quality *quality;
    struct clock_probe probe;
    uint8_t actions[EVENT_SLOTS]; /* enum record_action, by slot */
    struct stream **streams;      /* by pCPU number, NULL until its first window */
    uint16_t *pcpus;              /* the pCPU numbers seen, ascending */
    unsigned pcpus_n;
    uint64_t emitted_tsc; /* tsc up to which events were handed on; set by the caller */
    uint64_t sweep;       /* number of the sweep that is being read, from 1 */
    uint64_t tsc_first;   /* of any record; UINT64_MAX before the first */
    uint64_t tsc_last;    /* of any record */
    uint64_t
        foreign_front;  /* tsc_last when time first went far back: another capture was joined on; 0: not so */
    bool has_runstates; /* a runstate change was seen */
    uint64_t switches;  /* SWITCH and SWITCH_INFPREV records seen */
    bool wants_io;      /* what tells of I/O: see io_filter.h */
    bool raw;           /* records are delivered as they stand */
    unsigned traits;    /* verbatim: enum trace_trait, as far as they were seen */
    const uint8_t *pcpus_wanted; /* verbatim: a byte for each of PCPUS_MAX, NULL: all */
    uint8_t
        *hypercalls_seen; /* domains of which a hypercall was seen, a byte for each id: for the I/O filter */
    size_t queued;        /* events waiting in all streams, before the window being read */
    /* the window being read */
    struct stream *current; /* NULL: between windows */
    uint64_t remaining;     /* bytes of it still to come */
    bool window_fresh;      /* its first tsc was not looked at yet */
    int last_pcpu;          /* of the window before; -1: none */
    uint32_t largest_window;
};

#define WINDOW_HEADER_LEN 12
#define BLIND_WAIT_SWEEPS 64 /* how long a pCPU whose ring was full may keep everybody waiting (order.c) */

/* Wants an event delivered (or no longer). LOST_RECORDS always is. */
void decoder_want(struct decoder *d, unsigned slot, bool wanted);

/*
 * At the beginning of a sweep: nothing was damaged so far, and no record before decides what becomes of one behind, so
 * that decoding could begin here.
 */
bool decoder_is_whole(const struct decoder *d);

/* The clock is fixed: the records that only served to measure it are skipped from now on. */
void decoder_settle(struct decoder *d);

/* Wants what tells of I/O delivered (io_filter.h). To be said once, after decoder_init. */
void decoder_want_io(struct decoder *d);

/*
 * Wants records as they stand, all their words, with the vCPUs that were current (trace.h): only of the pCPUs wanted, NULL
 * for all. To be said once, after decoder_init and before decoder_want.
 */
void decoder_want_raw(struct decoder *d, const uint8_t *pcpus_wanted);

/* `input` and `quality` stay the caller's. Returns 0, or -1 when there is no memory. */
int decoder_init(struct decoder *d, struct input *input, struct quality *quality, struct error *err);
void decoder_free(struct decoder *d);

enum decoder_status { DECODER_END, DECODER_SWEEP, DECODER_FULL };

/*
 * Decodes up to the end of the sweep (DECODER_SWEEP), the end of the input (DECODER_END), or until `limit_events`
 * are queued in all streams (DECODER_FULL). Returns -1 with `err` filled on a read error, no memory, or when the
 * input does not begin like a capture.
 */
int decoder_run(struct decoder *d, size_t limit_events, struct error *err);

#endif
