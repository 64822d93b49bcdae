/*
 * Whether the clock of a pCPU goes with those of the others.
 *
 * A tsc may begin anew or leap for good: on a pCPU that slept deeply, that was taken off line or that a host's firmware
 * woke up; or on all pCPUs at once, where another capture was joined on. xentrace's sweeps show it. What a window holds
 * was written before its ring was read; what the next window of a pCPU holds, after its own ring was read the last time.
 * So a window that was read a whole round before another one is nowhere later than that one, whatever the pCPUs did.
 * Where one is, by more than STEP_CYCLES, one of the two clocks has left the others:
 *
 * - that of the later window, if it went back behind its own earlier records;
 * - that of the earlier one, if it had leapt ahead of all others before;
 * - else that of the smaller number of pCPUs, or of the later window.
 *
 * The records of a pCPU whose clock has left are not used: by how much it did is sure to a sweep's length only. That
 * time of the pCPU is blind. If its clock comes back it is used again.
 *
 * A clock that leaves by less, or when others are silent, shows where runs are recorded with their lengths (pace.h). It may
 * also be that nothing was recorded for a time on any pCPU, so that the runs that end after it are others: another capture of
 * the same boot was joined on. Then all pCPUs were silent for so long, between two windows of each, and more than one pCPU's
 * runs are odd; or none says that all of it was recorded, and it was longer than clocks leave by.
 */
#ifndef XENMETER_PARSER_STEP_H
#define XENMETER_PARSER_STEP_H

#include "order.h"
#include "pace.h"

/* Clocks that are no further apart are in step, if skewed: 14 ms at 2.4 GHz. */
#define STEP_CYCLES (1ull << 25)

/* So far ahead is another capture, or a clock that left: some hours. */
#define TSC_FOREIGN (1ull << 45)

/* A window of a pCPU: the sweep in which it was read, and the first and the last time in it. */
struct step_window {
    uint64_t sweep, first_tsc, last_tsc;
};

/* What is known of a pCPU's clock. */
struct step {
    struct step_window last, before; /* its windows in step; sweep 0: there was none */
    struct step_leap {               /* where it last leapt ahead of all others */
        uint64_t sweep, tsc;         /* sweep 0: it never did */
        uint64_t distance;           /* how far */
        uint64_t from;               /* nothing that it wrote after this is known to have been in step */
    } leap;
    bool out;                    /* it has left, */
    bool stays_out;              /* and will not be used again: nothing would show that it came back */
    uint64_t blind_from;         /* out: since when, */
    uint64_t offset;             /* and how many bytes had been read */
    struct pace pace;            /* whether it goes with Xen's */
    uint64_t back_from, back_to; /* its stamps last went back from there to here */
};

/*
 * A window of the stream begins with `tsc`, and then `next`. False: its clock is not in step with the others', and the window is not to be
 * used; or another capture begins (order.joined).
 */
bool step_window(struct order *o, struct stream *s, uint64_t tsc, uint64_t next);

/* A window was found to be of quite another time. */
void step_foreign_window(struct order *o, const struct stream *s);

/* The events of the stream from number `from` on are new: what runs say of its clock. */
void step_take_runs(struct order *o, const struct stream *s, size_t from);

/* A sweep, or the input (`end`), is over: what odd runs are due to is decided, where it can be by now. */
void step_judge_runs(struct order *o, bool end);

/* After sweep `ended`: up to when nothing is to be decided any more about the runs of the pCPU; UINT64_MAX: all the time. */
uint64_t step_runs_decided(const struct order *o, uint16_t pcpu, uint64_t ended);

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
