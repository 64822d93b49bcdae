/*
 * Format (Xen tools/xentrace/xentrace.c, xen/common/trace.c, public/trace.h): a window is a CPU_CHANGE record
 * {0x2001f003, i32 pcpu, u32 bytes} and that many bytes of records copied from the pCPU's ring.
 */
#include "window.h"

#include <stdlib.h>
#include <string.h>

#include "current.h"
#include "cut_records.h"
#include "io_filter.h"
#include "joined.h"
#include "record.h"
#include "record_actions.h"
#include "unscheduled.h"

#define CHUNK     (16u << 10) /* decoded between two looks at the stream's room */
#define BEGINNING (4u << 20)  /* how far to look for the first window of a damaged file */

int decoder_init(struct decoder *d, struct input *input, struct quality *quality,
                 const struct event_interest *interest, struct error *err)
{
    *d = (struct decoder){.input = input, .quality = quality, .interest = *interest, .last_pcpu = -1};
    event_index_init();
    d->raw = event_interest_raw(interest);
    d->model = event_interest_model(interest);
    d->follows_current = d->raw || interest->io;
    d->names_siblings = d->raw;
    decoder_want_without_runstates(d, true);
    d->streams = calloc(PCPUS_MAX, sizeof *d->streams);
    d->pcpus = calloc(PCPUS_MAX, sizeof *d->pcpus);
    return cores_init(&d->cores) && d->streams && d->pcpus ? 0
                                                           : error_no_memory(err, "the streams of the pCPUs");
}

void decoder_free(struct decoder *d)
{
    for (unsigned i = 0; i < d->pcpus_n; i++)
        stream_free(d->streams[d->pcpus[i]]);
    cores_free(&d->cores);
    free(d->streams);
    free(d->pcpus);
}

/* The records of the pCPU are taken as its mode wants. */
static void set_mode(const struct decoder *d, struct stream *s)
{
    bool raw = !d->interest.raw_some_pcpus || d->interest.raw_pcpus[s->pcpu];
    s->actions = d->actions[raw][d->model ? s->mode : STREAM_SCHEDULED];
}

/* The stream is new: it goes on from what is known of the pCPU. False: no memory. */
static bool recall_io(const struct decoder *d, struct stream *s)
{
    for (size_t i = 0; i < d->pasts_n; i++)
        if (d->pasts[i].pcpu == s->pcpu) {
            s->current = d->pasts[i].current;
            return io_filter_go_on(&s->io, &d->pasts[i]);
        }
    return true;
}

static struct stream *stream_of(struct decoder *d, uint32_t pcpu)
{
    if (d->streams[pcpu])
        return d->streams[pcpu];
    struct stream *s = stream_new((uint16_t)pcpu);
    if (!s)
        return NULL;
    set_mode(d, s);
    io_filter_want_tasks(&s->io, d->interest.tasks);
    if (d->interest.io && !recall_io(d, s)) {
        stream_free(s);
        return NULL;
    }
    tickled_writes(&d->tickled, pcpu);
    unsigned at = d->pcpus_n++;
    for (; at > 0 && d->pcpus[at - 1] > pcpu; at--)
        d->pcpus[at] = d->pcpus[at - 1];
    d->pcpus[at] = (uint16_t)pcpu;
    d->streams[pcpu] = s;
    return s;
}

/* Bytes of the trace are missing, perhaps whole windows: who is current is not known. */
static void forget_current(struct decoder *d)
{
    for (unsigned i = 0; i < d->pcpus_n; i++)
        current_forget(d->streams[d->pcpus[i]]);
}

/*
 * Records of the window are missing, nobody knows how many: what its pCPU did is not known until its next record with a time, as
 * after a LOST_RECORDS without one.
 */
static void lose_rest(struct decoder *d)
{
    struct stream *s = d->current;
    s->old_lost = true;
    s->old_lost_count = 0;
    s->reach = 0;
}

/* Drops what is left of the window and goes to the next window header that makes sense. */
static int resync(struct decoder *d, const char *what, struct error *err)
{
    struct view v;
    bool first = d->quality->windows == 0;
    uint64_t from = 0, skipped = 0, remaining = d->remaining;
    d->remaining = 0;
    forget_current(d);
    const size_t proof = WINDOW_PROOF_BYTES;
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
            if (window_header_plausible(p, v.data + v.n, true))
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
    if (skipped < remaining)
        d->short_window = (struct short_window){from + skipped, remaining, skipped};
    return 0;
}

/* A pCPU whose window filled its ring may be losing records from there on (see stream.h). */
static bool fills_ring(const struct decoder *d, uint32_t bytes)
{
    /* A ring is some pages less 8 bytes; it is full when the next record, a lost-records record and padding do not fit. */
    uint32_t in_page = bytes % 4096;
    return bytes + 128 >= d->largest_window && in_page >= 4096 - 8 - 128 && in_page <= 4096 - 8;
}

static void begin_sweep(struct decoder *d)
{
    bool tickles = d->model && tickled_due(d->sweep + 1);
    d->sweep++;
    if (tickles == d->learns_tickles)
        return;
    d->learns_tickles = tickles;
    record_set_actions(d);
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
        begin_sweep(d);
    d->pcpu_before = d->last_pcpu;
    d->last_pcpu = (int)pcpu;
    d->current = s;
    d->remaining = bytes;
    d->window_fresh = d->in_window = d->window_untimed = true;
    s->window_bytes = bytes;
    s->earliest_tsc = d->earliest_tsc;
    if (bytes > d->largest_window)
        d->largest_window = bytes;
    s->before_blind = s->perhaps_blind;
    s->perhaps_blind = fills_ring(d, bytes);
    bool in_row = s->sweeps_in_row > 0 && s->last_sweep + 1 == d->sweep;
    s->least_bytes = in_row && s->least_bytes < bytes ? s->least_bytes : bytes;
    s->sweeps_in_row = in_row ? s->sweeps_in_row + 1 : 1;
    s->last_sweep = d->sweep;
    d->quality->windows++;
    d->quality->events[EVENT_CPU_CHANGE].forms[load32(p) >> 28]++;
    d->window_at = d->quality->bytes;
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

/* Passes over what is left of the window, whose records cannot be placed in time. */
static int pass_window(struct decoder *d, struct error *err)
{
    struct view v = {0};
    while (d->remaining > 0) {
        if (input_view(d->input, 1, &v, err) != 0)
            return -1;
        if (v.n == 0) {
            d->quality->truncated_bytes += d->joined ? 0 : d->remaining;
            break;
        }
        size_t n = v.n < d->remaining ? v.n : (size_t)d->remaining;
        consume(d, n);
        d->quality->unplaced_bytes += d->joined ? 0 : n;
    }
    current_forget(d->current);
    d->remaining = 0;
    return 0;
}

/* What to do about the record at the position, which is not fine. */
static int recover_from_bad_record(struct decoder *d, enum record_kind why, struct error *err)
{
    struct view v;
    switch (why) {
    case RECORD_FOREIGN:
        return pass_window(d, err);
    case RECORD_IS_HEADER:
        if (input_view(d->input, WINDOW_HEADER_LEN, &v, err) != 0)
            return -1;
        if (window_header_plausible(v.data, v.data + v.n, false)) {
            d->short_window = (struct short_window){v.offset, d->remaining, 0};
            quality_skip(d->quality, v.offset, 0, "a window ends before its announced length");
            d->remaining = 0;
            lose_rest(d);
            return 0;
        }
        lose_rest(d);
        return resync(d, "window header inside a window", err);
    default:
        lose_rest(d);
        return resync(d, "records that make no sense", err);
    }
}

#define MARK_BYTES 16 /* no hypercall's record is shorter */

static int reserve(struct stream *s, size_t bytes, struct error *err)
{
    bool marks = !s->io.wants_tasks || stream_reserve_marks(s, bytes / MARK_BYTES + 1);
    return marks && stream_reserve(s, bytes / 4 + RECORD_EVENTS)
               ? 0
               : error_set(err, ERROR_MEMORY, "no memory for the events of pCPU %u", s->pcpu);
}

/* The window's first records [p, end) are seen. */
static int look_at_beginning(struct decoder *d, const uint8_t *p, const uint8_t *end, struct error *err)
{
    struct stream *s = d->current;
    d->window_fresh = false;
    s->reach = 0;
    if (d->interest.io && !io_filter_window(&s->io, p, end))
        return error_no_memory(err, "the events of a pCPU");
    if (reserve(s, 0, err) != 0)
        return -1;
    if (end - p < 4 || !(load32(p) >> 31))
        record_append_window(s, s->last_tsc);
    return 0;
}

/*
 * The last records of a window, or of the input, where fewer than RECORD_MAX bytes may be readable; what is known before them
 * goes along. *kind: RECORD_DAMAGED, too, if the last record is cut.
 */
static const uint8_t *decode_tail(struct decoder *d, const uint8_t *p, const uint8_t *end,
                                  enum record_kind *kind)
{
    uint8_t copy[HEADER_REACH + 2 * RECORD_MAX] = {0};
    size_t known = (size_t)(p - d->known_record), before = known < HEADER_REACH ? known : HEADER_REACH;
    size_t n = before + (size_t)(end - p), at = before;
    memcpy(copy, p - before, n);
    d->known_record = copy;
    while (*kind == RECORD_OK && n - at >= 4 && n - at >= record_bytes(load32(copy + at)))
        at = (size_t)(records_decode(d, d->current, copy + at, copy + at + 1, copy + n, kind) - copy);
    if (*kind == RECORD_OK && at < n)
        *kind = RECORD_DAMAGED;
    d->known_record = p;
    return p + (at - before);
}

/* Decodes the records [p, end) but for the last `margin` bytes or, in the `tail` of a window, all. Returns where it stopped. */
static const uint8_t *decode_records(struct decoder *d, const uint8_t *p, const uint8_t *end, bool tail,
                                     enum record_kind *why, struct error *err)
{
    struct stream *s = d->current;
    size_t margin = tail ? RECORD_MAX : LOOKAHEAD;
    while (*why == RECORD_OK && (size_t)(end - p) > margin) {
        const uint8_t *limit = (size_t)(end - p) - margin > CHUNK ? p + CHUNK : end - margin;
        if (reserve(s, (size_t)(limit - p + RECORD_MAX), err) != 0)
            return NULL;
        const uint8_t *begin = p;
        p = records_decode(d, s, p, limit, end, why);
        d->known_record = (size_t)(p - begin) >= HEADER_REACH ? begin : d->known_record;
    }
    if (*why == RECORD_OK && tail) {
        if (reserve(s, RECORD_MAX, err) != 0)
            return NULL;
        p = decode_tail(d, p, end, why);
    }
    return p;
}

/*
 * The record at `p` of the view makes no sense. Whether a window header lies before it, or in it; then `p` is where. Looks at as many
 * bytes after it however many the view happens to show. -1 on failure.
 */
static int look_for_header(struct decoder *d, struct view *v, const uint8_t **p, struct error *err)
{
    size_t at = (size_t)(*p - v->data), need = at + WINDOW_PROOF_BYTES;
    if (input_view(d->input, need, v, err) != 0)
        return -1;
    *p = v->data + at;
    const uint8_t *end = v->data + (v->n < need ? v->n : need), *from = v->data;
    from = at > HEADER_REACH ? *p - HEADER_REACH : from;
    const uint8_t *header = window_header_within(from, end - *p > RECORD_MAX ? *p + RECORD_MAX : end, end);
    *p = header ? header : *p;
    return header != NULL;
}

/*
 * All up to `p` was decoded. A window header may yet turn up in the last HEADER_REACH bytes: they stay, from the beginning of a
 * record on.
 */
static void keep_reach(struct decoder *d, const struct view *v, const uint8_t *p)
{
    const uint8_t *from = d->known_record;
    while ((size_t)(p - from) >= HEADER_REACH + record_bytes(load32(from)))
        from += record_bytes(load32(from));
    d->decoded = (size_t)(p - from);
    consume(d, (size_t)(from - v->data));
}

/* Decodes what the view shows of the current window. Returns 0, 1 at the end of the input, -1 on failure. */
static int decode_view(struct decoder *d, struct error *err)
{
    struct view v;
    size_t enough = d->decoded + LOOKAHEAD + RECORD_MAX;
    if (input_view(d->input, d->remaining < enough ? (size_t)d->remaining : enough, &v, err) != 0)
        return -1;
    bool whole = v.n >= d->remaining;
    const uint8_t *end = v.data + (whole ? (size_t)d->remaining : v.n);
    enum record_kind why = RECORD_OK;
    if (d->window_fresh && look_at_beginning(d, v.data, end, err) != 0)
        return -1;
    d->known_record = v.data;
    const uint8_t *p = decode_records(d, v.data + d->decoded, end, whole || v.end, &why, err);
    if (!p)
        return -1;
    if (why == RECORD_OK && !whole && !v.end) {
        keep_reach(d, &v, p);
        return 0;
    }
    d->decoded = 0;
    size_t left = (size_t)(end - p);
    bool cut = left < 4 || left < record_bytes(load32(p));
    size_t bad = (size_t)(p - v.data);
    int header = why == RECORD_DAMAGED ? look_for_header(d, &v, &p, err) : 0;
    if (header < 0)
        return -1;
    if (header)
        cut_records_remove(d, v.data, p, v.data + bad);
    consume(d, (size_t)(p - v.data));
    if (header)
        return recover_from_bad_record(d, RECORD_IS_HEADER, err);
    if (v.end && !whole && (why == RECORD_OK || (why == RECORD_DAMAGED && cut))) {
        /* Not damage: the input was cut, perhaps in the middle of this record. */
        d->quality->truncated_bytes += d->remaining - left;
        consume(d, left);
        return 1;
    }
    return why == RECORD_OK ? 0 : recover_from_bad_record(d, why, err);
}

/* Between two windows. Returns 0 (in a window), 1 in a window that begins a new sweep, 2 at the end, -1 on failure. */
static int next_window(struct decoder *d, struct error *err)
{
    struct view v;
    for (;;) {
        if (input_view(d->input, WINDOW_HEADER_LEN, &v, err) != 0)
            return -1;
        if (v.n > 0 && window_header_plausible(v.data, v.data + v.n, false))
            return begin_window(d, v.data, err);
        if (v.offset == 0 && input_check_content(d->input, err) != 0)
            return -1;
        if (v.n == 0)
            return 2;
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

/* The window is over: its CPU_CHANGE waits no longer for a record with a time. */
static int end_window(struct decoder *d, struct error *err)
{
    d->in_window = false;
    if (reserve(d->current, 0, err) != 0)
        return -1;
    record_append_window(d->current, d->current->last_tsc);
    if (d->model)
        unscheduled_end_window(d->current);
    set_mode(d, d->current);
    return 0;
}

/* Goes on with the current window. 0, -1 on failure. */
static int go_on(struct decoder *d, struct error *err)
{
    const struct stream *s = d->current;
    size_t waiting = s->n - s->head + s->marks_n;
    int status = d->remaining > 0 ? decode_view(d, err) : 0;
    if (status > 0)
        d->remaining = 0;
    if (status >= 0 && d->remaining == 0)
        status = end_window(d, err);
    d->queued += s->n - s->head + s->marks_n - waiting;
    return status;
}

int decoder_run(struct decoder *d, size_t limit_events, struct error *err)
{
    for (;;) {
        if (!d->in_window && d->joined)
            return decoder_pass_joined(d, err) != 0 ? -1 : DECODER_END;
        if (!d->in_window) {
            bool first = d->sweep == 0;
            int status = next_window(d, err);
            if (status < 0)
                return -1;
            if (status == 2)
                return DECODER_END;
            if (status == 1 && !first)
                return DECODER_SWEEP;
        }
        if (d->queued >= limit_events)
            return DECODER_FULL;
        if (go_on(d, err) != 0)
            return -1;
        if (!d->in_window)
            return DECODER_WINDOW;
    }
}
