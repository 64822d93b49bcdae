#include "current.h"

#include "record.h"

static uint32_t vcpu_of(uint32_t domain, uint32_t vcpu)
{
    return domain <= 0x7fff && vcpu <= 0xffff ? domain << 16 | vcpu : CURRENT_UNKNOWN;
}

/* The word {vcpu:u16 dom:u16}, which is as we have it. */
static uint32_t vcpu_of_word(uint32_t word)
{
    return vcpu_of(word >> 16, word & 0xffff);
}

/* Another vCPU from here on, perhaps not known which: what was emitted for an unknown one stays. */
static void set_current(struct stream *s, uint32_t vcpu)
{
    if (s->emitted_current == CURRENT_UNKNOWN)
        s->emitted_current = CURRENT_NONE;
    s->current = vcpu;
    io_filter_runs(&s->io, (uint16_t)(vcpu >> 16));
}

/* This vCPU was current before, too: the EVENT_CURRENT of an unknown one that is still queued is given the right one. */
static void backfill_current(struct stream *s, uint32_t vcpu)
{
    if (s->current == vcpu && vcpu != CURRENT_UNKNOWN)
        return;
    if (vcpu != CURRENT_UNKNOWN && s->current == CURRENT_UNKNOWN && s->emitted_current == CURRENT_UNKNOWN) {
        size_t i = s->n;
        while (i > s->head && s->events[i - 1].slot != EVENT_CURRENT)
            i--;
        if (i > s->head) {
            s->events[i - 1].w[0] = vcpu;
            s->emitted_current = vcpu;
        }
    }
    set_current(s, vcpu);
}

void current_forget(struct stream *s)
{
    s->current = CURRENT_UNKNOWN;
    s->emitted_current = s->next = CURRENT_NONE;
}

void current_before(struct stream *s, uint32_t header, unsigned slot, const uint8_t *payload)
{
    unsigned words = header >> 28 & 7;
    if (s->next != CURRENT_NONE && slot != EVENT_RUNSTATE_CHANGE)
        set_current(s, s->next);
    s->next = CURRENT_NONE;
    switch (slot) {
    case EVENT_RUNSTATE_CHANGE:
        if (words >= 1 && runstate_old(header) == XEN_RUNNING)
            backfill_current(s, vcpu_of_word(load32(payload)));
        break;
    case EVENT_CONTINUE_RUNNING:
        if (words >= 1)
            backfill_current(s, vcpu_of_word(load32(payload)));
        break;
    case EVENT_SWITCH:
    case EVENT_SWITCH_INFCONT:
        if (words >= 4 && s->current == CURRENT_UNKNOWN)
            backfill_current(s, vcpu_of(load32(payload), load32(payload + 4)));
        break;
    case EVENT_LOST_RECORDS: /* written by the one that is current when recording resumes */
        if (words >= 1)
            set_current(s, words >= 4 ? vcpu_of(load32(payload + 4) & 0xffff, load32(payload + 4) >> 16)
                                      : CURRENT_UNKNOWN);
        break;
    default:
        break;
    }
}

void current_after(struct stream *s, uint32_t header, unsigned slot, const uint8_t *payload)
{
    unsigned words = header >> 28 & 7;
    if (slot == EVENT_RUNSTATE_CHANGE && words >= 1 && runstate_new(header) == XEN_RUNNING)
        set_current(s, vcpu_of_word(load32(payload)));
    else if (slot == EVENT_SWITCH && words >= 4)
        s->next = vcpu_of(load32(payload + 8), load32(payload + 12));
}
