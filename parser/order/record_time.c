#include "record_time.h"

/* So far ahead, even if confirmed, belongs to another capture: some hours. */
#define TSC_FOREIGN (1ull << 45)
/* Events this far behind what was handed on belong to another capture: about 1.6 s. */
#define TSC_STALE (1ull << 32)

const uint8_t *record_next_timed(const uint8_t *p, const uint8_t *end, uint64_t *tsc)
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

uint64_t record_first_tsc(struct decoder *d, uint64_t tsc, const uint8_t *behind, const uint8_t *end)
{
    uint64_t next, third;
    const uint8_t *p = record_next_timed(behind, end, &next);
    if (!p || (next >= tsc && next - tsc <= TSC_LEAP))
        return tsc;
    bool has_third = record_next_timed(p, end, &third) != NULL;
    if (has_third && third >= tsc && third - tsc <= TSC_LEAP)
        return tsc;
    d->quality->tsc_implausible++;
    return has_third ? next : next < tsc ? next : tsc;
}

/*
 * Time on this pCPU was ahead of itself: what is queued beyond `tsc` is to move back to it (order_begin does that, once
 * for all times that this happens), and what that had told of the trace's beginning and end is taken back.
 */
static void pull_back(struct decoder *d, struct stream *s, uint64_t tsc)
{
    s->pulled_back = true;
    s->last_tsc = tsc;
    d->tsc_last = tsc;
    for (unsigned i = 0; i < d->pcpus_n; i++) {
        const struct stream *other = d->streams[d->pcpus[i]];
        if (other->begun && other->last_tsc > d->tsc_last)
            d->tsc_last = other->last_tsc;
    }
    if (tsc < d->tsc_first)
        d->tsc_first = tsc;
}

uint64_t record_judge_tsc(struct decoder *d, struct stream *s, uint64_t tsc, const uint8_t *behind,
                          const uint8_t *end, bool *foreign)
{
    uint64_t next;
    bool has_next = record_next_timed(behind, end, &next) != NULL;
    bool has_time = s->begun || d->tsc_last > 0;
    uint64_t last = s->begun ? s->last_tsc : d->tsc_last;
    uint64_t front = last > d->tsc_last ? last : d->tsc_last;

    if (!s->begun && has_time && tsc < last)
        last = tsc; /* a pCPU's first record may well be older than other pCPUs' */
    if (!s->begun && tsc < d->emitted_tsc)
        last = d->emitted_tsc;
    if (tsc >= last) {
        if (!has_time) {
            tsc = record_first_tsc(d, tsc, behind, end);
            *foreign = tsc >= TSC_IMPOSSIBLE;
            return tsc;
        }
        *foreign = tsc > front && tsc - front > TSC_FOREIGN && has_next && next - tsc <= TSC_LEAP;
        if (tsc <= front || tsc - front <= TSC_LEAP || (has_next && next >= tsc && next - tsc <= TSC_LEAP))
            return tsc;
        d->quality->tsc_implausible++;
        return has_next && next >= last && next < tsc ? (next - last <= TSC_LEAP ? next : last) : last;
    }
    if (has_next && next < last) {
        /* The next record agrees: it was the earlier tsc that was wrong, or the clock was set back. */
        if (tsc >= d->emitted_tsc && tsc >= d->foreign_front) {
            d->quality->tsc_backwards++;
            pull_back(d, s, tsc);
            return tsc;
        }
        *foreign = tsc < d->emitted_tsc && d->emitted_tsc - tsc > TSC_STALE;
    }
    /* Once another capture has begun, none of its time up to where this one came is ours. */
    if (*foreign && d->foreign_front == 0)
        d->foreign_front = d->tsc_last;
    *foreign = *foreign || tsc < d->foreign_front;
    d->quality->tsc_backwards += !*foreign;
    return last;
}

void record_note_last_tsc(struct decoder *d, struct stream *s, const uint8_t *record)
{
    if (record) {
        uint64_t tsc = load64(record + 4);
        uint64_t front = s->last_tsc > d->tsc_last ? s->last_tsc : d->tsc_last;
        bool any = s->begun || d->tsc_last > 0;
        if ((!any && tsc < TSC_IMPOSSIBLE) ||
            (tsc >= s->last_tsc && (tsc <= front || tsc - front <= TSC_LEAP))) {
            s->last_tsc = tsc;
            s->begun = true;
        }
    }
    if (s->begun && s->last_tsc > d->tsc_last)
        d->tsc_last = s->last_tsc;
}
