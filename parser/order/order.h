/*
 * Time order across pCPUs.
 *
 * xentrace reads the rings in ascending pCPU order and again from the start: a sweep. When sweep k+1 has ended, every
 * ring has been read after the last record of sweep k was written: what is older than that record has arrived. That is the
 * watermark. It waits, besides, for each pCPU that is writing: a LOST_RECORDS record reports blind time that began right
 * after the pCPU's last record, and is written late.
 *
 * The time and the place of a record follow from the bytes of the trace alone, never from how much was read ahead or from
 * which events are wanted. So nothing here looks at what is queued, or at what was delivered, to tell a time:
 *
 * - The watermark moves at the end of a sweep, whether or not anything is delivered then. A record that is older than the
 *   watermark was at the beginning of its window comes at that time.
 * - Where the clock of a pCPU went back, its events beyond that time move back to it, if that is not before the watermark. If
 *   it went back to before the watermark, by two records, none moves, and those of that window that seem older than the last one
 *   before come at its time.
 * - An event without a time, of a pCPU that had none by then, waits for the pCPU's first time, or the trace's end. At the
 *   end of a sweep before any record of the trace had a time, it gets time 0.
 * - Time 0 is where the trace begins (or the pCPU, if its first times are long before those of all others). That is
 * known once the watermark is not before it; until then nothing is delivered.
 *
 * What is before the watermark is final, and is delivered; what is at the watermark is not, and waits for the next one. For by
 * these rules no event gets a time before the watermark any more, new or moved, but AT the watermark one may come from any
 * pCPU: every record that is too old does. So when the first event of a tsc is delivered all of that tsc are queued, however
 * many sweeps were read by then, and the merge gives them in the order of their pCPUs. The order of a trace is that of (tsc,
 * pCPU, place in the pCPU's stream), where times and places follow from the bytes: leaving events out, as nobody wants them,
 * moves none of the others. (Before any record has a time all are at time 0, and come in the order in which they were read.)
 *
 * Nothing can be delivered earlier, as bytes that are still to come decide about it. Where the window of the highest pCPU that has
 * written ends, the sweep may go on with a pCPU that never wrote before, whose first records are of any time from the watermark on.
 * What is after the watermark moves back where the next records of its pCPU go back, the model does not get it where they show that
 * the clock was set, and damage that is found later changes what the model concludes about pCPUs that were not recorded. So a live
 * trace comes two sweeps late: xentrace's -s says how much that is.
 *
 * That the watermark does not go back, and that no event comes before a watermark that a batch had, follows from three
 * things (tests/unit/random_streams.c tries them on damaged streams of random hosts):
 *
 * 1. The watermark, `ready` and the batch's watermark are only ever raised. `ready` is not beyond the watermark, and a batch's
 *    watermark is `ready`, or the time of the batch's last event where the batch was full: what is taken then comes from the
 *    same merge, of streams each of which is in order (settle).
 * 2. Whatever enters a stream, or moves in it, gets a time that is not before the watermark of that moment. Records: the window
 *    that is decoded began after the last time that the watermark moved, or showed that it moves, so that its stream's
 *    earliest_tsc is the watermark, below which stream_raise_late leaves nothing. Times that go back: pull_back is called with
 *    times from the watermark on only (judge_behind: floor_of; doubt_lone), and take_back with in_step_until's, or a time after the watermark (leave_behind). Blind time:
 *    stream_append_blind begins it at earliest_tsc or later, in the window that is decoded; step_blind and end_full_rings, which
 *    concern other streams, at a time that is not before the watermark or, for pCPUs whose runs show that they were set, not before
 *    `ready`. Untimed events: the times they get are the pCPU's first one, the trace's beginning or its end.
 * 3. All that is before `ready` is delivered before `ready` moves: order_take ends with less than `room` only when it is.
 *
 * What the lengths of runs say (pace.h) is known only where the model's events are wanted. It decides what the model gets of
 * a pCPU, and for how long events wait below the watermark; it moves no record.
 */
#ifndef XENMETER_PARSER_ORDER_H
#define XENMETER_PARSER_ORDER_H

#include <stddef.h>
#include <stdint.h>

#include "order_state.h"

/* Becomes the decoder's judge of times. False when there is no memory; order_free in both cases. */
bool order_init(struct order *o, struct decoder *d);
void order_free(struct order *o);

/* How cycles become ns is known from here on; the clock stays the caller's. -1 when there is no memory. */
int order_use_clock(struct order *o, const struct clock *clock);

/* Fresh events of a stream's window were decoded, all of them if the window has `ended`. They are fresh no longer. */
void order_window(struct order *o, struct stream *s, bool ended);

/* A sweep has ended: moves the watermark. -1 when there is no memory. */
int order_sweep(struct order *o);

/*
 * The input has ended: everything has arrived. If it was cut in the middle of a sweep (or windows are missing that every
 * sweep has), the pCPUs' records end at different times: the model gets those up to where the first one ends.
 * -1 when there is no memory.
 */
int order_end(struct order *o, bool cut);

/* Whether it is known when the trace begins: no record that is still to come is older. */
static inline bool order_beginning_is_known(const struct order *o)
{
    return o->tsc_first != UINT64_MAX && o->watermark >= o->tsc_first;
}

/* Whether anything can be delivered: when the trace begins is known, or nothing in it had a time so far. */
static inline bool order_can_deliver(const struct order *o)
{
    return order_beginning_is_known(o) || o->tsc_first == UINT64_MAX;
}

/* Collects the streams to merge, of what is before `ready`. -1 when there is no memory. */
int order_begin(struct order *o);

/*
 * Moves up to `room` events, in order, to `to`, and the ones attached to the last: at most ORDER_ATTACHED. Returns how
 * many. Less than `room`: all before `ready` are delivered.
 */
size_t order_take(struct order *o, struct event *to, size_t room);
#define ORDER_ATTACHED 1

#endif
