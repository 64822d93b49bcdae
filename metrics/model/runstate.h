/*
 * The runstate machine: ordered events in, a stream of transitions without contradictions out.
 *
 * It knows for each vCPU the state it is in, checks every record's old state against that, and settles what does not
 * fit: time in which records were lost becomes `unknown`; a first record gives the state back to the vCPU's
 * beginning. Transitions wait in a queue until nothing can change them any more (runstates_settled): a later record
 * may still put `unknown` in front of them. What comes later than that begins at the settled time, and is counted.
 */
#ifndef XENMETER_METRICS_RUNSTATE_H
#define XENMETER_METRICS_RUNSTATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parser/order/clock.h"
#include "parser/quality.h"
#include "parser/trace.h"
#include "population.h"
#include "states.h"
#include "transition.h"

struct runstates;

/* Adds the events that the machine needs to an interest; who needs I/O or the slices granted adds those. */
void runstates_interest(struct event_interest *interest);

/* `population` and `quality` stay the caller's. NULL when there is no memory. */
struct runstates *runstates_new(struct population *population, struct quality *quality, uint64_t start_ns);

/*
 * Where the mask left runstate changes out, the states are rebuilt from switches, wakes, blocks and sleeps. To be
 * said before the first event.
 */
void runstates_use_switches(struct runstates *r);

/* Which pCPUs are scheduled together, as far as it is known by now (the caller's); NULL: none. */
void runstates_use_cores(struct runstates *r, const struct cores *cores);
void runstates_free(struct runstates *r);

/* So many pCPUs wrote nothing so far, though Xen made them schedule before the events that come next; 0: none. */
void runstates_tickled(struct runstates *r, unsigned pcpus);

/* So many pCPUs were not recorded, before the events that come next; 0: perhaps there are such, how many is not known. */
void runstates_unseen(struct runstates *r, unsigned pcpus);

/* The trace is damaged, or its times are, before the events that come next: contradictions prove nothing. */
void runstates_distrust(struct runstates *r);

/* Takes one event at `now_ns` (never below the one before); none that the model did not want. False when memory ran out. */
bool runstates_event(struct runstates *r, const struct event *e, uint64_t now_ns, const struct clock *clock);

/*
 * All events before watermark_ns have been given. Returns the time up to which transitions are settled; they can be
 * taken then.
 */
uint64_t runstates_settled(struct runstates *r, uint64_t watermark_ns);

/*
 * Up to when they are settled by now. Once runstates_settled was called, that moves by itself, too: after so many records about
 * states what is before the last event is settled, so that not too much waits.
 */
uint64_t runstates_settled_by_now(const struct runstates *r);

/* The trace is over: everything is settled. False: no memory, now or before. */
bool runstates_end(struct runstates *r, uint64_t end_ns);

/* The next transition not after `upto_ns`, or NULL. Valid until the next call of any function here. */
const struct transition *runstates_take(struct runstates *r, uint64_t upto_ns);

/*
 * Blind time and holes count from from_ns on, or to to_ns, what is beyond does not; at first all counts. _from forgets what was counted so
 * far; to_ns may change as long as no event after the smaller one was given.
 */
void runstates_count_from(struct runstates *r, uint64_t from_ns);
void runstates_count_to(struct runstates *r, uint64_t to_ns);

/* Time in which records of this pCPU were lost, in windows that have ended. */
uint64_t runstates_blind_ns(const struct runstates *r, uint16_t pcpu);

/* The same of the window that goes on, up to what is settled; 0: none does. */
uint64_t runstates_blind_open_ns(const struct runstates *r, uint16_t pcpu);

/* Stretches in which no pCPU wrote a record. */
struct hole_count {
    uint64_t ns, n;
    uint64_t first_ns; /* n > 0: where the first one begins */
};
const struct hole_count *runstates_holes(const struct runstates *r);

/*
 * Saves the machine, or restores it into a new one whose population is restored. It can be saved only where all
 * that its later results depend on is in it. Transitions before taken_ns were taken, and none after.
 */
bool runstates_can_be_saved(const struct runstates *r);
void runstates_snapshot(struct runstates *r, struct snapshot *s, uint64_t taken_ns);

/* Nobody wants the I/O that waits to be taken. */
void runstates_drop_io(struct runstates *r);

/* The vCPU that runs on a pCPU by the last event; NOBODY: not known. */
uint32_t runstates_current(const struct runstates *r, uint16_t pcpu);

/* Bytes held. */
size_t runstates_memory(const struct runstates *r);

#endif
