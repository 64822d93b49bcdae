/*
 * Who is current on a pCPU follows from its own records. Xen writes SWITCH, then the two runstate changes, then switches,
 * and nothing of the pCPU comes between (xen/common/sched/core.c); where the mask left runstate changes out SWITCH alone
 * says it. With core scheduling its vCPU is only the first one of the unit, so that runstate changes come before it.
 */
#ifndef XENMETER_PARSER_CURRENT_H
#define XENMETER_PARSER_CURRENT_H

#include "stream.h"

/* What a record says of who was current when it was written, and of who is from then on. */
void current_before(struct stream *s, uint32_t header, unsigned slot, const uint8_t *payload);
void current_after(struct stream *s, uint32_t header, unsigned slot, const uint8_t *payload);

/* Records of the pCPU are missing: who is current is not known. */
void current_forget(struct stream *s);

/* Whether the next raw record is to be preceded by an EVENT_CURRENT, or may be. */
static inline bool current_is_due(const struct stream *s)
{
    return s->emitted_current != s->current || s->next != CURRENT_NONE;
}

#endif
