/*
 * Format (Xen tools/xentrace/xentrace.c, xen/common/trace.c, public/trace.h): a window is a CPU_CHANGE record
 * {0x2001f003, i32 pcpu, u32 bytes} and that many bytes of records copied from the pCPU's ring. A record is a u32
 * header (event 0-27, extra words 28-30, tsc flag 31), two words of tsc if flagged, and the extra words.
 */
#include "window.h"

#include <stdlib.h>
#include <string.h>

#define WINDOW_HEADER     0x2001f003u
#define WINDOW_HEADER_LEN 12
#define WINDOW_MAX        (1u << 30)  /* a ring is at most 65535 pages */
#define RECORD_MAX        40          /* bytes: header, tsc, 7 words */
#define LOOKAHEAD         1024        /* bytes behind a record that may decide what to make of its tsc */
#define CHUNK             (16u << 10) /* decoded between two looks at the stream's room */
#define BEGINNING         (4u << 20)  /* how far to look for the first window of a damaged file */
#define PROOF_RECORDS     8 /* records that must make sense behind a window header found by search */

/* A tsc further than this from its neighbours needs a second record to confirm it: about 100 s. */
#define TSC_LEAP (1ull << 38)
/* Events this far behind what was handed on belong to another capture: about 1.6 s. */
#define TSC_STALE (1ull << 32)
/* The two records of one context switch are never this far apart: about 6 ms. */
#define SWITCH_SPAN (1ull << 24)

enum action { SKIP = 0, DELIVER = 1, SPECIAL = 2 };

static inline uint32_t load32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, 4);
    return v;
}

static inline uint64_t load64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
    return v;
}

static inline size_t record_bytes(uint32_t header)
{
    return 4 + (header >> 31) * 8 + (header >> 28 & 7) * 4;
}

static inline const uint8_t *record_payload(const uint8_t *p, uint32_t header)
{
    return p + 4 + (header >> 31) * 8;
}

/* Whether an event number can be one at all: exactly one class bit. */
static bool event_possible(uint32_t header)
{
    uint32_t class_bits = header >> 16 & 0xfff;
    return class_bits != 0 && (class_bits & (class_bits - 1)) == 0;
}

void decoder_want(struct decoder *d, unsigned slot, bool wanted)
{
    if (!(d->actions[slot] & SPECIAL))
        d->actions[slot] = wanted ? DELIVER : SKIP;
    else if (wanted)
        d->actions[slot] |= DELIVER;
    else
        d->actions[slot] &= (uint8_t)~DELIVER;
}

int decoder_init(struct decoder *d, struct input *input, struct quality *quality, struct error *err)
{
    memset(d, 0, sizeof *d);
    event_index_init();
    d->input = input;
    d->quality = quality;
    d->tsc_first = UINT64_MAX;
    d->last_pcpu = -1;
    d->streams = calloc(PCPUS_MAX, sizeof *d->streams);
    d->pcpus = calloc(PCPUS_MAX, sizeof *d->pcpus);
    if (!d->streams || !d->pcpus)
        return error_set(err, ERROR_MEMORY, "no memory");
    d->actions[EVENT_UNRECOGNISED] = SPECIAL;
    d->actions[EVENT_CPU_CHANGE] = SPECIAL;
    d->actions[EVENT_LOST_RECORDS] = SPECIAL | DELIVER;
    d->actions[EVENT_SWITCH_INFPREV] = SPECIAL;
    d->actions[EVENT_SWITCH_INFNEXT] = SPECIAL;
    d->actions[EVENT_RUNSTATE_CHANGE] = SPECIAL;
    return 0;
}

void decoder_free(struct decoder *d)
{
    for (unsigned i = 0; i < d->pcpus_n; i++) {
        free(d->streams[d->pcpus[i]]->events);
        free(d->streams[d->pcpus[i]]);
    }
    free(d->streams);
    free(d->pcpus);
    clock_probe_free(&d->probe);
}

static struct stream *stream_of(struct decoder *d, uint32_t pcpu)
{
    if (d->streams[pcpu])
        return d->streams[pcpu];
    struct stream *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->pcpu = (uint16_t)pcpu;
    s->slice_ns = UINT32_MAX;
    unsigned at = d->pcpus_n++;
    for (; at > 0 && d->pcpus[at - 1] > pcpu; at--)
        d->pcpus[at] = d->pcpus[at - 1];
    d->pcpus[at] = (uint16_t)pcpu;
    d->streams[pcpu] = s;
    return s;
}

/* ---- time ---- */

/* The tsc of the first record in [p, end) that has one; false if there is none to see. */
static bool next_tsc(const uint8_t *p, const uint8_t *end, uint64_t *tsc)
{
    while (end - p >= 4) {
        uint32_t h = load32(p);
        size_t bytes = record_bytes(h);
        if ((size_t)(end - p) < bytes || !event_possible(h) || h == WINDOW_HEADER)
            return false;
        if (h >> 31) {
            *tsc = load64(p + 4);
            return true;
        }
        p += bytes;
    }
    return false;
}

/* Time on this pCPU was ahead of itself: what is queued beyond `tsc` moves back to it. */
static void pull_back(struct decoder *d, struct stream *s, uint64_t tsc)
{
    for (size_t i = s->n; i > s->head && s->events[i - 1].tsc > tsc; i--) {
        s->events[i - 1].tsc = tsc;
        d->quality->tsc_implausible++;
    }
}

/*
 * Judges a tsc that does not simply follow the last one of its pCPU: goes back, leaps ahead, or is the pCPU's first.
 * `behind` .. `end`: the bytes after its record. Returns the tsc to use; *stale is set if the rest of the window
 * belongs to a time long handed on.
 */
static uint64_t judge_tsc(struct decoder *d, struct stream *s, uint64_t tsc, const uint8_t *behind,
                          const uint8_t *end, bool *stale)
{
    uint64_t next;
    bool has_next = next_tsc(behind, end, &next);
    bool has_time = s->begun || d->tsc_last > 0;
    uint64_t last = s->begun ? s->last_tsc : d->tsc_last;
    uint64_t front = last > d->tsc_last ? last : d->tsc_last;

    if (!s->begun && has_time && tsc < last)
        last = tsc; /* a pCPU's first record may well be older than other pCPUs' */
    if (!s->begun && tsc < d->handed_on)
        last = d->handed_on;
    if (tsc >= last) {
        if (!has_time)
            return has_next && next < tsc ? next : tsc;
        if (tsc <= front || tsc - front <= TSC_LEAP || (has_next && next >= tsc && next - tsc <= TSC_LEAP))
            return tsc;
        d->quality->tsc_implausible++;
        return has_next && next >= last && next < tsc ? (next - last <= TSC_LEAP ? next : last) : last;
    }
    d->quality->tsc_backwards++;
    if (has_next && next < last) {
        /* The next record agrees: it was the earlier tsc that was wrong, or the clock was set back. */
        if (tsc >= d->handed_on) {
            pull_back(d, s, tsc);
            return tsc;
        }
        *stale = d->handed_on - tsc > TSC_STALE;
    }
    return last;
}

/* ---- records ---- */

static void append(struct stream *s, uint64_t tsc, uint32_t header, unsigned slot, const uint8_t *payload)
{
    struct event *e = &s->events[s->n++];
    e->tsc = tsc;
    e->header = header;
    e->pcpu = s->pcpu;
    e->slot = (uint16_t)slot;
    memcpy(e->w, payload, sizeof e->w);
}

/*
 * LOST_RECORDS: {count, dom:16 | vcpu:16, first_tsc:64} since Xen 3.4, with the tsc at which recording resumed;
 * {count} without a tsc before. Becomes two events, so that the blind time begins in order.
 */
static void lost_records(struct decoder *d, struct stream *s, uint64_t tsc, uint64_t before, uint32_t header,
                         const uint8_t *payload)
{
    d->quality->lost_markers++;
    d->quality->lost_records += load32(payload);
    clock_probe_break(s);
    if (!(header >> 31) || (header >> 28 & 7) < 4) {
        s->old_lost = true;
        s->old_lost_count = load32(payload);
        return;
    }
    uint64_t first = load64(payload + 8);
    uint64_t known = s->begun ? before : d->tsc_first < tsc ? d->tsc_first : tsc;
    if (first < known)
        first = known;
    if (first > tsc)
        first = tsc;
    uint64_t from = first > d->handed_on ? first : d->handed_on < tsc ? d->handed_on : tsc;
    append(s, from, header, EVENT_BLIND_BEGIN, payload);
    memcpy(&s->events[s->n - 1].w[2], &first,
           8); /* the true beginning, if it can no longer be put in order */
    append(s, tsc, header, EVENT_LOST_RECORDS, payload);
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

enum verdict_on_record { RECORD_FINE, RECORD_DAMAGED, RECORD_STALE, RECORD_IS_HEADER };

/*
 * A record that is more than skipped. `p` has RECORD_MAX readable bytes; `behind` .. `end` are the bytes of the trace
 * after it.
 */
static enum verdict_on_record take(struct decoder *d, struct stream *s, const uint8_t *p, uint32_t header,
                                   unsigned slot, const uint8_t *behind, const uint8_t *end)
{
    uint8_t action = d->actions[slot];
    if (slot == EVENT_CPU_CHANGE)
        return RECORD_IS_HEADER;
    if (slot == EVENT_UNRECOGNISED) {
        if (!event_possible(header))
            return RECORD_DAMAGED;
        quality_unrecognised(d->quality, header & 0x0fffffff, (unsigned)record_bytes(header));
        return RECORD_FINE;
    }
    uint64_t before = s->last_tsc, tsc = before;
    const uint8_t *payload = record_payload(p, header);
    unsigned words = header >> 28 & 7;
    if (header >> 31) {
        tsc = load64(p + 4);
        if (!s->begun || tsc - s->last_tsc > TSC_LEAP) {
            bool stale = false;
            tsc = judge_tsc(d, s, tsc, behind, end, &stale);
            if (stale)
                return RECORD_STALE;
        }
        if (s->old_lost)
            old_lost_ends(s, s->begun ? before : tsc, tsc);
    }
    if (slot == EVENT_LOST_RECORDS) {
        if (words >= 1)
            lost_records(d, s, tsc, before, header, payload);
    } else {
        if (slot == EVENT_SWITCH_INFPREV && words >= 2)
            clock_probe_switch(&d->probe, s, tsc, load32(payload + 4 * (words >= 3 ? 2 : 1)));
        else if (slot == EVENT_SWITCH_INFNEXT && words >= 3) {
            clock_probe_dispatch(s, tsc);
            s->slice_ns = load32(payload + 4 * (words >= 4 ? 3 : 2));
        }
        if (action & DELIVER) {
            uint64_t instant = tsc;
            if (slot == EVENT_RUNSTATE_CHANGE) {
                instant = switch_instant(s, header, tsc);
                d->has_runstates = true;
                append(s, instant, header, slot, payload);
                s->events[s->n - 1].w[1] = s->slice_ns;
                if ((header >> 4 & 3) == 0)
                    s->slice_ns = UINT32_MAX;
            } else {
                append(s, instant, header, slot, payload);
            }
        }
    }
    if (header >> 31) {
        s->last_tsc = tsc;
        s->begun = true;
    }
    return RECORD_FINE;
}

/* The first tsc of a window is its lowest: it may be where the trace begins. */
static void note_first_tsc(struct decoder *d, const uint8_t *p, const uint8_t *end)
{
    uint64_t tsc;
    if (!next_tsc(p, end, &tsc))
        return;
    d->window_fresh = false;
    bool plausible = d->tsc_first == UINT64_MAX || d->tsc_first - tsc <= TSC_LEAP;
    if (tsc < d->tsc_first && plausible && tsc >= d->handed_on)
        d->tsc_first = tsc;
}

/* The last tsc seen in a stretch of skipped records also is the time of this pCPU. */
static void note_last_tsc(struct decoder *d, struct stream *s, const uint8_t *record)
{
    if (record) {
        uint64_t tsc = load64(record + 4);
        uint64_t front = s->last_tsc > d->tsc_last ? s->last_tsc : d->tsc_last;
        bool any = s->begun || d->tsc_last > 0;
        if (!any || (tsc >= s->last_tsc && (tsc <= front || tsc - front <= TSC_LEAP))) {
            s->last_tsc = tsc;
            s->begun = true;
        }
    }
    if (s->begun && s->last_tsc > d->tsc_last)
        d->tsc_last = s->last_tsc;
}

/*
 * The hot loop: records that begin before `limit` and lie wholly inside the window and the view. Stops early at a
 * record that is not fine and says why.
 */
static const uint8_t *decode(struct decoder *d, const uint8_t *p, const uint8_t *limit, const uint8_t *end,
                             enum verdict_on_record *why)
{
    struct stream *s = d->current;
    const uint8_t *actions = d->actions;
    uint64_t *forms = &d->quality->events[0].forms[0];
    const uint8_t *timed = NULL;
    *why = RECORD_FINE;
    while (p < limit) {
        uint32_t h = load32(p);
        unsigned slot = event_slot(h & 0x0fffffff);
        const uint8_t *next = p + record_bytes(h);
        if (actions[slot] != SKIP) {
            *why = take(d, s, p, h, slot, next, end);
            timed = NULL;
            if (*why != RECORD_FINE)
                break;
        } else if (h >> 31) {
            timed = p;
        }
        forms[(size_t)slot * 16 + (h >> 28)]++;
        p = next;
    }
    note_last_tsc(d, s, timed);
    return p;
}

/* The same for one record near the end of what can be read, from a copy. */
static const uint8_t *decode_near_end(struct decoder *d, const uint8_t *p, const uint8_t *end,
                                      enum verdict_on_record *why)
{
    uint32_t h = load32(p);
    size_t bytes = record_bytes(h);
    if ((size_t)(end - p) < bytes) {
        *why = RECORD_DAMAGED;
        return p;
    }
    uint8_t copy[RECORD_MAX] = {0};
    memcpy(copy, p, bytes);
    unsigned slot = event_slot(h & 0x0fffffff);
    *why = RECORD_FINE;
    if (d->actions[slot] != SKIP)
        *why = take(d, d->current, copy, h, slot, p + bytes, end);
    if (*why != RECORD_FINE)
        return p;
    d->quality->events[slot].forms[h >> 28]++;
    note_last_tsc(d, d->current, d->actions[slot] == SKIP && h >> 31 ? copy : NULL);
    return p + bytes;
}

/* ---- windows ---- */

/* Whether a window header at p makes sense. Looks no further than `end`. */
static bool header_plausible(const uint8_t *p, const uint8_t *end, bool prove)
{
    if (end - p < WINDOW_HEADER_LEN || load32(p) != WINDOW_HEADER)
        return false;
    uint32_t pcpu = load32(p + 4), bytes = load32(p + 8);
    if (pcpu >= PCPUS_MAX || bytes % 4 != 0 || bytes > WINDOW_MAX)
        return false;
    if (!prove)
        return true;
    p += WINDOW_HEADER_LEN;
    const uint8_t *window_end = (size_t)(end - p) > bytes ? p + bytes : end;
    for (int i = 0; i < PROOF_RECORDS && window_end - p >= 4; i++) {
        uint32_t h = load32(p);
        if (!event_possible(h) || h == WINDOW_HEADER)
            return false;
        p += record_bytes(h);
    }
    return true;
}

/* Drops what is left of the window and goes to the next window header that makes sense. */
static int resync(struct decoder *d, const char *what, struct error *err)
{
    struct view v;
    bool first = d->quality->windows == 0;
    uint64_t from = 0, skipped = 0;
    d->current = NULL;
    d->remaining = 0;
    const size_t proof = WINDOW_HEADER_LEN + PROOF_RECORDS * RECORD_MAX;
    for (bool begun = false;; begun = true) {
        if (input_view(d->input, proof + 1, &v, err) != 0)
            return -1;
        if (!begun)
            from = v.offset;
        /* The header that was found wanting is not looked at again. */
        size_t at = begun ? 0 : v.n < 1 ? 0 : 1;
        size_t last = v.end ? v.n : v.n - proof;
        const uint8_t *found = NULL;
        for (; at < last && !found; at++) {
            const uint8_t *p = memchr(v.data + at, WINDOW_HEADER & 0xff, last - at);
            if (!p) {
                at = last;
                break;
            }
            at = (size_t)(p - v.data);
            if (header_plausible(p, v.data + v.n, true))
                found = p;
        }
        size_t n = found ? (size_t)(found - v.data) : v.end ? v.n : last;
        input_consume(d->input, n);
        d->quality->bytes += n;
        skipped += n;
        if (first && !found && (v.end || skipped > BEGINNING))
            return error_set_at(err, ERROR_FORMAT, 0,
                                "not a xentrace capture: no window header (03 f0 01 20) %s",
                                v.end ? "anywhere in it" : "in its first 4 MiB");
        if (found || v.end)
            break;
    }
    if (skipped)
        quality_skip(d->quality, from, skipped, what);
    return 0;
}

/* A pCPU whose window filled its ring may be losing records from there on (see stream.h). */
static bool fills_ring(const struct decoder *d, uint32_t bytes)
{
    /* A ring is some pages less 8 bytes; it is full when the next record, a lost-records record and padding do not fit. */
    uint32_t in_page = bytes % 4096;
    return bytes + 128 >= d->largest_window && in_page >= 4096 - 8 - 128 && in_page <= 4096 - 8;
}

/* Begins the window whose header is at the position. Returns whether it also begins a sweep, -1 without memory. */
static int begin_window(struct decoder *d, const uint8_t *p, struct error *err)
{
    uint32_t pcpu = load32(p + 4), bytes = load32(p + 8);
    bool new_sweep = (int)pcpu <= d->last_pcpu || d->sweep == 0;
    struct stream *s = stream_of(d, pcpu);
    if (!s)
        return error_set(err, ERROR_MEMORY, "no memory for pCPU %u", pcpu);
    if (new_sweep)
        d->sweep++;
    d->last_pcpu = (int)pcpu;
    d->current = s;
    d->remaining = bytes;
    d->window_fresh = true;
    if (bytes > d->largest_window)
        d->largest_window = bytes;
    s->perhaps_blind = fills_ring(d, bytes);
    s->last_sweep = d->sweep;
    d->quality->windows++;
    d->quality->events[EVENT_CPU_CHANGE].forms[load32(p) >> 28]++;
    d->quality->bytes += WINDOW_HEADER_LEN;
    input_consume(d->input, WINDOW_HEADER_LEN);
    return new_sweep ? 1 : 0;
}

static void consume(struct decoder *d, size_t n)
{
    input_consume(d->input, n);
    d->remaining -= n;
    d->quality->bytes += n;
}

/* Passes over what is left of the window. */
static int skip_window(struct decoder *d, const char *what, struct error *err)
{
    struct view v = {0};
    uint64_t skipped = 0, from = 0;
    while (d->remaining > 0) {
        if (input_view(d->input, 1, &v, err) != 0)
            return -1;
        if (skipped == 0)
            from = v.offset;
        if (v.n == 0)
            break;
        size_t n = v.n < d->remaining ? v.n : (size_t)d->remaining;
        consume(d, n);
        skipped += n;
    }
    quality_skip(d->quality, from, skipped, what);
    d->remaining = 0;
    return 0;
}

/* What to do about the record at the position, which is not fine. */
static int handle_odd_record(struct decoder *d, enum verdict_on_record why, struct error *err)
{
    struct view v;
    switch (why) {
    case RECORD_STALE:
        return skip_window(d, "records from before what precedes them (another capture joined on?)", err);
    case RECORD_IS_HEADER:
        if (input_view(d->input, WINDOW_HEADER_LEN, &v, err) != 0)
            return -1;
        if (header_plausible(v.data, v.data + v.n, false)) {
            quality_skip(d->quality, v.offset, 0, "a window ends before its announced length");
            d->remaining = 0;
            return 0;
        }
        return resync(d, "window header inside a window", err);
    default:
        return resync(d, "records that make no sense", err);
    }
}

/* Decodes what the view shows of the current window. Returns 0, 1 at the end of the input, -1 on failure. */
static int decode_view(struct decoder *d, struct error *err)
{
    struct view v;
    size_t need = d->remaining < LOOKAHEAD + RECORD_MAX ? (size_t)d->remaining : LOOKAHEAD + RECORD_MAX;
    if (input_view(d->input, need, &v, err) != 0)
        return -1;
    bool whole = v.n >= d->remaining;
    size_t shown = whole ? (size_t)d->remaining : v.n;
    const uint8_t *p = v.data, *end = v.data + shown;
    if (d->window_fresh)
        note_first_tsc(d, p, shown > LOOKAHEAD ? p + LOOKAHEAD : end);
    d->window_fresh = false;

    size_t margin = whole || v.end ? RECORD_MAX : LOOKAHEAD;
    enum verdict_on_record why = RECORD_FINE;
    struct stream *s = d->current;
    size_t waiting = s->n - s->head;
    while (why == RECORD_FINE && (size_t)(end - p) > margin) {
        const uint8_t *limit = (size_t)(end - p) - margin > CHUNK ? p + CHUNK : end - margin;
        if (!stream_reserve(s, (size_t)(limit - p + RECORD_MAX) / 4 + 4))
            return error_set_at(err, ERROR_MEMORY, v.offset, "no memory for the events of pCPU %u", s->pcpu);
        p = decode(d, p, limit, end, &why);
    }
    if (why == RECORD_FINE && (whole || v.end)) {
        if (!stream_reserve(s, RECORD_MAX))
            return error_set_at(err, ERROR_MEMORY, v.offset, "no memory for the events of pCPU %u", s->pcpu);
        while (why == RECORD_FINE && end - p >= 4)
            p = decode_near_end(d, p, end, &why);
        if (why == RECORD_FINE && p != end)
            why = RECORD_DAMAGED;
    }
    d->queued += s->n - s->head - waiting;
    consume(d, (size_t)(p - v.data));
    if (why == RECORD_DAMAGED && !whole && v.end && (size_t)(end - p) < RECORD_MAX &&
        (end - p < 4 || (size_t)(end - p) < record_bytes(load32(p)))) {
        /* Not damage: the input was cut in the middle of this record. */
        d->quality->truncated_bytes += d->remaining - (uint64_t)(end - p);
        consume(d, (size_t)(end - p));
        return 1;
    }
    if (why != RECORD_FINE)
        return handle_odd_record(d, why, err);
    if (v.end && p == v.data + v.n && d->remaining > 0) {
        d->quality->truncated_bytes += d->remaining;
        return 1;
    }
    return 0;
}

/* Between two windows. Returns 0 (in a window), 1 in a window that begins a new sweep, 2 at the end, -1 on failure. */
static int next_window(struct decoder *d, struct error *err)
{
    struct view v;
    for (;;) {
        if (input_view(d->input, WINDOW_HEADER_LEN, &v, err) != 0)
            return -1;
        if (v.n == 0)
            return 2;
        if (header_plausible(v.data, v.data + v.n, false))
            return begin_window(d, v.data, err);
        if (v.n < WINDOW_HEADER_LEN && d->quality->windows > 0) {
            d->quality->truncated_bytes += WINDOW_HEADER_LEN - v.n;
            d->quality->bytes += v.n;
            input_consume(d->input, v.n);
            return 2;
        }
        if (resync(d, "no window header where one should be", err) != 0)
            return -1;
    }
}

int decoder_run(struct decoder *d, size_t limit_events, struct error *err)
{
    for (;;) {
        if (d->remaining == 0) {
            bool first = d->sweep == 0;
            int status = next_window(d, err);
            if (status < 0)
                return -1;
            if (status == 2)
                return DECODER_END;
            if (status == 1 && !first)
                return DECODER_SWEEP;
        } else {
            if (d->queued >= limit_events)
                return DECODER_FULL;
            int status = decode_view(d, err);
            if (status < 0)
                return -1;
            if (status == 1)
                return DECODER_END;
        }
    }
}
