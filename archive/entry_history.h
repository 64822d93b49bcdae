/*
 * What the events of one vCPU's past leave behind: its last ones, and those few older ones on which its accounts still rest.
 *
 * What an account knows of a vCPU that runs: since when, its slice, the wait and the blocking before. A preemption or a
 * switch makes four records of all that. Sixteen are kept, so that among them there also is a place where the replay can
 * begin without being taken for a contradiction, past a few records in the wrong order or in blind time.
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

/* How a record's old state goes with what was known before it. */
enum fit {
    FITS,        /* as it should */
    FITS_GAP,    /* lost records explain the difference */
    FITS_NOT,    /* nothing does, or there was nothing before */
    FITS_UNKNOWN /* another vCPU's record had told that it cannot run there */
};

/* An event that was seen. */
struct told {
    struct event event; /* at the instant the model gave it; of a runstate change w[1] is the slice */
    uint64_t serial;    /* of the event in the trace */
    uint64_t time_ns;   /* */
    uint8_t old, new;   /* enum runstate, of a record about a state */
    uint8_t before;     /* what was known before it */
    uint8_t fit;        /* enum fit */
    bool skewed;        /* its record came after one that it precedes: it changes nothing */
};

enum history_note { NOTE_YIELD, NOTE_SLEEP, NOTES };

struct history {
    uint32_t life;                        /* number in the population */
    struct told first;                    /* */
    bool appeared_running;                /* its first record told that it ran since its beginning */
    uint8_t state;                        /* enum runstate, by now: kept by the caller, as pcpu */
    uint16_t pcpu;                        /* where it runs or ran last, NO_PCPU */
    bool displaced;                       /* another vCPU runs where it should: where it is cannot be told */
    bool backdated;                       /* it told that it ran since some later time */
    bool dispatched, stopped, waited;     /* it was ever, by a record: dispatched, taken off, made runnable */
    struct told records[HISTORY_RECORDS]; /* about its state; number i is at i % HISTORY_RECORDS */
    uint64_t n;                           /* records so far */
    uint64_t doubt_ns; /* when the last record that did not fit came, of those that are no longer kept */
    /* The last record that settled how long it was blocked before its next execution, and the one before it. */
    struct told decided[2];
    unsigned decided_n;
    bool undecided; /* a record that Xen cannot have written may have settled it */
    /* What was noted since it stopped running last. */
    struct told notes[NOTES];
    bool noted[NOTES];
    /* The blind window in which it was last seen, if nothing was heard of it since. */
    uint64_t lost_in; /* its number, UINT64_MAX: none */
    struct told lost[2];
    bool lost_kept; /* the two above are set: the window is no longer among the log's own */
};

/* A record about its state. */
void history_add(struct history *h, const struct told *t);

static inline const struct told *history_at(const struct history *h, uint64_t i)
{
    return &h->records[i % HISTORY_RECORDS];
}

#define HISTORY_NO_START UINT64_MAX

/*
 * The record from which on all are to be told, so that whoever hears them knows of the vCPU what is to be known; blind
 * windows that began before the event `windows_from` are not told. HISTORY_NO_START: it cannot be done.
 */
uint64_t history_start(const struct history *h, uint64_t windows_from);

#endif
