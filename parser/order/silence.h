/*
 * Holes: time in which no pCPU wrote a record, although the one that runs xentrace must have: the host slept, or nobody
 * read the rings.
 *
 * A pCPU that is idle, or whose vCPU runs alone, is silent for long and everything of it was recorded. All pCPUs together
 * are not: xentrace polls, and each poll makes dom0 run. So a stretch that all pCPUs were silent in is a hole if it is
 * longer than HOLE_NS and than three of the usual distances between sweeps, or than an hour. But where a SWITCH_INFPREV after it says that
 * its vCPU ran for just as long as the stamps do, nothing was missed on that pCPU; if that holds for each pCPU that says
 * anything, the stretch is no hole. A pCPU whose first record of all ends a shorter run misses a switch.
 */
#ifndef XENMETER_PARSER_SILENCE_H
#define XENMETER_PARSER_SILENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clock.h"
#include "parser/decode/cores.h"
#include "parser/decode/decoder.h"

#define HOLE_NS 2000000000u

/* Cycles that are silence before the clock is known: HOLE_NS, or less, of any counter faster than 1 MHz. */
#define SILENCE_CYCLES        (1u << 21)
#define SILENCE_WINDOW_CYCLES (1u << 14) /* the same, between two windows */

/* A pCPU wrote nothing in between. */
struct silence {
    uint64_t from, to; /* tsc of its records around it; from 0: the second one is its first */
    /* Its next SWITCH_INFPREV ends a run that is so long by the stamps, or longer (from 0); 0: there is none to see. */
    uint64_t run_cycles;
    uint32_t runtime_ns; /* and by Xen's clock, modulo 2^32 */
    uint16_t pcpu;
    bool idle; /* its idle vCPU ran, or, before its first record, perhaps */
};

struct hole {
    uint64_t from, to; /* tsc of the records around it */
};

/* Whether the last switch that the pCPU recorded was to its idle vCPU. */
static inline bool silence_is_idle(const struct stream *s)
{
    return s->last_switch.in != CURRENT_NONE && s->last_switch.in >> 16 == CORES_IDLE_DOMAIN;
}

#define SWEEPS_KEPT 64

/* Between two windows of a pCPU shorter silences are noted, too: by this factor. */
#define SILENCE_PART 2000

struct silences {
    struct silence *list; /* that may still be part of a hole */
    size_t n, capacity;
    struct hole *holes; /* [holes_head, holes_n) wait to be delivered, in time order */
    size_t holes_head, holes_n, holes_capacity;
    struct hole last_hole;                 /* that was found last; to 0: none was */
    uint64_t cycles;                       /* HOLE_NS as cycles, 0: the clock is not known */
    uint64_t sweep_ends[SWEEPS_KEPT];      /* tsc up to which sweep i read is at i % SWEEPS_KEPT, */
    struct hole before_sweep[SWEEPS_KEPT]; /* and the silence before its first record; to 0: there was none */
    uint64_t sweeps;
    bool no_memory;
};

void silences_free(struct silences *s);

/* How many cycles between two records of a pCPU are to be noted. */
static inline uint64_t silence_cycles(const struct silences *s)
{
    return !s->cycles ? SILENCE_CYCLES : s->cycles < TSC_LEAP ? s->cycles : TSC_LEAP;
}

/* The same, of the first record of a window: another capture may begin there (runs.h). */
static inline uint64_t silence_window_cycles(const struct silences *s)
{
    return s->cycles ? s->cycles / SILENCE_PART : SILENCE_WINDOW_CYCLES;
}

/* The clock is known. */
void silences_use_clock(struct silences *s, const struct clock *clock);

/* A sweep has read records from `first` (UINT64_MAX: none) up to `tsc`. */
void silences_sweep(struct silences *s, uint64_t first, uint64_t tsc);

/* A pCPU was silent. Without memory no_memory is set. */
void silences_note(struct silences *s, const struct silence *silence);

/*
 * The pCPU's records turned out to be no later than `tsc`: its silences end there, if they are long enough then, and holes that
 * they ended later are none.
 */
void silences_pull_back(struct silences *s, uint16_t pcpu, uint64_t tsc);

/* Everything up to the watermark was noted: finds the holes that end by then. */
void silences_settle(struct silences *s, const struct decoder *d, const struct clock *clock,
                     uint64_t watermark);

/*
 * Finds the longest stretch in which all pCPUs were silent, between two windows of each, in which or next to which, by up to
 * `near` cycles, `tsc` lies. False: there is none.
 */
bool silences_find(const struct silences *s, const struct decoder *d, uint64_t tsc, uint64_t near,
                   struct hole *longest);

/* Whether the stretch is longer than three of the usual distances between sweeps. */
bool silences_is_unusual(const struct silences *s, const struct hole *h);

/* Whether no silence between two sweeps that ended after `since` was longer than the stretch; false, too, if that is not known any more. */
bool silences_is_longest(const struct silences *s, const struct hole *h, uint64_t since);

/*
 * The beginning of the earliest stretch that is so (silences_is_unusual), that ended after `tsc`, and in which all pCPUs were
 * silent between two of their windows; UINT64_MAX: there is none.
 */
uint64_t silences_unusual(const struct silences *s, const struct decoder *d, uint64_t tsc);

/* The stretch is a hole. */
void silences_add_hole(struct silences *s, const struct hole *h);

/* The next hole to deliver, or NULL; and on to the one after it. */
static inline const struct hole *silences_hole(const struct silences *s)
{
    return s->holes_head < s->holes_n ? &s->holes[s->holes_head] : NULL;
}

static inline void silences_hole_delivered(struct silences *s)
{
    s->holes_head++;
}

#endif
