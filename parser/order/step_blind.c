/* The time of pCPUs whose records are not used is blind. */
#include "step.h"

/*
 * Inserts events, from `at` on, by which the model takes the time of the stream's pCPU from `from` to `tsc` for blind. -1 when there is
 * no memory.
 */
static int append_blind(struct decoder *d, struct stream *s, uint64_t at, uint64_t from, uint64_t tsc)
{
    if (!stream_reserve(s, 2))
        return -1;
    stream_insert_blind(s, at, from, tsc, 0, UINT32_MAX);
    d->queued += 2;
    return 0;
}

int step_blind(struct order *o, uint64_t tsc)
{
    struct decoder *d = o->decoder;
    for (unsigned i = 0; i < d->pcpus_n; i++) {
        struct stream *s = d->streams[d->pcpus[i]];
        struct step *step = &o->steps[d->pcpus[i]];
        bool out = step->out && tsc > step->blind_from;
        bool unused = step->unused && tsc > step->unused_from;
        if (out)
            stream_begin(s, step->blind_from);
        uint64_t at = step->unused ? step->unused_from : step->blind_from;
        uint64_t from = step->unused ? step->unused_since : step->blind_since;
        if (d->model && (step->unused ? unused : out) && append_blind(d, s, at, from, tsc) != 0)
            return -1;
        if (unused)
            step->unused_from = step->unused_since = tsc;
        if (out)
            s->last_tsc = step->blind_from = step->blind_since = tsc;
        s->fresh = s->n; /* they say nothing about the clock */
    }
    return 0;
}
