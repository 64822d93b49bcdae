/* Another capture that follows in the file: it is read, and not used. */
#ifndef XENMETER_PARSER_JOINED_H
#define XENMETER_PARSER_JOINED_H

#include "decoder.h"

/* Another capture begins at the offset, after a window of `last_pcpu`: nothing from there on is used. */
void decoder_joined(struct decoder *d, uint64_t offset, int last_pcpu);

/* Forgets pCPUs of which there is no record with a time, if there are others. False when there is no memory. */
bool decoder_forget_untimed_pcpus(struct decoder *d);

/* Reads what is left of the input, which is another capture. -1 with `err` filled: a read error, or no memory. */
int decoder_pass_joined(struct decoder *d, struct error *err);

#endif
