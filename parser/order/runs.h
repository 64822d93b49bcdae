/*
 * What the lengths of runs say of the clocks of pCPUs (pace.h), where the model's events are wanted.
 *
 * A clock that leaves the others by less than sweeps show, or when others are silent, shows where runs are recorded with
 * their lengths. It may also be that nothing was recorded for a time on any pCPU, so that the runs that end after it are
 * others: another capture of the same boot was joined on. Then all pCPUs were silent for so long, between two windows of
 * each, and more than one pCPU's runs are odd; or none says that all of it was recorded, and it was longer than clocks leave
 * by.
 *
 * Of a pCPU whose clock was set the model gets no more. Its records stay where they are: where no model is wanted, no runs are
 * known.
 */
#ifndef XENMETER_PARSER_RUNS_H
#define XENMETER_PARSER_RUNS_H

#include "step.h"

/* The events of the stream from number `from` on are new: what runs say of its clock. */
void runs_take(struct order *o, const struct stream *s, size_t from);

/* A sweep, or the input (`end`), is over: what odd runs are due to is decided, where it can be by now. */
void runs_judge(struct order *o, bool end);

/* Takes the stream's fresh events from the model, if it gets nothing of the pCPU. */
void runs_withhold(struct order *o, struct stream *s);

/* The time of the last record of any pCPU of which the model is given all. */
uint64_t runs_used_last(const struct order *o);

/* After sweep `ended`: up to when nothing is to be decided any more about the runs of the pCPU; UINT64_MAX: all the time. */
uint64_t runs_decided(const struct order *o, uint16_t pcpu, uint64_t ended);

#endif
