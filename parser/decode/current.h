/*
 * Who is current on a pCPU follows from its own records. Xen writes SWITCH, then the two runstate changes, then switches,
 * and nothing of the pCPU comes between (xen/common/sched/core.c); where the mask left runstate changes out SWITCH alone
 * says it. With core scheduling its vCPU is only the first one of the unit, so that runstate changes come before it.
 */
#ifndef XENMETER_PARSER_CURRENT_H
#define XENMETER_PARSER_CURRENT_H

#include "record_format.h"
#include "stream.h"

/* Makes a vCPU current from here on; or before, too, as far as nothing was known. CURRENT_UNKNOWN: not known which. */
void current_set(struct stream *s, uint32_t vcpu);
void current_backfill(struct stream *s, uint32_t vcpu);

/* The same as the next two for records other than runstate changes. */
void current_before_other(struct stream *s, uint32_t header, unsigned slot, const uint8_t *payload);
void current_after_other(struct stream *s, uint32_t header, unsigned slot, const uint8_t *payload);

static inline uint32_t current_vcpu(uint32_t domain, uint32_t vcpu)
{
    return domain <= 0x7fff && vcpu <= 0xffff ? domain << 16 | vcpu : CURRENT_UNKNOWN;
}

/* What a record says of who was current when it was written; */
static inline void current_before(struct stream *s, uint32_t header, unsigned slot, const uint8_t *payload)
{
    if (slot != EVENT_RUNSTATE_CHANGE) {
        current_before_other(s, header, slot, payload);
        return;
    }
    uint32_t word = load32(payload); /* {vcpu:u16 dom:u16}, which is as we have it */
    stream_set_next(s, CURRENT_NONE);
    if (header >> 28 & 7 && runstate_old(header) == XEN_RUNNING && word != s->current)
        current_backfill(s, current_vcpu(word >> 16, word & 0xffff));
}

/* and of who is from then on. */
static inline void current_after(struct stream *s, uint32_t header, unsigned slot, const uint8_t *payload)
{
    uint32_t word = load32(payload);
    if (slot != EVENT_RUNSTATE_CHANGE)
        current_after_other(s, header, slot, payload);
    else if (header >> 28 & 7 && runstate_new(header) == XEN_RUNNING)
        current_set(s, current_vcpu(word >> 16, word & 0xffff));
}

/* Records of the pCPU are missing: who is current is not known. */
void current_forget(struct stream *s);

/* Whether an EVENT_CURRENT precedes the next raw record, or may. */
static inline bool current_is_due(const struct stream *s)
{
    return s->emitted_current != s->current || s->next != CURRENT_NONE;
}

#endif
