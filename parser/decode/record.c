#include "record.h"

#include "io_filter.h"
#include "parser/order/record_time.h"

/* The two records of one context switch are never this far apart: about 0.2 ms. */
#define SWITCH_SPAN (1ull << 19)

static void append(struct stream *s, uint64_t tsc, uint32_t header, unsigned slot, const uint8_t *payload)
{
    struct event *e = &s->events[s->n++];
    e->tsc = tsc;
    e->header = header;
    e->pcpu = s->pcpu;
    e->slot = (uint16_t)slot;
    memcpy(e->w, payload, sizeof e->w);
}

/* The first record with a tsc after an old LOST_RECORDS: the blind time lasted until now. */
static void old_lost_ends(struct stream *s, uint64_t before, uint64_t tsc)
{
    s->old_lost = false;
    uint32_t w[4] = {s->old_lost_count, 0xffffffff, (uint32_t)before, (uint32_t)(before >> 32)};
    append(s, before, 0, EVENT_BLIND_BEGIN, (const uint8_t *)w);
    append(s, tsc, 0, EVENT_LOST_RECORDS, (const uint8_t *)w);
}

/*
 * LOST_RECORDS: {count, dom:16 | vcpu:16, first_tsc:64} since Xen 3.4, with the tsc at which recording resumed;
 * {count} without a tsc before. Becomes two events, so that the blind time begins in order.
 */
static void lost_records(struct decoder *d, struct stream *s, uint64_t tsc, uint64_t before, uint32_t header,
                         const uint8_t *payload, uint64_t resumed)
{
    record_note_lost(d, s, payload);
    if (!(header >> 31) || (header >> 28 & 7) < 4) {
        s->old_lost = true;
        s->old_lost_count = load32(payload);
        if (s->begun && resumed - before <= TSC_LEAP)
            old_lost_ends(s, before, resumed);
        return;
    }
    uint64_t first = load64(payload + 8);
    if (s->begun && first < before)
        first = before;
    else if (!s->begun && tsc - first > TSC_LEAP)
        first = d->tsc_first < tsc ? d->tsc_first : tsc; /* no such old time: since the trace began */
    if (first > tsc)
        first = tsc;
    uint64_t from = first > d->emitted_tsc ? first : d->emitted_tsc < tsc ? d->emitted_tsc : tsc;
    append(s, from, header, EVENT_BLIND_BEGIN, payload);
    memcpy(&s->events[s->n - 1].w[2], &first,
           8); /* the true beginning, if it can no longer be put in order */
    append(s, tsc, header, EVENT_LOST_RECORDS, payload);
}

/*
 * Xen ends one vCPU's running and begins the next one's at the same instant and writes the two records one after the
 * other: the later record is given the time of the earlier one, so that no time falls between them.
 */
static uint64_t switch_instant(const struct stream *s, uint32_t header, uint64_t tsc)
{
    if ((header >> 4 & 3) != 0 || s->n == s->head)
        return tsc;
    const struct event *prev = &s->events[s->n - 1];
    bool switched_out = prev->slot == EVENT_RUNSTATE_CHANGE && (prev->header >> 8 & 3) == 0;
    return switched_out && tsc - prev->tsc < SWITCH_SPAN ? prev->tsc : tsc;
}

bool record_is_damage(uint32_t header, const uint8_t *behind, const uint8_t *end)
{
    if (event_possible(header))
        return false;
    bool classless = (header >> 16 & 0xfff) == 0;
    bool followed_by_known =
        behind == end || (end - behind >= 4 && event_slot(load32(behind) & 0x0fffffff) != EVENT_UNRECOGNISED);
    return classless || !followed_by_known;
}

void record_note_unrecognised(struct decoder *d, uint32_t header)
{
    quality_unrecognised(d->quality, header & 0x0fffffff, (unsigned)record_bytes(header));
}

void record_note_lost(struct decoder *d, struct stream *s, const uint8_t *payload)
{
    d->quality->lost_markers++;
    d->quality->lost_records += load32(payload);
    clock_probe_break(s);
}

/*
 * A record that is more than skipped. `p` has RECORD_MAX readable bytes; `behind` .. `end` are the bytes of the trace
 * after it.
 */
static enum record_kind take(struct decoder *d, struct stream *s, const uint8_t *p, uint32_t header,
                             unsigned slot, const uint8_t *behind, const uint8_t *end)
{
    uint8_t action = d->actions[slot];
    if (slot == EVENT_CPU_CHANGE)
        return RECORD_IS_HEADER;
    if (slot == EVENT_UNRECOGNISED) {
        if (record_is_damage(header, behind, end))
            return RECORD_DAMAGED;
        record_note_unrecognised(d, header);
        return RECORD_OK;
    }
    uint64_t before = s->last_tsc > d->emitted_tsc ? s->last_tsc : d->emitted_tsc, tsc = before;
    const uint8_t *payload = record_payload(p, header);
    unsigned words = header >> 28 & 7;
    if (header >> 31) {
        tsc = load64(p + 4);
        if (!record_place_tsc(d, s, &tsc, behind, end))
            return RECORD_FOREIGN;
        if (before > tsc)
            before = tsc; /* time on this pCPU was pulled back, and what is queued with it */
        if (s->old_lost)
            old_lost_ends(s, s->begun ? before : tsc, tsc);
    }
    if (slot == EVENT_LOST_RECORDS) {
        uint64_t resumed = UINT64_MAX;
        record_next_timed(behind, end, &resumed);
        if (words >= 1)
            lost_records(d, s, tsc, before, header, payload, resumed);
    } else {
        d->switches += slot == EVENT_SWITCH_INFPREV || slot == EVENT_SWITCH;
        if (slot == EVENT_SWITCH_INFPREV && words >= 2)
            clock_probe_switch(&d->probe, s, tsc, load32(payload + 4 * (words >= 3 ? 2 : 1)));
        else if (slot == EVENT_SWITCH_INFNEXT && words >= 3) {
            clock_probe_dispatch(s, tsc);
            s->slice_ns = load32(payload + 4 * (words >= 4 ? 3 : 2));
            io_filter_runs(&s->io, d->hypercalls_seen, (uint16_t)load32(payload));
        }
        if (action & ~RECORD_SPECIAL) {
            uint64_t instant = tsc;
            if (slot == EVENT_RUNSTATE_CHANGE) {
                instant = switch_instant(s, header, tsc);
                d->has_runstates = true;
                append(s, instant, header, slot, payload);
                s->events[s->n - 1].w[1] = s->slice_ns;
                if ((header >> 4 & 3) == 0) {
                    s->slice_ns = UINT32_MAX;
                    io_filter_runs(&s->io, d->hypercalls_seen, (uint16_t)(load32(payload) >> 16));
                }
            } else {
                append(s, instant, header, slot, payload);
                if (slot == EVENT_WAKE) {
                    s->events[s->n - 1].w[2] = s->io.wakes;
                    s->io.wakes = false;
                }
            }
        }
    }
    if (header >> 31) {
        s->last_tsc = tsc;
        s->begun = true;
    }
    return RECORD_OK;
}

void records_note_beginning(struct decoder *d, const uint8_t *p, const uint8_t *end)
{
    uint64_t tsc;
    const uint8_t *behind = record_next_timed(p, end, &tsc);
    if (!behind)
        return;
    if (d->tsc_first == UINT64_MAX)
        tsc = record_first_tsc(d, tsc, behind, end);
    if (tsc >= TSC_IMPOSSIBLE)
        return;
    d->window_fresh = false;
    bool plausible = d->tsc_first == UINT64_MAX || d->tsc_first - tsc <= TSC_LEAP;
    if (tsc < d->tsc_first && plausible && tsc >= d->emitted_tsc)
        d->tsc_first = tsc;
}

/*
 * Whether a record can be of interest, by its action and, for a hypercall, its first word (it always has a tsc). Without
 * branches: hypercalls are half of all records of a full trace, and no branch predictor knows which one comes next.
 */
static inline unsigned of_interest(const uint8_t *calls, const uint8_t *p, unsigned action)
{
    return (action & (RECORD_HYPERCALL - 1)) | (action / RECORD_HYPERCALL & calls[load32(p + 12) & 63]);
}

/* Whether a record of one of the filtered slots tells of I/O. */
static bool tells_of_io(struct decoder *d, struct stream *s, const uint8_t *p, uint32_t header, unsigned slot,
                        const uint8_t *behind, const uint8_t *end)
{
    return (d->actions[slot] & (RECORD_DELIVER | RECORD_SPECIAL)) ||
           io_filter_passes(&s->io, d->hypercalls_seen, slot, record_payload(p, header), header >> 28 & 7,
                            behind, end);
}

const uint8_t record_form_bytes[16] = {4, 8, 12, 16, 20, 24, 28, 32, 12, 16, 20, 24, 28, 32, 36, 40};

static inline __attribute__((always_inline)) const uint8_t *decode(struct decoder *d, const uint8_t *p,
                                                                   const uint8_t *limit, const uint8_t *end,
                                                                   enum record_kind *kind, bool io)
{
    struct stream *s = d->current;
    const uint8_t *actions = d->actions;
    uint64_t *forms = &d->quality->events[0].forms[0];
    const uint8_t *calls = s->io.calls;
    const uint8_t *timed = NULL;
    *kind = RECORD_OK;
    while (p < limit) {
        uint32_t h = load32(p);
        unsigned slot = event_slot(h & 0x0fffffff);
        const uint8_t *next = p + record_form_bytes[h >> 28];
        bool look = io ? of_interest(calls, p, actions[slot]) : actions[slot] != RECORD_SKIP;
        if (look && (!io || tells_of_io(d, s, p, h, slot, next, end))) {
            if (timed && !(h >> 31))
                record_note_last_tsc(d, s, timed); /* a record without a time has that of the one before */
            *kind = take(d, s, p, h, slot, next, end);
            timed = NULL;
            if (*kind != RECORD_OK)
                break;
        } else if (h >> 31) {
            timed = p;
        }
        forms[(size_t)slot * 16 + (h >> 28)]++;
        p = next;
    }
    record_note_last_tsc(d, s, timed);
    return p;
}

const uint8_t *records_decode(struct decoder *d, const uint8_t *p, const uint8_t *limit, const uint8_t *end,
                              enum record_kind *kind)
{
    if (d->raw)
        return records_decode_raw(d, p, limit, end, kind);
    return d->wants_io ? decode(d, p, limit, end, kind, true) : decode(d, p, limit, end, kind, false);
}

const uint8_t *record_decode_near_end(struct decoder *d, const uint8_t *p, const uint8_t *end,
                                      enum record_kind *kind)
{
    uint32_t h = load32(p);
    size_t bytes = record_bytes(h);
    if ((size_t)(end - p) < bytes) {
        *kind = RECORD_DAMAGED;
        return p;
    }
    uint8_t copy[RECORD_MAX] = {0};
    memcpy(copy, p, bytes);
    unsigned slot = event_slot(h & 0x0fffffff);
    *kind = RECORD_OK;
    if (d->raw) {
        records_take_raw(d, copy, p + bytes, end, kind);
        return *kind == RECORD_OK ? p + bytes : p;
    }
    bool skip = !of_interest(d->current->io.calls, copy, d->actions[slot]) ||
                !tells_of_io(d, d->current, copy, h, slot, p + bytes, end);
    if (!skip)
        *kind = take(d, d->current, copy, h, slot, p + bytes, end);
    if (*kind != RECORD_OK)
        return p;
    d->quality->events[slot].forms[h >> 28]++;
    record_note_last_tsc(d, d->current, skip && h >> 31 ? copy : NULL);
    return p + bytes;
}

bool records_cut_off(struct decoder *d)
{
    const uint32_t nobody[4] = {0, UINT32_MAX, 0, 0};
    for (unsigned i = 0; i < d->pcpus_n; i++) {
        struct stream *s = d->streams[d->pcpus[i]];
        bool to_come = (int)s->pcpu >= d->last_pcpu;
        if (!to_come || !s->begun || s->last_tsc >= d->tsc_last)
            continue;
        if (!stream_reserve(s, 2))
            return false;
        append(s, s->last_tsc > d->emitted_tsc ? s->last_tsc : d->emitted_tsc, 0, EVENT_BLIND_BEGIN,
               (const uint8_t *)nobody);
        memcpy(&s->events[s->n - 1].w[2], &s->events[s->n - 1].tsc, 8);
        append(s, d->tsc_last, 0, EVENT_LOST_RECORDS, (const uint8_t *)nobody);
        d->queued += 2;
    }
    return true;
}
