/* What is known of the trace, as far as it was decoded. */
#include "old_numbers.h"
#include "window.h"

static uint64_t records_of(const struct decoder *d, unsigned slot)
{
    uint64_t n = 0;
    for (unsigned form = 0; form < 16; form++)
        n += d->quality->events[slot].forms[form];
    return n;
}

uint64_t decoder_runstates(const struct decoder *d)
{
    return records_of(d, EVENT_RUNSTATE_CHANGE);
}

bool decoder_has_runstates(const struct decoder *d)
{
    return decoder_runstates(d) > 0;
}

uint64_t decoder_switches(const struct decoder *d)
{
    return records_of(d, EVENT_SWITCH) + records_of(d, EVENT_SWITCH_INFPREV);
}

unsigned decoder_cores_missing(const struct decoder *d)
{
    unsigned n = 0;
    for (unsigned i = 0; i < d->pcpus_n; i++)
        n += cores_missing(&d->cores, d->streams[d->pcpus[i]]);
    return n;
}

unsigned decoder_traits(const struct decoder *d)
{
    const uint64_t *svm = d->quality->events[EVENT_SVM_EXIT].forms;
    bool is_svm = d->svm_exits || svm[2] || svm[3] || svm[8 + 2] || svm[8 + 3];
    return (d->raw && is_svm ? TRAIT_SVM : 0) | old_numbers_traits(d->quality);
}

/* Whether the pCPU's next record is understood by the ones before it. */
static bool waits_for_record(const struct stream *s)
{
    return s->slice_ns != UINT32_MAX || s->old_lost || s->io.wakes || s->switched_out;
}

bool decoder_is_whole(const struct decoder *d)
{
    const struct quality *q = d->quality;
    if (q->skipped_places || q->tsc_backwards || q->tsc_implausible || !decoder_has_runstates(d))
        return false;
    if (q->tsc_jumps || q->unplaced_bytes || d->joined || d->cores.largest)
        return false; /* who runs where depends on what was read before */
    for (unsigned i = 0; i < d->pcpus_n; i++) {
        const struct stream *s = d->streams[d->pcpus[i]];
        bool waited_for =
            s != d->current && s->perhaps_blind && d->sweep - s->last_sweep <= BLIND_WAIT_SWEEPS + 1;
        if (waits_for_record(s) || waited_for)
            return false;
    }
    return true;
}
