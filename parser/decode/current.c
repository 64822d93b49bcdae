#include "current.h"

void current_set(struct stream *s, uint32_t vcpu)
{
    if (s->emitted_current == CURRENT_UNKNOWN)
        s->emitted_current = CURRENT_NONE; /* what was emitted for an unknown one stays */
    s->current = vcpu;
    io_filter_runs(&s->io, (uint16_t)(vcpu >> 16));
}

void current_backfill(struct stream *s, uint32_t vcpu)
{
    if (s->current == vcpu && vcpu != CURRENT_UNKNOWN)
        return;
    if (vcpu != CURRENT_UNKNOWN && s->current == CURRENT_UNKNOWN && s->emitted_current == CURRENT_UNKNOWN) {
        /* The EVENT_CURRENT of the unknown one, if it is still queued, is given the right one. */
        size_t i = s->n;
        while (i > s->head && s->events[i - 1].slot != EVENT_CURRENT)
            i--;
        if (i > s->head) {
            s->events[i - 1].w[0] = vcpu;
            s->emitted_current = vcpu;
        }
    }
    current_set(s, vcpu);
}

void current_forget(struct stream *s)
{
    s->current = CURRENT_UNKNOWN;
    s->emitted_current = CURRENT_NONE;
    stream_set_next(s, CURRENT_NONE);
    s->switched_out = false;
    stream_forget_switches(s);
}

void current_before_other(struct stream *s, uint32_t header, unsigned slot, const uint8_t *payload)
{
    unsigned words = header >> 28 & 7;
    if (s->next != CURRENT_NONE)
        current_set(s, s->next);
    stream_set_next(s, CURRENT_NONE);
    switch (slot) {
    case EVENT_CONTINUE_RUNNING:
        if (words >= 1)
            current_backfill(s, current_vcpu(load32(payload) >> 16, load32(payload) & 0xffff));
        break;
    case EVENT_SWITCH:
    case EVENT_SWITCH_INFCONT:
        if (words >= 4 && s->current == CURRENT_UNKNOWN)
            current_backfill(s, current_vcpu(load32(payload), load32(payload + 4)));
        break;
    case EVENT_LOST_RECORDS: /* written by the one that is current when recording resumes */
        if (words >= 1)
            current_set(s, words >= 4 ? current_vcpu(load32(payload + 4) & 0xffff, load32(payload + 4) >> 16)
                                      : CURRENT_UNKNOWN);
        break;
    default:
        break;
    }
}

void current_after_other(struct stream *s, uint32_t header, unsigned slot, const uint8_t *payload)
{
    if (slot == EVENT_SWITCH && (header >> 28 & 7) >= 4)
        stream_set_next(s, current_vcpu(load32(payload + 8), load32(payload + 12)));
}
