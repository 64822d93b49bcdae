/*
 * Records as they stand, for somebody who wants to see them: every wanted one with its time and all its words, and who
 * was current on the pCPU.
 *
 * Who is current follows from the pCPU's own records. Xen writes SWITCH, then the two runstate changes, then switches,
 * and nothing of the pCPU comes between (xen/common/sched/core.c); where the mask left runstate changes out SWITCH alone
 * tells. With core scheduling its vCPU is only the first one of the unit, so that runstate changes come before it.
 */
#include "parser/order/record_time.h"

/*
 * The stream has room for an event per 4 bytes of records, and a few more (record.h, window.c). Of a record there are,
 * besides itself, an EVENT_MORE behind it, if it has at least 24 bytes, and an EVENT_CURRENT before it, if one of at least 8
 * bytes has told of a change: the few are for a change that was told of before these records.
 */
static struct event *append(struct stream *s, uint64_t tsc, uint32_t header, unsigned slot)
{
    struct event *e = &s->events[s->n++];
    e->tsc = tsc;
    e->header = header;
    e->pcpu = s->pcpu;
    e->slot = (uint16_t)slot;
    return e;
}

static void tell_current(struct stream *s, uint64_t tsc)
{
    append(s, tsc, 0, EVENT_CURRENT)->w[0] = s->current;
    s->told = s->current;
}

static inline __attribute__((always_inline)) void
append_record(struct stream *s, uint64_t tsc, uint32_t header, unsigned slot, const uint8_t *payload)
{
    if (s->told != s->current)
        tell_current(s, tsc);
    memcpy(append(s, tsc, header, slot)->w, payload, 16);
    if ((header >> 28 & 7) > 4)
        memcpy(append(s, tsc, header, EVENT_MORE)->w, payload + 16, 12);
}

/* ---- who is current ---- */

static uint32_t vcpu_of(uint32_t domain, uint32_t vcpu)
{
    return domain <= 0x7fff && vcpu <= 0xffff ? domain << 16 | vcpu : CURRENT_UNKNOWN;
}

/* The word {vcpu:u16 dom:u16}, which is as we have it. */
static uint32_t vcpu_of_word(uint32_t word)
{
    return vcpu_of(word >> 16, word & 0xffff);
}

/* From here on it is another one, perhaps not known which: what was told as of an unknown one stays. */
static void set_current(struct stream *s, uint32_t vcpu)
{
    if (s->told == CURRENT_UNKNOWN)
        s->told = CURRENT_NONE;
    s->current = vcpu;
}

/* It has been this one, not only from now on: what was queued as of an unknown vCPU is told again. */
static void backfill_current(struct stream *s, uint32_t vcpu)
{
    if (vcpu == CURRENT_UNKNOWN) {
        set_current(s, vcpu); /* a vCPU that cannot be */
        return;
    }
    if (s->current == CURRENT_UNKNOWN && s->told == CURRENT_UNKNOWN) {
        size_t i = s->n;
        while (i > s->head && s->events[i - 1].slot != EVENT_CURRENT)
            i--;
        if (i > s->head) {
            s->events[i - 1].w[0] = vcpu;
            s->told = vcpu;
        }
    }
    s->current = vcpu;
}

/* What a record tells of who was current when it was written. */
static void learn_before(struct stream *s, uint32_t header, unsigned slot, const uint8_t *payload)
{
    unsigned words = header >> 28 & 7;
    if (s->next != CURRENT_NONE && slot != EVENT_RUNSTATE_CHANGE)
        set_current(s, s->next);
    s->next = CURRENT_NONE;
    switch (slot) {
    case EVENT_RUNSTATE_CHANGE:
        if (words >= 1 && (header >> 8 & 3) == 0)
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

/* What it tells of who is current from then on. */
static void learn_behind(struct stream *s, uint32_t header, unsigned slot, const uint8_t *payload)
{
    unsigned words = header >> 28 & 7;
    if (slot == EVENT_RUNSTATE_CHANGE && words >= 1 && (header >> 4 & 3) == 0)
        set_current(s, vcpu_of_word(load32(payload)));
    else if (slot == EVENT_SWITCH && words >= 4)
        s->next = vcpu_of(load32(payload + 8), load32(payload + 12));
}

/* ---- records ---- */

/*
 * Until Xen 4.18 AMD's hosts wrote VMX_EXIT with SVM's reasons. VMX has fewer than 96 of them, and SVM's usual ones begin
 * there (interrupts 0x60, ... nested page faults 0x400).
 */
static bool only_svm_has(uint32_t reason)
{
    return (reason >= 0x60 && reason < 0xa0) || (reason >= 0x400 && reason < 0x404);
}

static void settle(struct decoder *d, const unsigned *slots)
{
    for (; *slots != EVENT_UNRECOGNISED; slots++)
        d->actions[*slots] &= (uint8_t)~RECORD_SPECIAL;
}

static void note_exit(struct decoder *d, unsigned slot, uint32_t header, const uint8_t *payload)
{
    static const unsigned exits[] = {EVENT_VMX_EXIT, EVENT_SVM_EXIT, EVENT_UNRECOGNISED};
    unsigned words = header >> 28 & 7;
    if ((words != 2 && words != 3) || (slot == EVENT_VMX_EXIT && !only_svm_has(load32(payload))))
        return;
    d->traits |= TRAIT_SVM;
    settle(d, exits);
}

/* These records got a tsc in 4.7, as the dv word got its order of today. */
static void note_units(struct decoder *d, uint32_t header)
{
    static const unsigned untimed[] = {EVENT_CREDIT2_RUNQ_POS, EVENT_CREDIT2_TICKLE, EVENT_RTDS_TICKLE,
                                       EVENT_UNRECOGNISED};
    if (!(header >> 31))
        d->traits |= TRAIT_OLD_UNITS;
    settle(d, untimed);
}

static void note_special(struct decoder *d, struct stream *s, uint64_t tsc, uint32_t header, unsigned slot,
                         const uint8_t *payload)
{
    unsigned words = header >> 28 & 7;
    switch (slot) {
    case EVENT_RUNSTATE_CHANGE:
        d->has_runstates = true;
        break;
    case EVENT_SWITCH_INFPREV:
        if (words >= 2)
            clock_probe_switch(&d->probe, s, tsc, load32(payload + 4 * (words >= 3 ? 2 : 1)));
        break;
    case EVENT_SWITCH_INFNEXT:
        if (words >= 3)
            clock_probe_dispatch(s, tsc);
        break;
    case EVENT_LOST_RECORDS:
        if (words >= 1)
            record_note_lost(d, s, payload);
        break;
    case EVENT_VMX_EXIT:
    case EVENT_SVM_EXIT:
        note_exit(d, slot, header, payload);
        break;
    case EVENT_CREDIT2_RUNQ_POS:
    case EVENT_CREDIT2_TICKLE:
    case EVENT_RTDS_TICKLE:
        note_units(d, header);
        break;
    default:
        break;
    }
}

/* The time of a record without a tsc: that of the one before. */
static uint64_t time_before(const struct decoder *d, const struct stream *s)
{
    uint64_t before = s->begun ? s->last_tsc : s->window_tsc;
    return before > d->emitted_tsc ? before : d->emitted_tsc;
}

static enum record_kind take(struct decoder *d, struct stream *s, const uint8_t *p, uint32_t header,
                             unsigned slot, const uint8_t *behind, const uint8_t *end)
{
    const uint8_t *payload = record_payload(p, header);
    uint64_t tsc = time_before(d, s);
    if (slot == EVENT_CPU_CHANGE)
        return RECORD_IS_HEADER;
    if (slot == EVENT_UNRECOGNISED && record_is_damage(header, behind, end))
        return RECORD_DAMAGED;
    if (header >> 31) {
        tsc = load64(p + 4);
        if (!record_place_tsc(d, s, &tsc, behind, end))
            return RECORD_FOREIGN;
    }
    if (slot == EVENT_UNRECOGNISED)
        record_note_unrecognised(d, header);
    learn_before(s, header, slot, payload);
    if (d->actions[slot] & RECORD_DELIVER && !s->unwanted)
        append_record(s, tsc, header, slot, payload);
    if (d->actions[slot] & RECORD_SPECIAL)
        note_special(d, s, tsc, header, slot, payload);
    learn_behind(s, header, slot, payload);
    if (header >> 31) {
        s->last_tsc = tsc;
        s->begun = true;
    }
    return RECORD_OK;
}

const uint8_t *records_decode_raw(struct decoder *d, const uint8_t *p, const uint8_t *limit,
                                  const uint8_t *end, enum record_kind *kind)
{
    struct stream *s = d->current;
    const uint8_t *actions = d->actions;
    uint64_t *forms = &d->quality->events[0].forms[0];
    const uint8_t *timed = NULL;
    *kind = RECORD_OK;
    while (p < limit) {
        uint32_t h = load32(p);
        unsigned slot = event_slot(h & 0x0fffffff);
        const uint8_t *next = p + record_form_bytes[h >> 28];
        unsigned action = actions[slot];
        __builtin_prefetch(p + 2048); /* across pages, where the hardware does not */
        if (action != RECORD_SKIP) {
            if (timed && !(h >> 31))
                record_note_last_tsc(d, s, timed); /* a record without a time has that of the one before */
            timed = NULL;
            uint64_t tsc = load64(p + 4);
            bool plain = action == RECORD_DELIVER && h >> 31 && s->begun && tsc - s->last_tsc <= TSC_LEAP &&
                         tsc >= d->emitted_tsc && s->next == CURRENT_NONE && !s->unwanted;
            if (plain) {
                append_record(s, tsc, h, slot, p + 12);
                s->last_tsc = tsc;
            } else if ((*kind = take(d, s, p, h, slot, next, end)) != RECORD_OK) {
                break;
            }
        } else if (h >> 31) {
            timed = p;
        }
        forms[(size_t)slot * 16 + (h >> 28)]++;
        p = next;
    }
    record_note_last_tsc(d, s, timed);
    return p;
}

void records_take_raw(struct decoder *d, const uint8_t *p, const uint8_t *behind, const uint8_t *end,
                      enum record_kind *kind)
{
    struct stream *s = d->current;
    uint32_t h = load32(p);
    unsigned slot = event_slot(h & 0x0fffffff);
    bool skip = d->actions[slot] == RECORD_SKIP;
    *kind = skip ? RECORD_OK : take(d, s, p, h, slot, behind, end);
    if (*kind != RECORD_OK)
        return;
    d->quality->events[slot].forms[h >> 28]++;
    record_note_last_tsc(d, s, skip && h >> 31 ? p : NULL);
}

void records_window_raw(struct decoder *d, uint32_t bytes, const uint8_t *p, const uint8_t *end)
{
    struct stream *s = d->current;
    uint32_t words[4] = {s->pcpu, bytes};
    /* Only near what is known: an event far ahead would keep back all that follow. */
    uint64_t front = d->tsc_first != UINT64_MAX && d->tsc_first > d->tsc_last ? d->tsc_first : d->tsc_last;
    uint64_t first;
    bool timed = record_next_timed(p, end, &first) && (first <= front || first - front <= TSC_LEAP);
    if (!s->begun)
        s->window_tsc = timed ? first : front;
    uint64_t tsc = time_before(d, s);
    if (timed && load32(p) >> 31 && first > tsc)
        tsc = first; /* the very next record's */
    if (d->actions[EVENT_CPU_CHANGE] & RECORD_DELIVER && !s->unwanted)
        append_record(s, tsc, WINDOW_HEADER, EVENT_CPU_CHANGE, (const uint8_t *)words);
}
