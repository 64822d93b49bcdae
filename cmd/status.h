/* status.h - what is set on a host by a process that acts, as its state file says, printed on standard output. */
#ifndef XENMETER_CMD_STATUS_H
#define XENMETER_CMD_STATUS_H

#include "act/state.h"
#include "formats/buffer.h"

/* "text" "csv" "json" "jsonl"; ended by NULL. */
extern const char *const status_formats[];

/* Adds it to `to` in one of these formats; `process`: which acts, 0: none does. */
void status_write(struct buffer *to, const char *format, const char *controller, long process,
                  const struct state *state);

#endif
