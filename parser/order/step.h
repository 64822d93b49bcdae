/*
 * Whether the clock of a pCPU goes with those of the others.
 *
 * A tsc may begin anew or leap for good: on a pCPU that slept deeply, that was taken off line or that a host's firmware
 * woke up; or on all pCPUs at once, where another capture was joined on. xentrace's sweeps show it. What a window holds
 * was written before its ring was read; what the next window of a pCPU holds, after its own ring was read the last time.
 * So a window that was read a whole round before another one is nowhere later than that one, whatever the pCPUs did; and one
 * that was read in an earlier sweep, than what that sweep took.
 * Where one is, by more than STEP_CYCLES, one of the two clocks has left the others:
 *
 * - that of the later window, if it went back behind its own earlier records;
 * - else that of the smaller number of pCPUs;
 * - of as many, that of the earlier ones, if they had leapt ahead of all others before, else that of the later window.
 *
 * Where the window before was cut, or those before do not go with the others either, it is another capture that begins.
 *
 * The records of a pCPU whose clock has left are not used: by how much it did is sure to a sweep's length only. That
 * time of the pCPU is blind. If its clock comes back it is used again.
 */
#ifndef XENMETER_PARSER_STEP_H
#define XENMETER_PARSER_STEP_H

#include "order_state.h"

/* Clocks that are no further apart are in step, if skewed: 14 ms at 2.4 GHz. */
#define STEP_CYCLES (1ull << 25)

/* So far ahead is another capture, or a clock that left: some hours. */
#define TSC_FOREIGN (1ull << 45)

/* A window of a pCPU: the sweep in which it was read, and the first and the last time in it. */
struct step_window {
    uint64_t sweep, first_tsc, last_tsc;
};

/* Two times of a pCPU, and no record between them: perhaps its clock leapt there. */
struct step_gap {
    uint64_t from, to; /* from 0: `to` is its first */
};
#define STEP_GAPS 8

/* What is known of a pCPU's clock. */
struct step {
    struct step_window last, before; /* its windows in step; sweep 0: there was none */
    /* Longer than STEP_CYCLES, ascending, that end after the watermark; the first one may be several made one. */
    struct step_gap gaps[STEP_GAPS];
    unsigned gaps_n;
    struct step_leap {       /* where it last leapt ahead of all others */
        uint64_t sweep, tsc; /* sweep 0: it never did */
        uint64_t distance;   /* how far */
        uint64_t from;       /* nothing that it wrote after this is known to have been in step */
    } leap;
    bool out;              /* it has left */
    uint64_t blind_from;   /* out: since when, */
    uint64_t blind_since;  /* or before, when what was delivered by then was written, */
    uint64_t offset;       /* and how many bytes had been read, */
    int64_t ahead;         /* how far ahead of the others it left, below 0: behind them, */
    uint64_t out_tsc;      /* with which its last window since then began */
    bool was_blind;        /* its ring was full when its last window in step was read */
    bool unused;           /* runs show that it was set: nothing would show that it came back, */
    uint64_t unused_from;  /* the model gets no record of the pCPU after this, */
    uint64_t unused_since; /* and its time is blind from here on, perhaps before what was delivered */
    struct pace pace;      /* whether it goes with Xen's */
    uint64_t
        behind_sweep; /* in its window of this sweep stamps were older than what had arrived: its clock was set back */
    uint64_t back_from,
        back_to;        /* its stamps last went back from there, and took what was queued back to here */
    unsigned ascending; /* so many of its first stamps in a row rose, up to STEP_ASCENDING */
};
#define STEP_ASCENDING 8 /* so many are not all wrong: where the next one goes back the clock was set */

/*
 * A window of the stream begins with `tsc`, and then `next`. False: its clock is not in step with the others', and the window is not to be
 * used; or another capture begins (order.joined).
 */
bool step_window(struct order *o, struct stream *s, uint64_t tsc, uint64_t next);

/* A window was found to be of quite another time; not `from_start`: what is left of it, as a capture was cut in it. */
void step_foreign_window(struct order *o, const struct stream *s, bool from_start);

/*
 * Takes the queued events from number `from` on from the model. Raw records stay, at `tsc` or, if that is TSC_NONE, at their
 * own times. Blind time that is open then ends there.
 */
void step_take_back(struct order *o, struct stream *s, size_t from, uint64_t tsc);

/* Counts that the clock of a pCPU left, at `from`, by `distance`. */
void step_count_leaving(struct order *o, uint64_t from, uint64_t distance);

/* The pCPU wrote at `from` (0: never before) and next at `to`. */
void step_note_gap(struct order *o, uint16_t pcpu, uint64_t from, uint64_t to);

/* The pCPU's records turned out to be no later than `tsc`. */
void step_pull_back(struct order *o, uint16_t pcpu, uint64_t tsc);

/* The time that the pCPU's last window begins with turned out to be wrong: it began at `tsc` or later. */
void step_doubt_window(struct order *o, uint16_t pcpu, uint64_t tsc);

/*
 * The input has ended. Where windows that do not go with what went before are the last ones, they are another capture's, but
 * for a single one within a sweep: that of a pCPU whose clock left. False when there is no memory.
 */
bool step_end(struct order *o);

/*
 * Whether it is still to be seen what a leap of the pCPU was, after sweep `ended`. Then nothing may be delivered after
 * leap.from: that time may turn out to be blind.
 */
bool step_is_pending(const struct order *o, uint16_t pcpu, uint64_t ended);

/* The time up to `tsc` of pCPUs that are out is blind. -1 when there is no memory. */
int step_blind(struct order *o, uint64_t tsc);

#endif
