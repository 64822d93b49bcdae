/*
 * pCPUs of which no context switch was recorded, because none happened: who runs there follows from other records.
 *
 * Only the idle loop writes power states, so a pCPU that wrote nothing else is idle, from its first record to its last.
 * Hypercalls, traps and exits are a guest's: somebody runs, it is not known who. null_schedule names the vCPU that the pCPU
 * is kept for, which has it whenever it can run; whether it does is not said. One for nobody: the pCPU is idle.
 *
 * All of that ends with the first record that says who runs. What is learnt here reaches the model as records that it
 * understands: CONTINUE_RUNNING of the idle vCPU, EVENT_ASSIGNED, and blind time where it had to be taken back.
 */
#ifndef XENMETER_PARSER_UNSCHEDULED_H
#define XENMETER_PARSER_UNSCHEDULED_H

#include "stream.h"

/* Sets RECORD_LEARN for the slots that matter while the pCPU is in this mode. */
void unscheduled_set_actions(enum stream_mode mode, uint8_t *actions);

/* A record of a pCPU, of a slot with RECORD_LEARN. May change its mode. The stream has room for two events. */
void unscheduled_take(struct stream *s, uint64_t tsc, uint32_t header, unsigned slot, const uint8_t *payload);

/* Its window is over: passes on whom null_schedule named, if nothing followed. The stream has room for one event. */
void unscheduled_end_window(struct stream *s);

#endif
