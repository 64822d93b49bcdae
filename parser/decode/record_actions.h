/* What becomes of the records of each slot, by what is wanted. */
#ifndef XENMETER_PARSER_RECORD_ACTIONS_H
#define XENMETER_PARSER_RECORD_ACTIONS_H

#include "decoder.h"

/* Sets what becomes of each slot's records, by what is wanted now. */
void record_set_actions(struct decoder *d);

/* From now on, wants or does not want events for the clock, and those that are wanted without runstate changes. */
void decoder_want(struct decoder *d, bool measures_clock, bool without_runstates);

/* From now on, wants or does not want events that say who is current on siblings, if raw records are wanted. */
void decoder_name_siblings(struct decoder *d, bool wanted);

#endif
