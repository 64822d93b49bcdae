/*
 * What the lengths of runs say of the clocks of pCPUs (pace.h), where the model's events are wanted.
 *
 * A clock that leaves by less than sweeps show, or when others are silent, shows where runs are recorded with their lengths,
 * and where other records say so as well: its own stamps go back, sweeps contradict it, or the changes of vCPUs fit only if it
 * was set; else it may be Xen's clock that was, if it is ahead. Where all pCPUs were silent, between two windows of each, a run
 * may also be odd because it began then, unseen: another capture of the same boot was joined on.
 *
 * Of a pCPU whose clock was set the model gets no more. Its records stay where they are: where no model is wanted, no runs are
 * known.
 */
#ifndef XENMETER_PARSER_RUNS_H
#define XENMETER_PARSER_RUNS_H

#include "step.h"

/* The events of the stream from number `from` on are new: what runs say of its clock. */
void runs_take(struct order *o, const struct stream *s, size_t from);

/* The same of all events that are queued, once the clock is known. */
void runs_take_queued(struct order *o);

/* A sweep, or the input (`end`), is over: what odd runs are due to is decided, where it can be by now. */
void runs_judge(struct order *o, bool end);

/* Takes the stream's fresh events from the model, if it gets nothing of the pCPU. */
void runs_withhold(struct order *o, struct stream *s);

/* The time of the last record of any pCPU of which the model is given all. */
uint64_t runs_used_last(const struct order *o);

/* After sweep `ended`: up to when nothing is to be decided any more about the runs of the pCPU; UINT64_MAX: all the time. */
uint64_t runs_decided(const struct order *o, uint16_t pcpu, uint64_t ended);

/* The same of silence of all pCPUs in which switches may be missing: the runs around it were not read yet. */
uint64_t runs_silence_decided(const struct order *o);

#endif
