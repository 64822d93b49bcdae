/*
 * The quality of the data: counts of what was read, lost, damaged or contradictory. Every result includes it. The
 * parser fills the part about bytes and records, the meter the part about states; every field adds, so that the parts
 * of a trace merge (quality_merge).
 */
#ifndef XENMETER_PARSER_QUALITY_H
#define XENMETER_PARSER_QUALITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parser/decode/event_table.h"

#define QUALITY_PLACES       8  /* how many places of damage are kept with their offsets */
#define QUALITY_UNRECOGNISED 64 /* how many different unknown event numbers have a count of their own */

/* One stretch of the trace that could not be used. */
struct damage {
    uint64_t offset;  /* first byte skipped, in the (decompressed) trace */
    uint64_t bytes;   /* how many */
    const char *what; /* static text: "payload past the window", "no window header", ... */
};

/* Records of one slot by form: index = payload words + 8 if the record carries a tsc. */
struct event_count {
    uint64_t forms[16];
};

struct quality {
    uint64_t bytes;           /* decompressed bytes read */
    uint64_t records;         /* records decoded, CPU_CHANGE included */
    uint64_t windows;         /* CPU_CHANGE records that began a window */
    uint64_t sweeps;          /* ascending rounds over the pCPUs */
    uint64_t lost_records;    /* sum of the counts in LOST_RECORDS records */
    uint64_t lost_markers;    /* LOST_RECORDS records */
    uint64_t truncated_bytes; /* at the end of the input: a record or window that was cut off */
    uint64_t skipped_bytes;   /* damaged stretches passed over */
    uint64_t skipped_places;  /* number of these stretches */
    uint64_t skipped_end;     /* where the last of them ends, */
    const char *skipped_what; /* and what it was: static text */
    uint64_t tsc_backwards;   /* records whose tsc ran backwards on their pCPU */
    uint64_t tsc_implausible; /* records whose tsc is implausible beside their neighbours' */
    uint64_t core_pcpus; /* pCPUs that are scheduled together (sched-gran=core|socket); 0: each on its own */
    uint64_t core_pcpus_unknown; /* pCPUs scheduled together with others of which it is not known with which */
    struct damage places[QUALITY_PLACES];
    struct event_count events[EVENT_SLOTS];
    struct unrecognised_event {
        uint32_t event;
        uint64_t records;
        uint64_t bytes;
    } unrecognised[QUALITY_UNRECOGNISED]; /* in order of first sight */
    unsigned unrecognised_kinds;
    uint64_t unrecognised_other; /* records of further unknown kinds */

    /* the meter's part */
    uint64_t blind_ns;      /* sum over pCPUs of the time in which records were lost */
    uint64_t blind_late_ns; /* part of blind_ns reported after that time was accounted for */
    uint64_t unknown_ns;    /* guest vCPU time whose state is not known */
    uint64_t inconsistent; /* state changes that contradict the tracked state with no lost records in reach */
    uint64_t inconsistent_at_ns; /* where the first of them is (from the trace's start) */
    uint64_t skew_max_ns;        /* largest backward step of one vCPU's records across pCPUs */
    uint64_t ignored_records;    /* scheduler records that name impossible vCPUs */
};

/* Bytes of `n` records of form index `form` (see struct event_count). */
uint64_t event_form_bytes(unsigned form, uint64_t n);

/* Notes a damaged stretch; keeps the places of the first QUALITY_PLACES and counts all. */
void quality_skip(struct quality *q, uint64_t offset, uint64_t bytes, const char *what);

/* Counts a record whose event number is not in the table. */
void quality_unrecognised(struct quality *q, uint32_t event, unsigned bytes);

/* Adds `from` to `into`. */
void quality_merge(struct quality *into, const struct quality *from);

#endif
