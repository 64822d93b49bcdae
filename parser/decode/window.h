/*
 * Windows and records: the bytes of the trace cut into records, those that somebody wants appended to the stream of
 * their pCPU. Damage costs the window it is in: decoding resumes at the next window header that makes sense.
 */
#ifndef XENMETER_PARSER_WINDOW_H
#define XENMETER_PARSER_WINDOW_H

#include <stddef.h>

#include "decoder.h"
#include "window_header.h"

/* `input` and `quality` stay the caller's. The judge's context is `judge_context`. 0, or -1 when there is no memory. */
int decoder_init(struct decoder *d, struct input *input, struct quality *quality,
                 const struct event_interest *interest, struct error *err);
void decoder_free(struct decoder *d);

enum decoder_status { DECODER_END, DECODER_WINDOW, DECODER_SWEEP, DECODER_FULL };

/*
 * Decodes up to the end of a window (DECODER_WINDOW: d->current, if any, has its events), the beginning of a sweep but the
 * first (DECODER_SWEEP), the end of the input (DECODER_END), or until `limit_events` are queued in all streams
 * (DECODER_FULL). Returns -1 with `err` filled on a read error, no memory, or when the input does not begin like a
 * capture.
 */
int decoder_run(struct decoder *d, size_t limit_events, struct error *err);

#endif
