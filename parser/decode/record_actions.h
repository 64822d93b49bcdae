/* What becomes of the records of each slot, by what is wanted. */
#ifndef XENMETER_PARSER_RECORD_ACTIONS_H
#define XENMETER_PARSER_RECORD_ACTIONS_H

#include "decoder.h"

/* Sets what becomes of each slot's records, by what is wanted now. */
void record_set_actions(struct decoder *d);

/* From now on, wants or does not want events for the clock. */
void decoder_measure_clock(struct decoder *d, bool wanted);

/* The same for events that are wanted of a trace without runstate changes. From the second sweep on it is known to be one. */
void decoder_want_without_runstates(struct decoder *d, bool wanted);

/* From now on, wants or does not want events that say who is current on siblings, if raw records are wanted. */
void decoder_name_siblings(struct decoder *d, bool wanted);

#endif
