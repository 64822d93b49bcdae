/*
 * Format (Xen tools/xentrace/xentrace.c, xen/common/trace.c, public/trace.h): a window is a CPU_CHANGE record
 * {0x2001f003, i32 pcpu, u32 bytes} and that many bytes of records copied from the pCPU's ring.
 */
#include "window.h"

#include <stdlib.h>
#include <string.h>

#include "io_filter.h"
#include "record.h"

#define WINDOW_MAX    (1u << 30)  /* a ring is at most 65535 pages */
#define LOOKAHEAD     1024        /* bytes behind a record that may decide what to make of its tsc */
#define CHUNK         (16u << 10) /* decoded between two looks at the stream's room */
#define BEGINNING     (4u << 20)  /* how far to look for the first window of a damaged file */
#define PROOF_RECORDS 8           /* records that must make sense behind a window header found by search */

void decoder_want(struct decoder *d, unsigned slot, bool wanted)
{
    if (wanted)
        d->actions[slot] |= RECORD_DELIVER;
    else
        d->actions[slot] &= (uint8_t)~RECORD_DELIVER;
}

void decoder_settle(struct decoder *d)
{
    if (d->raw)
        d->actions[EVENT_SWITCH_INFNEXT] &= (uint8_t)~RECORD_SPECIAL;
    d->actions[EVENT_SWITCH_INFPREV] &= (uint8_t)~RECORD_SPECIAL;
    if (!d->raw)
        d->actions[EVENT_SWITCH] &= (uint8_t)~RECORD_SPECIAL;
}

/* Whether the pCPU's next record is understood by the ones before it. */
static bool waits_for_record(const struct stream *s)
{
    if (s->slice_ns != UINT32_MAX || s->old_lost || s->io.wakes)
        return true;
    const struct event *last = s->n > s->head ? &s->events[s->n - 1] : NULL;
    return last && last->slot == EVENT_RUNSTATE_CHANGE && (last->header >> 8 & 3) == 0; /* who runs now? */
}

bool decoder_is_whole(const struct decoder *d)
{
    const struct quality *q = d->quality;
    if (q->skipped_places || q->tsc_backwards || q->tsc_implausible || !d->has_runstates)
        return false;
    for (unsigned i = 0; i < d->pcpus_n; i++) {
        const struct stream *s = d->streams[d->pcpus[i]];
        bool waited_for =
            s != d->current && s->perhaps_blind && d->sweep - s->last_sweep <= BLIND_WAIT_SWEEPS + 1;
        if (waits_for_record(s) || waited_for)
            return false;
    }
    return true;
}

void decoder_want_io(struct decoder *d)
{
    for (const unsigned *slot = io_filtered_slots; *slot != EVENT_UNRECOGNISED; slot++)
        d->actions[*slot] |= *slot == EVENT_HYPERCALL_V2 ? RECORD_HYPERCALL : RECORD_FILTERED;
    d->wants_io = true;
}

void decoder_want_raw(struct decoder *d, const uint8_t *pcpus_wanted)
{
    static const unsigned telling[] = {EVENT_CONTINUE_RUNNING, EVENT_SWITCH_INFCONT,   EVENT_VMX_EXIT,
                                       EVENT_SVM_EXIT,         EVENT_CREDIT2_RUNQ_POS, EVENT_CREDIT2_TICKLE,
                                       EVENT_RTDS_TICKLE};
    for (size_t i = 0; i < sizeof telling / sizeof telling[0]; i++)
        d->actions[telling[i]] |= RECORD_SPECIAL;
    d->actions[EVENT_LOST_RECORDS] &= (uint8_t)~RECORD_DELIVER;
    d->raw = true;
    d->pcpus_wanted = pcpus_wanted;
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
    d->hypercalls_seen = calloc(65536, 1);
    if (!d->streams || !d->pcpus || !d->hypercalls_seen)
        return error_no_memory(err, "the streams of the pCPUs");
    d->actions[EVENT_UNRECOGNISED] = RECORD_SPECIAL;
    d->actions[EVENT_CPU_CHANGE] = RECORD_SPECIAL;
    d->actions[EVENT_LOST_RECORDS] = RECORD_SPECIAL | RECORD_DELIVER;
    d->actions[EVENT_SWITCH_INFPREV] = RECORD_SPECIAL;
    d->actions[EVENT_SWITCH_INFNEXT] = RECORD_SPECIAL;
    d->actions[EVENT_RUNSTATE_CHANGE] = RECORD_SPECIAL;
    d->actions[EVENT_SWITCH] = RECORD_SPECIAL;
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
    free(d->hypercalls_seen);
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
    io_filter_init(&s->io);
    s->unwanted = d->pcpus_wanted && !d->pcpus_wanted[pcpu];
    s->current = CURRENT_UNKNOWN;
    s->told = s->next = CURRENT_NONE;
    unsigned at = d->pcpus_n++;
    for (; at > 0 && d->pcpus[at - 1] > pcpu; at--)
        d->pcpus[at] = d->pcpus[at - 1];
    d->pcpus[at] = (uint16_t)pcpu;
    d->streams[pcpu] = s;
    return s;
}
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

/* Bytes of the trace are missing, perhaps whole windows: who is current now cannot be told. */
static void forget_current(struct decoder *d)
{
    for (unsigned i = 0; i < d->pcpus_n; i++) {
        d->streams[d->pcpus[i]]->current = CURRENT_UNKNOWN;
        d->streams[d->pcpus[i]]->told = CURRENT_NONE;
        d->streams[d->pcpus[i]]->next = CURRENT_NONE;
    }
}

/* Drops what is left of the window and goes to the next window header that makes sense. */
static int resync(struct decoder *d, const char *what, struct error *err)
{
    struct view v;
    bool first = d->quality->windows == 0;
    uint64_t from = 0, skipped = 0;
    d->current = NULL;
    d->remaining = 0;
    forget_current(d);
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
            if (!p)
                break;
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
                                "not a xentrace capture: no window header (03 f0 01 20) that makes sense %s",
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

/* The window that is about to be decoded has a record of its own. */
static int begin_raw(struct decoder *d, const uint8_t *p, const uint8_t *end, struct error *err)
{
    struct stream *s = d->current;
    size_t waiting = s->n - s->head;
    if (!stream_reserve(s, 4))
        return error_no_memory(err, "the events of a pCPU");
    records_window_raw(d, (uint32_t)d->remaining, p, end);
    d->queued += s->n - s->head - waiting;
    return 0;
}

/* Begins the window whose header is at the position. Returns whether it also begins a sweep, -1 without memory. */
static int begin_window(struct decoder *d, const uint8_t *p, struct error *err)
{
    uint32_t pcpu = load32(p + 4), bytes = load32(p + 8);
    bool new_sweep = (int)pcpu <= d->last_pcpu || d->sweep == 0;
    struct stream *s = stream_of(d, pcpu);
    if (!s)
        return error_no_memory(err, "the events of a pCPU");
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
    if (d->raw && bytes == 0 && begin_raw(d, p, p, err) != 0)
        return -1;
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
    forget_current(d);
    d->remaining = 0;
    return 0;
}

/* What to do about the record at the position, which is not fine. */
static int recover_from_bad_record(struct decoder *d, enum record_kind why, struct error *err)
{
    struct view v;
    switch (why) {
    case RECORD_FOREIGN:
        return skip_window(d, "records of quite another time (another capture joined on?)", err);
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
    if (d->window_fresh) {
        records_note_beginning(d, p, shown > LOOKAHEAD ? p + LOOKAHEAD : end);
        io_filter_window(&d->current->io, p, end);
        if (d->raw && begin_raw(d, p, end, err) != 0)
            return -1;
    }
    d->window_fresh = false;

    size_t margin = whole || v.end ? RECORD_MAX : LOOKAHEAD;
    enum record_kind why = RECORD_OK;
    struct stream *s = d->current;
    size_t waiting = s->n - s->head;
    while (why == RECORD_OK && (size_t)(end - p) > margin) {
        const uint8_t *limit = (size_t)(end - p) - margin > CHUNK ? p + CHUNK : end - margin;
        if (!stream_reserve(s, (size_t)(limit - p + RECORD_MAX) / 4 + 4))
            return error_no_memory(err, "the events of a pCPU");
        p = records_decode(d, p, limit, end, &why);
    }
    if (why == RECORD_OK && (whole || v.end)) {
        if (!stream_reserve(s, RECORD_MAX))
            return error_no_memory(err, "the events of a pCPU");
        while (why == RECORD_OK && end - p >= 4)
            p = record_decode_near_end(d, p, end, &why);
        if (why == RECORD_OK && p != end)
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
    if (why != RECORD_OK)
        return recover_from_bad_record(d, why, err);
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

static int end_of_input(struct decoder *d, struct error *err)
{
    if (d->quality->truncated_bytes > 0 && !d->raw && !records_cut_off(d))
        return error_no_memory(err, "the streams of the pCPUs");
    return DECODER_END;
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
                return end_of_input(d, err);
            if (status == 1 && !first)
                return DECODER_SWEEP;
        } else {
            if (d->queued >= limit_events)
                return DECODER_FULL;
            int status = decode_view(d, err);
            if (status < 0)
                return -1;
            if (status == 1)
                return end_of_input(d, err);
        }
    }
}
