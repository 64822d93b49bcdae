/*
 * The events of one vCPU that its accounts still depend on: the last ones, and a few older ones.
 *
 * The account of a running vCPU has the time of its dispatch, its slice, and the wait and the blocking before. With a
 * preemption or a switch these take four records. Sixteen are kept: among them is a record at which a replay can begin
 * without seeming to contradict, even after a few records in the wrong order or in blind time.
 */
#ifndef XENMETER_ARCHIVE_ENTRY_HISTORY_H
#define XENMETER_ARCHIVE_ENTRY_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "metrics/measure/measures.h"
#include "metrics/model/population.h"
#include "parser/trace.h"

#define HISTORY_RECORDS 16

/* Whether a record's old state is the state known before it. */
enum fit {
    FITS,        /* it is */
    FITS_GAP,    /* lost records explain the difference */
    FITS_NOT,    /* nothing explains the difference, or no state was known */
    FITS_UNKNOWN /* another vCPU's record had shown that it cannot run there */
};

/* An event that was seen. */
struct seen_event {
    struct event
        event;       /* of a runstate change w[1] is the slice, w[3] how many ns its instant lies before it */
    uint64_t serial; /* of the event in the trace */
    uint64_t time_ns; /* its instant */
    uint8_t old, new; /* enum runstate, of a record about a state */
    uint8_t before;   /* what was known before it */
    uint8_t fit;      /* enum fit */
    bool skewed;      /* its record came after one that it precedes: it changes nothing */
};

enum history_note { NOTE_YIELD, NOTE_SLEEP, NOTES };

struct history {
    uint32_t life;                    /* number in the population */
    struct seen_event first;          /* */
    bool appeared_running;            /* its first record showed that it ran since its beginning */
    uint8_t state;                    /* current enum runstate; the caller keeps it, and pcpu */
    uint16_t pcpu;                    /* on which it runs or ran last; NO_PCPU: none */
    bool displaced;                   /* another vCPU runs on its pCPU: its own pCPU is not known */
    bool backdated;                   /* its first record showed that it ran since some later time */
    bool dispatched, stopped, waited; /* a record ever showed it dispatched, stopped, made runnable */
    struct seen_event records[HISTORY_RECORDS]; /* about its state; number i is at i % HISTORY_RECORDS */
    uint64_t n;                                 /* records so far */
    uint64_t doubt_ns; /* time of the last record that did not fit, of those no longer kept */
    /* The last two records that determined how long it was blocked before its next execution. */
    struct seen_event decided[2];
    unsigned decided_n;
    bool undecided; /* a record that Xen cannot have written may have determined it */
    /* Notes since it last stopped running. */
    struct seen_event notes[NOTES];
    bool noted[NOTES];
    /* The blind window in which it was last seen, if it has no record since. */
    uint64_t lost_in; /* its number, UINT64_MAX: none */
    struct seen_event lost[2];
    bool lost_kept; /* the two above are set: the window is no longer among the log's own */
};

/* A record about its state. */
void history_add(struct history *h, const struct seen_event *t);

/* The last record, a runstate change, was at an earlier instant after all. */
void history_date_last(struct history *h, uint64_t instant_ns);

static inline const struct seen_event *history_at(const struct history *h, uint64_t i)
{
    return &h->records[i % HISTORY_RECORDS];
}

#define HISTORY_NO_START UINT64_MAX

/*
 * The index of the record from which a replay of this vCPU must begin to restore its account; blind windows that began
 * before the event `windows_from` are not replayed. HISTORY_NO_START: no record will do.
 */
uint64_t history_start(const struct history *h, uint64_t windows_from);

#endif
