#include "record.h"

#include "current.h"
#include "cut_records.h"
#include "old_numbers.h"
#include "record_actions.h"
#include "run_length.h"
#include "unscheduled.h"
#include "window_header.h"

/* A record being examined. */
struct record {
    const uint8_t *payload, *next, *end; /* `next` .. `end`: the bytes after it */
    uint64_t tsc;                        /* its own, or that of the one before */
    uint64_t last;                       /* the time of the one before */
    uint32_t header;
    uint8_t slot, words;
    bool begins; /* it is the pCPU's first one with a time */
};

/* ---- events ---- */

/*
 * The stream has room for an event per 4 bytes of records, and RECORD_EVENTS more. A record of n bytes makes itself an
 * event; EVENT_MORE if n >= 24, EVENT_CURRENT if a record of 8 or more came before that said so; LOST_RECORDS of 28 makes
 * two besides, as do an old one of 8 and the record of 12 or more that ends it; a power state of 16 or more makes one
 * besides, and the first record of a guest, of 12 or more, two. The few more are for what was said before these records.
 */
static inline __attribute__((always_inline)) void append_record(struct stream *s, uint64_t tsc,
                                                                uint32_t header, unsigned slot,
                                                                const uint8_t *payload, unsigned flags)
{
    if (flags & EVENT_RAW && s->emitted_current != s->current) {
        stream_append(s, tsc, 0, EVENT_CURRENT, EVENT_RAW)->w[0] = s->current;
        s->emitted_current = s->current;
    }
    memcpy(stream_append(s, tsc, header, slot, flags)->w, payload, 16);
    if (flags & EVENT_RAW && (header >> 28 & 7) > 4)
        memcpy(stream_append(s, tsc, header, EVENT_MORE, EVENT_RAW)->w, payload + 16, 12);
}

void record_append_window(struct stream *s, uint64_t tsc)
{
    const uint32_t words[4] = {s->pcpu, s->window_bytes};
    if (s->window_bytes != WINDOW_NONE && stream_actions(s)[EVENT_CPU_CHANGE] & EVENT_RAW)
        append_record(s, tsc, WINDOW_HEADER, EVENT_CPU_CHANGE, (const uint8_t *)words, EVENT_RAW);
    s->window_bytes = WINDOW_NONE;
}

/* ---- times ---- */

static bool record_is_damage(uint32_t header, const uint8_t *next, const uint8_t *end)
{
    if (event_possible(header))
        return false;
    bool classless = (header >> 16 & 0xfff) == 0;
    bool followed_by_known =
        next == end || (end - next >= 4 && event_slot(load32(next) & 0x0fffffff) != EVENT_UNRECOGNISED);
    return classless || !followed_by_known;
}

/* The tsc of the first record in [p, end) that has one; returns where it ends, NULL if there is none to see. */
static const uint8_t *next_timed(const uint8_t *p, const uint8_t *end, uint64_t *tsc)
{
    while (end - p >= 4) {
        uint32_t h = load32(p);
        size_t bytes = record_bytes(h);
        if ((size_t)(end - p) < bytes || !event_possible(h) || h == WINDOW_HEADER)
            return NULL;
        if (h >> 31) {
            *tsc = load64(p + 4);
            return p + bytes;
        }
        p += bytes;
    }
    return NULL;
}

/* Finds the first SWITCH_INFPREV in [p, end): {dom, vcpu, runtime_ns}, {dom, runtime_ns} until Xen 4.7. */
static void next_run(const uint8_t *p, const uint8_t *end, struct odd_time *t)
{
    for (size_t bytes; end - p >= 4; p += bytes) {
        uint32_t h = load32(p), words = h >> 28 & 7;
        bytes = record_bytes(h);
        if ((size_t)(end - p) < bytes || !event_possible(h) || h == WINDOW_HEADER)
            return;
        if (event_slot(h & 0x0fffffff) == EVENT_SWITCH_INFPREV && h >> 31 && words >= 2) {
            t->run_end = load64(p + 4);
            t->runtime_ns = load32(p + 12 + (words >= 3 ? 8 : 4));
            return;
        }
    }
}

#define FAR_CYCLES (1ull << 25) /* times that leap by less may be one pCPU's */

/*
 * Whether the record, or one of those before it, took a window header for its words: then its far time, or the next one, is
 * another capture's.
 */
static bool hides_header(const struct decoder *d, const struct record *r)
{
    uint64_t leap = r->tsc > r->last ? r->tsc - r->last : r->last - r->tsc;
    if (leap < FAR_CYCLES)
        return false;
    const uint8_t *p = r->payload - 12;
    const uint8_t *from = (size_t)(p - d->known_record) > HEADER_REACH ? p - HEADER_REACH : d->known_record;
    return window_header_within(from, r->next, r->end);
}

/* Has an odd tsc judged, and gives the record its time. False: it belongs to quite another time. */
static bool place(struct decoder *d, struct stream *s, struct record *r)
{
    struct odd_time t = {.tsc = r->tsc, .begins_window = d->window_untimed};
    const uint8_t *end = r->end - r->next > LOOKAHEAD ? r->next + LOOKAHEAD : r->end;
    const uint8_t *p = next_timed(r->next, end, &t.next);
    t.followers = !p ? 0 : next_timed(p, end, &t.third) ? 2 : 1;
    next_run(r->payload - 12, end, &t);
    s->last_tsc = r->last;
    d->window_untimed = false;
    if (!d->judge(d->judge_context, s, &t))
        return false;
    r->tsc = t.tsc;
    r->begins = !s->begun;
    stream_begin(s, r->tsc);
    record_append_window(s, r->tsc);
    if (s->old_lost) {
        uint64_t from = r->begins || r->last > r->tsc ? r->tsc : r->last;
        if (d->model)
            stream_append_blind(s, from, r->tsc, s->old_lost_count, UINT32_MAX);
        s->old_lost = false;
    }
    return true;
}

/* ---- what records say about others ---- */

/*
 * LOST_RECORDS: {count, dom:16 | vcpu:16, first_tsc:64} since Xen 3.4, with the tsc at which recording resumed;
 * {count} without a tsc before: then the blind time lasts until the next record that has one.
 */
static void lost_records(struct decoder *d, struct stream *s, const struct record *r)
{
    s->switched_out = s->ran = false;
    s->in_who = STREAM_NOBODY;
    s->run_since = 0;
    stream_forget_switches(s);
    if (r->words == 0)
        return;
    d->rings_fill |= s->before_blind;
    d->quality->lost_markers++;
    d->quality->lost_records += load32(r->payload);
    if (!(r->header >> 31) || r->words < 4) {
        s->old_lost = true;
        s->old_lost_count = load32(r->payload);
        s->reach = 0;
        return;
    }
    uint64_t first = load64(r->payload + 8);
    if (r->begins && r->tsc - first > TSC_LEAP)
        first = 0; /* no such old time: since the trace began */
    if (!r->begins && first < r->last)
        first = r->last;
    if (first > r->tsc)
        first = r->tsc;
    if (d->model)
        stream_append_blind(s, first, r->tsc, load32(r->payload), load32(r->payload + 4));
}

/* pCPUs are scheduled together: who is current on one may be in the ring of another one. */
static __attribute__((noinline)) void name_siblings(struct decoder *d)
{
    if (d->raw && d->cores.largest && !d->names_siblings)
        decoder_name_siblings(d, true);
}

/* What is known of a runstate change besides its record: flags of its event. */
static inline __attribute__((always_inline)) unsigned
learn_change(struct decoder *d, struct stream *s, uint64_t tsc, uint32_t header, const uint8_t *payload)
{
    bool runs = runstate_new(header) == XEN_RUNNING, ran = runstate_old(header) == XEN_RUNNING;
    bool one_word = (header >> 28 & 7) == 1;
    unsigned flags = 0;
    if (runs && s->switched_out) {
        flags = EVENT_SWITCHED_IN;
        if (cores_switch(&d->cores, s, &s->last_switch, s->switched_out_vcpu, load32(payload), tsc))
            name_siblings(d);
    } else if (runs) {
        stream_forget_switches(s);
    }
    if (runs && s->slice_ns != UINT32_MAX && d->interest.slices && one_word)
        flags |= EVENT_SLICED;
    if (ran && s->ran && one_word && ran_for(s, load32(payload)))
        flags |= EVENT_RAN;
    if (ran) {
        s->run_since = tsc;
        s->switched_out_vcpu = load32(payload); /* {vcpu:u16 dom:u16} */
    }
    if (s->mode != STREAM_SCHEDULED && d->model)
        unscheduled_take(s, tsc, header, EVENT_RUNSTATE_CHANGE, payload);
    s->ran = false;
    s->switched_out = ran;
    return flags;
}

/* Puts what the flags promise after the word of a runstate change. */
static inline void put_known(struct stream *s, struct event *e)
{
    if (e->flags & EVENT_SLICED)
        e->w[1] = s->slice_ns;
    if (e->flags & EVENT_RAN)
        e->w[2] = s->ran_ns;
    if (runstate_new(e->header) == XEN_RUNNING)
        s->slice_ns = UINT32_MAX;
}

/* A runstate change that is wanted for one purpose only: all that take() would do. */
static inline __attribute__((always_inline)) void take_change(struct decoder *d, struct stream *s,
                                                              uint64_t tsc, uint32_t header,
                                                              const uint8_t *payload, unsigned wanted)
{
    if (d->follows_current)
        current_before(s, header, EVENT_RUNSTATE_CHANGE, payload);
    unsigned flags = wanted | learn_change(d, s, tsc, header, payload);
    append_record(s, tsc, header, EVENT_RUNSTATE_CHANGE, payload, flags);
    put_known(s, &s->events[s->n - 1]);
    if (d->follows_current)
        current_after(s, header, EVENT_RUNSTATE_CHANGE, payload);
}

static __attribute__((noinline)) void take_model_change(struct decoder *d, struct stream *s, uint64_t tsc,
                                                        uint32_t header, const uint8_t *payload)
{
    take_change(d, s, tsc, header, payload, EVENT_MODEL);
}

static __attribute__((noinline)) void take_raw_change(struct decoder *d, struct stream *s, uint64_t tsc,
                                                      uint32_t header, const uint8_t *payload)
{
    take_change(d, s, tsc, header, payload, EVENT_RAW);
}

/*
 * Until Xen 4.18 AMD's hosts wrote VMX_EXIT with SVM's reasons. VMX has fewer than 96 of them, and SVM's usual ones begin
 * there (interrupts 0x60, ... nested page faults 0x400).
 */
static bool is_svm_exit(const struct record *r)
{
    uint32_t reason = load32(r->payload);
    bool only_svm_has = (reason >= 0x60 && reason < 0xa0) || (reason >= 0x400 && reason < 0x404);
    return (r->words == 2 || r->words == 3) && only_svm_has;
}

static bool tickled_has_written(const struct decoder *d, unsigned pcpu)
{
    return pcpu >= PCPUS_MAX || d->streams[pcpu];
}

/* SWITCH: {prev dom, vcpu, next dom, vcpu}; with core scheduling the vCPUs are the first ones of their units. */
static void switched_units(struct decoder *d, struct stream *s, const struct record *r)
{
    if (r->words < 4 || !d->without_runstates)
        return;
    uint32_t out = current_vcpu(load32(r->payload), load32(r->payload + 4));
    uint32_t in = current_vcpu(load32(r->payload + 8), load32(r->payload + 12));
    if (cores_switch(&d->cores, s, &s->last_unit_switch, out, in, r->tsc))
        name_siblings(d);
}

/* Learns what a record says; returns the flags of its event. */
static unsigned learn(struct decoder *d, struct stream *s, const struct record *r, unsigned flags)
{
    if (r->slot == EVENT_RUNSTATE_CHANGE)
        return flags | learn_change(d, s, r->tsc, r->header, r->payload);
    if (s->mode != STREAM_SCHEDULED && d->model)
        unscheduled_take(s, r->tsc, r->header, r->slot, r->payload);
    switch (r->slot) {
    case EVENT_UNRECOGNISED:
        quality_unrecognised(d->quality, r->header & 0x0fffffff, (unsigned)record_bytes(r->header));
        break;
    case EVENT_SWITCH:
        s->run_since = r->tsc;
        switched_units(d, s, r);
        break;
    case EVENT_CREDIT_TICKLE:
    case EVENT_CREDIT2_TICKLE:
    case EVENT_RTDS_TICKLE: /* {cpu:u32} or {cpu:u16} */
        if (r->words == 1 && d->learns_tickles && !tickled_has_written(d, load32(r->payload) & 0xffff))
            tickled_note(&d->tickled, load32(r->payload) & 0xffff, d->sweep);
        break;
    case EVENT_LOST_RECORDS:
        lost_records(d, s, r);
        break;
    case EVENT_CREDIT_ACCOUNT_STOP:
        d->quality->old_burns +=
            r->words == 3 &&
            old_number_is_burn(load32(r->payload), load32(r->payload + 4), load32(r->payload + 8));
        break;
    case EVENT_VMX_EXIT:
        if (is_svm_exit(r)) {
            d->svm_exits = true;
            record_set_actions(d);
        }
        break;
    default:
        break;
    }
    return flags;
}

/* Takes a hypercall of a driver domain if it is a mark; room was reserved. */
static inline void take_mark(struct stream *s, uint64_t tsc, uint32_t call, const uint8_t *payload,
                             unsigned words)
{
    enum task_mark kind;
    if (io_filter_mark(call, load32(payload + 4), words, &kind))
        s->marks[s->marks_n++] = task_mark(tsc, kind);
}

#define FILTER_ACTIONS (RECORD_FILTERED | RECORD_HYPERCALL)

/* A record of a filtered slot: the flags of its event, 0 if it is not of I/O. Marks are taken. */
static inline unsigned filter(struct stream *s, uint64_t tsc, uint32_t header, unsigned slot,
                              const uint8_t *payload, const uint8_t *next, const uint8_t *end)
{
    if (s->io.tasks && io_filter_is_pv(slot))
        take_mark(s, tsc, record_hypercall(slot, payload, header >> 28 & 7), payload,
                  slot == EVENT_PV_HYPERCALL ? 1 : header >> 28 & 7);
    if (!io_filter_passes(&s->io, slot, payload, header >> 28 & 7, next, end))
        return 0;
    return slot == EVENT_WAKE ? EVENT_MODEL | EVENT_BY_SEND : EVENT_MODEL;
}

/* The record at p, which is wanted if it is of I/O, and says nothing about others: all that take() would do. */
static __attribute__((noinline)) void take_filtered(struct stream *s, uint64_t tsc, unsigned slot,
                                                    const uint8_t *p, const uint8_t *end)
{
    uint32_t header = load32(p);
    const uint8_t *payload = p + 4 + (header >> 31) * 8;
    unsigned flags = filter(s, tsc, header, slot, payload, p + record_bytes(header), end);
    if (flags)
        memcpy(stream_append(s, tsc, header, slot, flags)->w, payload, 16);
}

/* Who maps pages of others, or hands them some, is a driver domain. */
static inline void note_driver(struct stream *s, unsigned slot)
{
    if (slot == EVENT_GRANT_MAP || slot == EVENT_GRANT_TRANSFER)
        io_filter_drives(&s->io);
}

/* A record that somebody wants, or that says something about others. */
static void take(struct decoder *d, struct stream *s, const struct record *r, unsigned action)
{
    unsigned flags = action & EVENT_WANTED;
    bool follow = d->follows_current && (action & RECORD_LEARN || s->next != CURRENT_NONE);
    if (follow)
        current_before(s, r->header, r->slot, r->payload);
    if (action & FILTER_ACTIONS)
        flags |= filter(s, r->tsc, r->header, r->slot, r->payload, r->next, r->end);
    note_driver(s, r->slot);
    if (action & RECORD_SWITCH)
        note_switch(s, r->slot, r->payload, r->words);
    if (action & RECORD_LEARN)
        flags = learn(d, s, r, flags);
    if (action & RECORD_WHO)
        flags |= EVENT_WHO;
    bool append = flags & (EVENT_WANTED | EVENT_WHO); /* EVENT_BY_SEND comes with EVENT_MODEL */
    if (append)
        append_record(s, r->tsc, r->header, r->slot, r->payload, flags);
    if (r->slot == EVENT_RUNSTATE_CHANGE && append)
        put_known(s, &s->events[s->n - 1]);
    if (follow)
        current_after(s, r->header, r->slot, r->payload);
}

static __attribute__((noinline)) enum record_kind examine(struct decoder *d, struct stream *s,
                                                          struct record *r, unsigned action, bool odd)
{
    if (r->slot == EVENT_CPU_CHANGE)
        return RECORD_IS_HEADER;
    if (r->slot == EVENT_UNRECOGNISED && record_is_damage(r->header, r->next, r->end))
        return RECORD_DAMAGED;
    if (odd && hides_header(d, r))
        return RECORD_DAMAGED;
    if (odd && !place(d, s, r))
        return RECORD_FOREIGN;
    if (action)
        take(d, s, r, action);
    return RECORD_OK;
}

/* ---- the loop ---- */

/* Of a runstate change that only the model wants, and that is only wanted as a raw record. */
#define MODEL_CHANGE (EVENT_MODEL | RECORD_LEARN)
#define RAW_CHANGE   (EVENT_RAW | RECORD_LEARN)

_Static_assert(CALL_NO_ACTION == (uint8_t)~RECORD_HYPERCALL, "what call_actions leave of an action");

/*
 * What is left of a record's action, given, for a hypercall, its first word (it always has a tsc). Without
 * branches: hypercalls are half of all records of a full trace, and no branch predictor knows which one comes next.
 */
static inline unsigned of_interest(const uint8_t *call_actions, const uint8_t *p, unsigned action)
{
    return action & call_actions[load32(p + 12) & 63];
}

/* Where the loop is. */
struct scan_place {
    const uint8_t *p;
    uint64_t last; /* the time of the record before */
};

/* Passes over records that nobody wants and whose times are not odd, up to the first other one or `limit`: most need no more. */
static inline __attribute__((always_inline)) struct scan_place
pass_over(const struct stream *s, const uint8_t *actions, uint64_t *forms, struct scan_place at,
          const uint8_t *limit, bool io)
{
    const uint8_t *call_actions = s->io.call_actions;
    uint64_t reach = s->reach;
    while (at.p < limit) {
        uint32_t h = load32(at.p);
        unsigned slot = event_slot(h & 0x0fffffff), action = actions[slot];
        if (io ? of_interest(call_actions, at.p, action) : action)
            break;
        if (h >> 31) {
            uint64_t tsc = load64(at.p + 4);
            if (tsc - at.last >= reach)
                break;
            at.last = tsc;
        }
        __builtin_prefetch(at.p + 2048); /* across pages, where the hardware does not */
        forms[(size_t)slot * 16 + (h >> 28)]++;
        at.p += record_bytes(h);
    }
    return at;
}

static inline __attribute__((always_inline)) const uint8_t *decode(struct decoder *d, struct stream *s,
                                                                   const uint8_t *p, const uint8_t *limit,
                                                                   const uint8_t *end, enum record_kind *kind,
                                                                   bool io)
{
    uint64_t *forms = &d->quality->events[0].forms[0];
    uint64_t last = s->last_tsc;
    *kind = RECORD_OK;
    for (;;) {
        const uint8_t *actions = stream_actions(s);
        struct scan_place at = pass_over(s, actions, forms, (struct scan_place){p, last}, limit, io);
        p = at.p;
        last = at.last;
        if (p >= limit)
            break;
        uint32_t h = load32(p);
        unsigned slot = event_slot(h & 0x0fffffff), action = actions[slot];
        const uint8_t *next = p + record_bytes(h), *payload = p + 4 + (h >> 31) * 8;
        uint64_t tsc = h >> 31 ? load64(p + 4) : last;
        bool odd = h >> 31 && tsc - last >= s->reach;
        if (io && action == RECORD_HYPERCALL && !odd && s->next == CURRENT_NONE &&
            io_filter_call(&s->io, load32(payload) & 63) == CALL_MARKS) {
            take_mark(s, tsc, load32(payload), payload, h >> 28 & 7);
        } else if (action == EVENT_RAW && !odd && !current_is_due(s)) {
            append_record(s, tsc, h, slot, payload, EVENT_RAW);
        } else if (action == EVENT_MODEL && !odd && s->next == CURRENT_NONE) {
            if (io)
                note_driver(s, slot);
            append_record(s, tsc, h, slot, payload, EVENT_MODEL);
        } else if (io && (action & ~FILTER_ACTIONS) == 0 && !odd && s->next == CURRENT_NONE) {
            take_filtered(s, tsc, slot, p, end);
        } else if (action == RECORD_SWITCH && !odd && s->next == CURRENT_NONE) {
            note_switch(s, slot, payload, h >> 28 & 7);
        } else if (action == MODEL_CHANGE && slot == EVENT_RUNSTATE_CHANGE && !odd) {
            take_model_change(d, s, tsc, h, payload);
        } else if (action == RAW_CHANGE && slot == EVENT_RUNSTATE_CHANGE && !odd) {
            take_raw_change(d, s, tsc, h, payload);
        } else {
            struct record r = {payload, next, end, tsc, last, h, (uint8_t)slot, h >> 28 & 7, false};
            if ((*kind = examine(d, s, &r, action, odd)) != RECORD_OK) {
                last = *kind == RECORD_FOREIGN ? s->last_tsc : last; /* the judge may have moved it */
                break;
            }
            tsc = r.tsc;
        }
        last = tsc;
        forms[(size_t)slot * 16 + (h >> 28)]++;
        p = next;
    }
    s->last_tsc = last;
    return p;
}

const uint8_t *records_decode(struct decoder *d, struct stream *s, const uint8_t *p, const uint8_t *limit,
                              const uint8_t *end, enum record_kind *kind)
{
    return d->interest.io ? decode(d, s, p, limit, end, kind, true)
                          : decode(d, s, p, limit, end, kind, false);
}
