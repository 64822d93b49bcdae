/* The events of an entry as lines of JSON. */
#ifndef XENMETER_ARCHIVE_ENTRY_TEXT_H
#define XENMETER_ARCHIVE_ENTRY_TEXT_H

#include "formats/buffer.h"
#include "parser/event.h"

/* Appends the line of an event of the model that entry_read knows (entry.h). Of a runstate change w[1] is the slice. */
void entry_put_event(struct buffer *b, const struct event *e);

/* Appends the line that says that a pCPU had written records. */
void entry_put_pcpu(struct buffer *b, uint16_t pcpu);

#endif
