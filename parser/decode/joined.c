#include "joined.h"

/* Appends what is queued of a stream to another one, at the end of its time. False when there is no memory. */
static bool move_events(const struct decoder *d, struct stream *to, const struct stream *from)
{
    uint64_t tsc = to->last_tsc > d->earliest_tsc ? to->last_tsc : d->earliest_tsc;
    if (!stream_reserve(to, from->n - from->head))
        return false;
    for (const struct event *e = from->events + from->head; e < from->events + from->n; e++) {
        to->events[to->n] = *e;
        to->events[to->n++].tsc = tsc;
    }
    to->fresh = to->n;
    return true;
}

bool decoder_forget_untimed_pcpus(struct decoder *d)
{
    struct stream *first = NULL;
    unsigned kept = 0;
    d->current = NULL;
    for (unsigned i = 0; !first && i < d->pcpus_n; i++)
        first = d->streams[d->pcpus[i]]->begun ? d->streams[d->pcpus[i]] : NULL;
    for (unsigned i = 0; first && i < d->pcpus_n; i++) {
        uint16_t pcpu = d->pcpus[i];
        struct stream *s = d->streams[pcpu];
        if (s->begun) {
            d->pcpus[kept++] = pcpu;
            continue;
        }
        if (!move_events(d, first, s))
            return false;
        stream_free(s);
        d->streams[pcpu] = NULL;
    }
    d->pcpus_n = first ? kept : d->pcpus_n;
    return true;
}

/* Reads what is left of the input, which is another capture. */
int decoder_pass_joined(struct decoder *d, struct error *err)
{
    struct view v = {0};
    if (!decoder_forget_untimed_pcpus(d))
        return error_no_memory(err, "the events of a pCPU");
    for (;;) {
        if (input_view(d->input, 1, &v, err) != 0)
            return -1;
        d->quality->bytes += v.n;
        d->quality->joined_bytes = d->quality->bytes - d->quality->joined_at;
        if (v.n == 0)
            return 0;
        input_consume(d->input, v.n);
    }
}

void decoder_joined(struct decoder *d, uint64_t offset, int last_pcpu)
{
    struct quality *q = d->quality;
    d->joined = true;
    d->last_pcpu = last_pcpu;
    q->joined_at = offset;
    q->joined_bytes = q->bytes - offset;
    if (d->short_window.missing && d->short_window.at == offset && q->skipped_places > 0) {
        /* Nothing was damaged: the first capture was cut off in a window. */
        q->skipped_places--;
        q->skipped_bytes -= d->short_window.skipped;
        q->truncated_bytes += d->short_window.missing;
    }
}
