/* What is known of the trace, as far as it was decoded. */
#include "decoder.h"
#include "old_numbers.h"

#define CHANGES_SURE 64 /* after so many, for each pCPU and sibling, one that wrote nothing is not recorded */

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

bool decoder_has_runs(const struct decoder *d)
{
    return records_of(d, EVENT_SWITCH_INFPREV) > 0;
}

unsigned decoder_cores_missing(const struct decoder *d)
{
    unsigned n = 0;
    for (unsigned i = 0; i < d->pcpus_n; i++)
        n += cores_missing(&d->cores, d->streams[d->pcpus[i]]);
    return n;
}

bool decoder_cores_may_grow(const struct decoder *d)
{
    for (unsigned i = 0; cores_shown(&d->cores) && i < d->pcpus_n; i++)
        if (cores_may_grow(&d->cores, d->streams[d->pcpus[i]]))
            return true;
    return false;
}

bool decoder_cores_may_show(const struct decoder *d)
{
    for (unsigned i = 0; i < d->pcpus_n; i++)
        if (cores_may_show(d->streams[d->pcpus[i]]))
            return true;
    return false;
}

/* How many siblings of the pCPU wrote nothing. */
static unsigned silent_siblings(const struct decoder *d, uint16_t pcpu)
{
    const struct core *core = &d->cores.of[pcpu];
    unsigned n = 0;
    for (unsigned i = 0; core->n > 1 && i < core->n; i++)
        n += !d->streams[d->cores.pcpus[core->first + i]];
    return n;
}

unsigned decoder_silent_siblings(const struct decoder *d)
{
    unsigned n = 0;
    for (unsigned i = 0; d->cores.largest && i < d->pcpus_n; i++) {
        uint16_t pcpu = d->pcpus[i];
        bool counted = false; /* with a lower pCPU that writes */
        for (unsigned k = 0; k < i && !counted; k++)
            counted = d->cores.leader[d->pcpus[k]] == d->cores.leader[pcpu];
        n += counted ? 0 : silent_siblings(d, pcpu);
    }
    return n;
}

bool decoder_siblings_due(const struct decoder *d)
{
    return decoder_runstates(d) >= (uint64_t)CHANGES_SURE * (d->cores.largest + 1) * d->pcpus_n;
}

static void set_partial(struct decoder *d, const struct stream *s)
{
    if (!d->cores.partial[s->pcpu])
        cores_set_partial(&d->cores, s->pcpu);
}

void decoder_find_partial(struct decoder *d, bool without_runstates, bool sure)
{
    if (!cores_shown(&d->cores))
        return;
    for (unsigned i = 0; i < d->pcpus_n; i++) {
        const struct stream *s = d->streams[d->pcpus[i]];
        if (without_runstates || cores_missing(&d->cores, s) || (sure && silent_siblings(d, s->pcpu) > 0))
            set_partial(d, s);
    }
    /* Where some are not recorded, those may be siblings of any pCPU whose siblings are not known. */
    for (unsigned i = 0; sure && d->cores.partial_n > 0 && i < d->pcpus_n; i++)
        if (d->cores.of[d->pcpus[i]].n < 2)
            set_partial(d, d->streams[d->pcpus[i]]);
}

unsigned decoder_traits(const struct decoder *d)
{
    const uint64_t *svm = d->quality->events[EVENT_SVM_EXIT].forms;
    bool is_svm = d->svm_exits || svm[2] || svm[3] || svm[8 + 2] || svm[8 + 3];
    return (d->raw && is_svm ? TRAIT_SVM : 0) | old_numbers_traits(d->quality);
}

unsigned decoder_take_marks(const struct decoder *d, uint64_t from_tsc, struct task_marks *marks)
{
    unsigned n = 0;
    for (unsigned i = 0; i < d->pcpus_n; i++) {
        const struct stream *s = d->streams[d->pcpus[i]];
        size_t known = 0;
        while (known < s->marks_n && task_mark_tsc(s->marks[known]) < from_tsc)
            known++;
        if (s->marks_n > known)
            marks[n++] = (struct task_marks){s->marks + known, s->marks_n - known, s->pcpu};
    }
    return n;
}

void decoder_drop_marks(struct decoder *d)
{
    for (unsigned i = 0; i < d->pcpus_n; i++) {
        struct stream *s = d->streams[d->pcpus[i]];
        d->queued -= s->marks_n;
        s->marks_n = 0;
    }
}

void decoder_pasts(const struct decoder *d, struct io_past *pasts)
{
    for (unsigned i = 0; i < d->pcpus_n; i++) {
        const struct stream *s = d->streams[d->pcpus[i]];
        pasts[i] = (struct io_past){.pcpu = s->pcpu, .current = s->current};
        io_filter_past(&s->io, &pasts[i]);
    }
}

/* Whether the pCPU's next record is understood by the ones before it. */
static bool waits_for_record(const struct stream *s)
{
    return s->slice_ns != UINT32_MAX || s->old_lost || s->io.heeds & HEED_WAKES || s->switched_out;
}

bool decoder_is_whole(const struct decoder *d)
{
    const struct quality *q = d->quality;
    if (q->skipped_places || q->tsc_backwards || q->tsc_implausible || !decoder_has_runstates(d))
        return false;
    if (q->tsc_jumps || q->unplaced_bytes || d->joined || cores_shown(&d->cores))
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
