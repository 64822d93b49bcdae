#include "cut_records.h"

#include <string.h>

#include "record_format.h"

/* Whether the event is of the record. Its time may have been judged. */
static bool is_of_record(const struct event *e, const uint8_t *p)
{
    uint32_t header = load32(p);
    size_t words = header >> 28 & 7;
    return e->header == header && memcmp(e->w, p + 4 + (header >> 31) * 8, 4 * (words < 4 ? words : 4)) == 0;
}

static void uncount(struct quality *q, uint32_t header)
{
    uint32_t event = header & 0x0fffffff;
    unsigned slot = event_slot(event);
    q->events[slot].forms[header >> 28]--;
    if (slot == EVENT_UNRECOGNISED)
        quality_not_unrecognised(q, event, (unsigned)record_bytes(header));
}

void cut_records_remove(struct decoder *d, const uint8_t *p, const uint8_t *header, const uint8_t *end)
{
    const uint8_t *cut[HEADER_REACH / 4];
    struct stream *s = d->current;
    size_t n = 0;
    uint64_t last_tsc = s->last_tsc;
    for (; p < end && n < sizeof cut / sizeof cut[0]; p += record_bytes(load32(p)))
        if (p + record_bytes(load32(p)) > header)
            cut[n++] = p;
        else if (load32(p) >> 31)
            last_tsc = load64(p + 4);
    bool earlier = n > 0 && last_tsc < s->last_tsc && last_tsc >= s->first_tsc;
    for (size_t i = 0; i < n; i++)
        uncount(d->quality, load32(cut[i]));
    for (; n > 0 && s->n > s->head; n--) {
        size_t attached = 0; /* what the record led to goes with it, or stays with it */
        while (attached + 1 < s->n - s->head && s->events[s->n - 1 - attached].slot >= EVENT_SLOTS)
            attached++;
        if (is_of_record(&s->events[s->n - 1 - attached], cut[n - 1]))
            s->n -= attached + 1;
    }
    s->fresh = s->fresh < s->n ? s->fresh : s->n;
    /* Nor does what else they led to, such as who is current, come later than the last one that is whole. */
    if (earlier)
        stream_pull_back(s, last_tsc > s->earliest_tsc ? last_tsc : s->earliest_tsc);
}
